"""A fake SMTP server in a thread of its own, and the settings that lead to it."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from depesche.mailroom.connections.models import OutgoingConnection
from depesche.smtpclient.testing.server import Behaviour, FakeServer

_MESSAGE_ID = re.compile(rb"^Message-ID: *(\S+)", re.MULTILINE | re.IGNORECASE)


@contextmanager
def running(behaviour: Behaviour | None = None, *, port: int = 0) -> Iterator[FakeServer]:
    """The server listens while the block runs; what it got is read in the test's own thread."""
    started, server = threading.Event(), FakeServer(behaviour, port=port)
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        await server.start()
        started.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve())
        loop.run_forever()
        loop.run_until_complete(server.stop())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    thread = threading.Thread(target=run, name="fake-smtp", daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


def configure(port: int, **values: object) -> None:
    """Submission leads to this port from now on."""
    settings = {
        "host": "127.0.0.1",
        "port": port,
        "encryption": "none",
        "system_address": "tracker@example.org",
        "system_name": "Your Server",
        **values,
    }
    row, _ = OutgoingConnection.objects.update_or_create(place=0, defaults=settings)
    OutgoingConnection.objects.filter(pk=row.pk).update(revision=row.revision + 1)


def message_ids(server: FakeServer) -> Counter[str]:
    """How often each Message-ID arrived."""
    found = (_MESSAGE_ID.search(mail.content) for mail in list(server.messages))
    return Counter(match[1].decode() for match in found if match)
