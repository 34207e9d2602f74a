"""How the tests of this folder reach their servers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from depesche.smtpclient import ConnectionConfig, Encryption, Envelope, Timeouts

PATIENT = Timeouts.each(20.0)


def configured(port: int, **more: object) -> ConnectionConfig:
    """A connection to the fake; plain unless something else is said."""
    values: dict[str, object] = {
        "encryption": Encryption.NONE,
        "local_hostname": "client.example.org",
        "timeouts": PATIENT,
    } | more
    return ConnectionConfig("127.0.0.1", port, **values)  # type: ignore[arg-type]  # by name


def to(*recipients: str) -> Envelope:
    return Envelope("tracker@example.org", recipients)


MAIL = b"Subject: hello\r\n\r\n.a dot\r\n"


@contextlib.asynccontextmanager
async def listening(
    act: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[object]],
) -> AsyncIterator[int]:
    """The port of a server that does what `act` says with each connection; ends when all of them have
    ended."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(ConnectionError):
            await act(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.gather(*tasks)
