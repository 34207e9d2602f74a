"""An SMTP server without any I/O: octets in, octets out. The scripted stream of the unit tests.

Its replies carry a label, ``<mail 3 rcpt 0>``, so that a test can see whether each one was written down for
the right message. `accepted` is the truth: what the server has taken, told or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answers:
    """The codes for one transaction. `rcpt` is used in order; what lacks is 250."""

    mail: int = 250
    rcpt: Sequence[int] = ()
    data: int = 354
    content: int = 250


@dataclass
class ModelServer:
    """Feed it what the client wrote; it returns what it says. After 421 it says nothing more.

    `answers` go with the transactions in the order in which MAIL comes. `keeps_open` imitates Postfix: after
    a refused DATA only RSET ends the transaction. `takes_empty`: DATA without a recipient gets 354.
    """

    answers: Sequence[Answers] = ()
    extensions: Sequence[str] = ("PIPELINING",)
    keeps_open: bool = False
    takes_empty: bool = False
    knows_ehlo: bool = True
    nothing_behind_content: bool = False  # commands that came with the final dot are answered by 503
    knows_bdat: bool = True  # else it announces CHUNKING and takes chunks for commands
    other: Mapping[str, str] = field(default_factory=dict)  # verb -> reply, for single commands

    accepted: list[tuple[str, tuple[str, ...], bytes]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    closed: bool = False

    _buffer: bytes = b""
    _number: int = -1
    _sender: str | None = None
    _spoilt: bool = False
    _recipients: list[str] = field(default_factory=list)
    _asked: int = 0
    _lines: list[bytes] | None = None
    _chunk: tuple[int, bool] | None = None
    _chunks: list[bytes] = field(default_factory=list)

    def greet(self) -> bytes:
        return b"220 model ESMTP\r\n"

    def feed(self, octets: bytes) -> bytes:
        """Take octets from the client."""
        said = b""
        self._buffer += octets
        while not self.closed:
            if self._chunk is not None:
                size, last = self._chunk
                if len(self._buffer) < size:
                    return said
                chunk, self._buffer = self._buffer[:size], self._buffer[size:]
                self._chunk = None
                said += self._take_chunk(chunk, last)
                continue
            line, end, rest = self._buffer.partition(b"\r\n")
            if not end:
                return said
            if b"\n" in line or b"\r" in line:
                self.violations.append(f"bare CR or LF: {line!r}")
            self._buffer = rest
            if self._lines is None:
                said += self._command(line.decode("utf-8"))
            elif line == b".":
                said += self._end_of_content()
            else:
                self._lines.append((line[1:] if line.startswith(b".") else line) + b"\r\n")
        return said

    def _say(self, code: int, label: str) -> bytes:
        if code == 421:
            self.closed = True
        enhanced = f"{code // 100}.0.0 " if code // 100 != 3 else ""
        return f"{code} {enhanced}<mail {self._number} {label}>\r\n".encode()

    @property
    def _now(self) -> Answers:
        return self.answers[self._number] if 0 <= self._number < len(self.answers) else Answers()

    def _command(self, line: str) -> bytes:
        self.commands.append(line)
        verb, _, argument = line.partition(" ")
        if verb in self.other:
            return self.other[verb].encode() + b"\r\n"
        if verb == "EHLO" and self.knows_ehlo:
            lines = ["model", *self.extensions]
            return "".join(
                f"250{' ' if i + 1 == len(lines) else '-'}{w}\r\n" for i, w in enumerate(lines)
            ).encode()
        if verb in ("HELO", "NOOP"):
            return b"250 ok\r\n"
        if verb == "RSET":
            self._reset()
            return b"250 reset\r\n"
        if verb == "QUIT":
            self.closed = True
            return b"221 bye\r\n"
        if verb == "MAIL":
            return self._mail(argument)
        if verb == "RCPT":
            return self._rcpt(argument)
        if verb == "DATA":
            return self._data()
        if verb == "BDAT" and self.knows_bdat:
            size, _, last = argument.partition(" ")
            self._chunk = int(size), last == "LAST"
            return b""
        return b"500 unknown\r\n"

    def _reset(self) -> None:
        self._sender, self._spoilt, self._recipients, self._asked = None, False, [], 0
        self._chunks = []

    def _mail(self, argument: str) -> bytes:
        if self._sender is not None:
            self.violations.append("MAIL inside a transaction")
            return b"503 nested MAIL\r\n"
        self._number += 1
        self._asked = 0
        if self._now.mail < 400:
            self._sender = argument[len("FROM:<") : argument.index(">")]
        return self._say(self._now.mail, "mail")

    def _rcpt(self, argument: str) -> bytes:
        index, self._asked = self._asked, self._asked + 1
        if self._spoilt:
            self.violations.append("RCPT joined a spoilt transaction")
        if self._sender is None:
            return self._say(503, f"rcpt {index}")
        code = self._now.rcpt[index] if index < len(self._now.rcpt) else 250
        if code < 400:
            self._recipients.append(argument[len("TO:<") : argument.index(">")])
        return self._say(code, f"rcpt {index}")

    def _data(self) -> bytes:
        if self._sender is None:
            return self._say(503, "data")
        if not self._recipients and not self.takes_empty:
            self._spoilt = self.keeps_open
            if not self.keeps_open:
                self._reset()
            return self._say(554, "data")
        if self._now.data >= 400:
            said = self._say(self._now.data, "data")
            self._spoilt = self.keeps_open
            if not self.keeps_open:
                self._reset()
            return said
        self._lines = []
        return self._say(self._now.data, "data")

    def _end_of_content(self) -> bytes:
        content, self._lines = b"".join(self._lines or ()), None
        said = self._taken(content)
        if self.nothing_behind_content and not self.closed:
            early, self._buffer = self._buffer.count(b"\r\n"), b""
            said += b"503 5.5.1 not behind the content\r\n" * early
        return said

    def _taken(self, content: bytes, *, chunked: bool = False) -> bytes:
        code = self._now.content if self._recipients else 554
        if code < 400:
            self.accepted.append((self._sender or "", tuple(self._recipients), content))
        said = self._say(code, "content")
        if code >= 400 and chunked and self.keeps_open:
            self._spoilt = True  # RFC 3030: after a refused chunk only RSET makes sure
        else:
            self._reset()
        return said

    def _take_chunk(self, chunk: bytes, last: bool) -> bytes:
        if self._sender is None or not self._recipients:
            return self._say(503, "bdat")
        self._chunks.append(chunk)
        if last:
            return self._taken(b"".join(self._chunks), chunked=True)
        return self._say(250, "bdat")
