"""Waiting in IDLE (RFC 2177) without reading in it: only whether the server has said something is asked.

What it said is read with the tagged end of IDLE, by blocking reads under the usual timeout. Reading single
lines while they come, as the library offers, loses a line that arrives in two segments, and takes the end of
the connection for silence.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time
from typing import Any, Final

from imapclient import IMAPClient

from depesche.mailroom.mailboxes.config import Stop

STEP: Final = 1.0  # seconds after which a stop is noticed
RENEW: Final = 4 * 60.0  # seconds; RFC 2177 permits 29 minutes, routers forget silent connections after 5
_ARRIVED: Final = frozenset({b"EXISTS", b"RECENT"})


class Idle:
    """IDLE of one connection. It goes on over several waits, until another command needs the connection."""

    def __init__(self, client: IMAPClient) -> None:
        self._client = client
        self._since: float | None = None

    def wait(self, seconds: float, stop: Stop) -> bool:
        """Whether mail arrived within so many seconds, before `stop` was set. Raises what the client raises
        when the connection is lost."""
        until = time.monotonic() + seconds
        while not stop.is_set() and (left := until - time.monotonic()) > 0:
            if self._since is None:
                self._client.idle()
                self._since = time.monotonic()
                spoke = _has_read(self._client)
            else:
                spoke = False
            if spoke or _speaks(self._client.socket(), min(left, STEP)):
                if self.end():
                    return True
            elif time.monotonic() - self._since > RENEW and self.end():
                return True
        return False

    def end(self) -> bool:
        """End IDLE where it is going on; whether mail arrived in it."""
        if self._since is None:
            return False
        self._since = None
        _, said = self._client.idle_done()
        return any(len(answer) > 1 and answer[1] in _ARRIVED for answer in said)


def keep_alive(connection: socket.socket) -> None:
    """Let the system find out within two minutes that the other end is gone without a word."""
    options = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 120_000}
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in options.items():
        if hasattr(socket, name):
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _speaks(connection: socket.socket, seconds: float) -> bool:
    """Whether there is something to read, the end of the connection included."""
    if isinstance(connection, ssl.SSLSocket) and connection.pending():
        return True
    poller = select.poll()
    poller.register(connection, select.POLLIN)
    return bool(poller.poll(seconds * 1000))


def _has_read(client: IMAPClient) -> bool:
    """Whether the library has read further than the line it wanted: then no more comes of it by itself."""
    connection = client.socket()
    file: Any = getattr(client._imap, "_file", None) or getattr(client._imap, "file", None)
    before = connection.gettimeout()
    connection.setblocking(False)
    try:
        return bool(file.peek(1)) if hasattr(file, "peek") else False
    except OSError:  # nothing there
        return False
    finally:
        connection.settimeout(before)
