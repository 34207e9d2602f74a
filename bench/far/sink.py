"""A server that takes mail as fast as it comes and keeps none: PIPELINING and CHUNKING (smtp-sink has no
CHUNKING).

    python -m bench.far.sink HOST PORT [--plain] [--times FILE]

`--plain` leaves CHUNKING out. `--times` writes a line "recipient monotonic-seconds" for each message at the
moment of its 250. Prints "ready" when it listens. A command that is not expected gets 503, and the count of
those is printed at the end: a benchmark with any is worth nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from typing import TextIO

_END = b"\r\n.\r\n"


class Figures:
    """What all sessions together took."""

    def __init__(self, times: TextIO | None) -> None:
        self.accepted = 0
        self.refused = 0
        self.times = times

    def took(self, recipient: bytes) -> None:
        self.accepted += 1
        if self.times is not None:
            self.times.write(f"{recipient.decode('ascii', 'replace')} {time.monotonic():.6f}\n")
            self.times.flush()


class Session(asyncio.Protocol):
    """One client: commands by line, content by its end or by its length."""

    def __init__(self, figures: Figures, *, chunking: bool) -> None:
        self.figures = figures
        self.chunking = chunking
        self.buffer = bytearray()
        self.recipient = b""
        self.state = "start"  # start, mail, rcpt, data, bdat
        self.missing = 0  # octets of a chunk that have not come
        self.last = False
        self.scanned = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(b"220 sink.example.org ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        answers: list[bytes] = []
        while self._step(answers):
            pass
        if answers:
            self.transport.write(b"".join(answers))

    def _step(self, answers: list[bytes]) -> bool:
        """Take one command or piece of content; whether there was one."""
        if self.state == "data":
            return self._content(answers)
        if self.state == "bdat" and self.missing:
            if len(self.buffer) < self.missing:
                return False
            del self.buffer[: self.missing]
            self.missing = 0
            self._chunk_taken(answers)
            return True
        end = self.buffer.find(b"\r\n")
        if end < 0:
            return False
        line = bytes(self.buffer[:end])
        del self.buffer[: end + 2]
        self._command(line, answers)
        return True

    def _content(self, answers: list[bytes]) -> bool:
        if self.buffer.startswith(b".\r\n"):
            end, length = 0, 3
        else:
            end, length = self.buffer.find(_END, max(0, self.scanned - 4)), 5
            if end < 0:
                self.scanned = len(self.buffer)
                return False
        del self.buffer[: end + length]
        self.scanned = 0
        self.state = "start"
        self.figures.took(self.recipient)
        answers.append(b"250 2.0.0 Ok\r\n")
        return True

    def _chunk_taken(self, answers: list[bytes]) -> None:
        if self.last:
            self.state = "start"
            self.figures.took(self.recipient)
        answers.append(b"250 2.0.0 Ok\r\n")

    def _command(self, line: bytes, answers: list[bytes]) -> None:
        verb = line[:4].upper()
        if verb == b"MAIL" and self.state == "start":
            self.state = "mail"
            answers.append(b"250 2.1.0 Ok\r\n")
        elif verb == b"RCPT" and self.state in {"mail", "rcpt"}:
            self.state = "rcpt"
            self.recipient = line[line.find(b"<") + 1 : line.find(b">")]
            answers.append(b"250 2.1.5 Ok\r\n")
        elif verb == b"DATA" and self.state == "rcpt":
            self.state = "data"
            answers.append(b"354 go on\r\n")
        elif verb == b"BDAT" and self.state in {"rcpt", "bdat"} and self.chunking:
            words = line.split()
            self.missing, self.last = int(words[1]), len(words) > 2
            self.state = "bdat"
            if not self.missing:
                self._chunk_taken(answers)
        elif verb == b"EHLO":
            offered = [b"sink.example.org", b"PIPELINING", b"8BITMIME", b"SIZE 50000000", b"SMTPUTF8"]
            offered += [b"CHUNKING"] if self.chunking else []
            lines = [b"250-" + one for one in offered]
            lines[-1] = b"250 " + offered[-1]
            answers.append(b"\r\n".join(lines) + b"\r\n")
        elif verb in {b"HELO", b"RSET", b"NOOP"}:
            self.state = "start"
            answers.append(b"250 Ok\r\n")
        elif verb == b"QUIT":
            answers.append(b"221 Bye\r\n")
            self.transport.write(b"".join(answers))
            answers.clear()
            self.transport.close()
        else:
            self.figures.refused += 1
            answers.append(b"503 5.5.1 not now\r\n")


async def serve(host: str, port: int, figures: Figures, *, chunking: bool) -> None:
    """Until SIGTERM."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    server = await loop.create_server(
        lambda: Session(figures, chunking=chunking), host, port, reuse_address=True
    )
    print("ready", flush=True)
    await ended.wait()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="A server that keeps no mail.")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--times", default="")
    options = parser.parse_args()
    times = open(options.times, "w", encoding="ascii") if options.times else None  # noqa: SIM115 until the end
    figures = Figures(times)
    asyncio.run(serve(options.host, options.port, figures, chunking=not options.plain))
    print(figures.accepted, figures.refused, flush=True)
    sys.exit(1 if figures.refused else 0)


if __name__ == "__main__":
    main()
