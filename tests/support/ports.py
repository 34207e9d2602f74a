"""Ports that nobody else takes between the asking and the binding.

They lie below Linux's range for outgoing connections, and a locked file reserves each for this process, so
that test processes beside each other never get the same one.
"""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path
from typing import IO

FIRST, LAST = 20_000, 31_999
_reserved: dict[int, IO[str]] = {}


def free_port() -> int:
    """A TCP port on the loopback addresses, free now and reserved for this process until it ends."""
    folder = Path(tempfile.gettempdir()) / f"depesche-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    for port in random.sample(range(FIRST, LAST + 1), 500):
        if port in _reserved:
            continue
        handle = (folder / str(port)).open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            handle.close()
            continue
        _reserved[port] = handle
        return port
    raise AssertionError(f"no free port between {FIRST} and {LAST}")


def greets(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server there says something by itself, as SMTP's do."""
    try:
        with socket.create_connection((host, port), timeout=5) as connection:
            return bool(connection.recv(1))
    except OSError:
        return False


def listens(port: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=5):
            return True
    except OSError:
        return False
