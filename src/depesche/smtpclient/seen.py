"""Which certificates this process was shown, by servers that it believed: for whoever watches over them.

Noted after each successful handshake, by SMTP, IMAP and POP3 alike. In memory, bounded, and only the last of
each server: no connection is made for it, so that no limit on connections is touched.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

_MOST = 64  # servers

Server = tuple[str, int]


@dataclass(frozen=True)
class Shown:
    """What a server showed in a handshake that succeeded. `at` in seconds since 1970."""

    host: str
    port: int
    der: bytes
    at: float


_lock = threading.Lock()
_shown: dict[Server, Shown] = {}


def note(host: str, port: int, der: bytes | None) -> None:
    """A handshake with this server has succeeded."""
    if der is None:
        return
    with _lock:
        _shown.pop((host, port), None)
        _shown[host, port] = Shown(host, port, der, time.time())
        while len(_shown) > _MOST:
            del _shown[next(iter(_shown))]


def shown() -> list[Shown]:
    """The last certificate of each server."""
    with _lock:
        return list(_shown.values())


def forget() -> None:
    """Nothing was seen (for tests)."""
    with _lock:
        _shown.clear()
