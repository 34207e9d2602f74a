"""Waiting for a write to any file of a folder: Linux's inotify, by way of the C library.

SQLite has no way of telling other processes that something was committed. But it writes its log first, so
that whoever is told of that need not look a hundred times a second whether there is anything to see.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
from pathlib import Path
from typing import Protocol, Self

_IN_MODIFY = 0x2
_MOST_OCTETS = 65536


class _HasNumber(Protocol):
    def fileno(self) -> int: ...


class FileWatch:
    """Use `opened`, and `close` it."""

    def __init__(self, number: int) -> None:
        self._number = number

    @classmethod
    def opened(cls, folder: Path) -> Self | None:
        """Watch the files in this folder (not those in folders of it). None where this machine cannot, or
        will not (each user has a number of watches).
        """
        try:
            library = ctypes.CDLL(None, use_errno=True)
            number = library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, AttributeError):
            return None
        if number < 0:
            return None
        if library.inotify_add_watch(number, os.fsencode(folder), _IN_MODIFY) < 0:
            os.close(number)
            return None
        return cls(number)

    def written(self, seconds: float, ended: _HasNumber) -> bool:
        """Wait so long for a write, or until `ended` can be read; whether something was written."""
        news = select.poll()
        news.register(self._number, select.POLLIN)
        news.register(ended, select.POLLIN)
        told = any(number == self._number for number, _ in news.poll(seconds * 1000))
        if told:
            with contextlib.suppress(BlockingIOError):
                os.read(self._number, _MOST_OCTETS)  # which file it was does not matter
        return told

    def close(self) -> None:
        os.close(self._number)
