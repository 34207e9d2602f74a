"""Our client at a far server: prints one JSON line for each line that it is asked.

    python -m bench.far.client HOST PORT      each line of its input: CONNECTIONS SIZE COUNT chunking|data

Connections are opened and one message each submitted before the clock starts: what is measured is the rate
that a large notification sees, not the greeting. The clock stops when the last message is accepted.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from depesche.smtpclient import ConnectionConfig, Encryption, Envelope, Pool
from depesche.smtpclient.config import Limits

_WARM = 40  # messages a connection: its congestion window has grown by then, and CHUNKING is trusted
_WARM_AGAIN = 8  # after a rest

_LINE = b"Status changed from open to in progress by Jane Doe, and the reason for it is told below.\r\n"


def mail_of(size: int, number: int) -> bytes:
    """A mail of exactly so many octets."""
    head = (
        f"From: Your Server <tracker@example.org>\r\nTo: person{number}@example.org\r\n"
        f"Message-ID: <{number:06}.k3jd82hs@example.org>\r\nSubject: [DEMO-17] State changed\r\n\r\n"
    ).encode()
    body = _LINE * (size // len(_LINE) + 1)
    return head + body[: size - len(head) - 2] + b"\r\n"


async def submit(pool: Pool, size: int, count: int) -> None:
    sender, accepted = "tracker@example.org", 0
    futures = [
        pool.submit_nowait(Envelope(sender, (f"person{n}@example.org",)), mail_of(size, n))
        for n in range(count)
    ]
    for result in await asyncio.gather(*futures):
        accepted += result.accepted
    assert accepted == count, f"{accepted} of {count} accepted"


class Client:
    """Pools that stay open from one figure to the next."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._pools: dict[tuple[int, bool], Pool] = {}

    async def measure(self, connections: int, size: int, count: int, *, chunking: bool) -> float:
        """Mails a second."""
        pool = self._pools.get((connections, chunking))
        if pool is None:
            limits = Limits(1_000_000, max_idle=1e6, max_age=1e6, chunking=chunking)
            config = ConnectionConfig(self._host, self._port, Encryption.NONE, limits=limits)
            pool = self._pools[connections, chunking] = Pool(config, size=connections)
            await submit(pool, size, connections * _WARM)
        await submit(pool, size, connections * _WARM_AGAIN)
        began = time.perf_counter()
        await submit(pool, size, count)
        return count / (time.perf_counter() - began)


async def serve(host: str, port: int) -> None:
    client = Client(host, port)
    while line := await asyncio.to_thread(sys.stdin.readline):
        connections, size, count, way = line.split()
        rate = await client.measure(int(connections), int(size), int(count), chunking=way == "chunking")
        print(json.dumps(rate), flush=True)


def main() -> None:
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))


if __name__ == "__main__":
    main()
