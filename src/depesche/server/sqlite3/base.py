"""Writers take turns, over all processes.

SQLite itself lets those who wait for its write lock poll at growing intervals (1, 2, 5, … 25, 50, 100 ms). A
worker that writes again and again, a few milliseconds apart, gets the lock every time before somebody who
polls: a page that saved a comment while mails went out waited 60 ms in one of twenty cases, and up to a
second.

So each transaction asks for its turn first: a lock on a file beside the database, which the kernel hands to
the next in line. It is held only until the transaction has begun; whoever waits for SQLite's lock has nobody
in front but the one transaction that is under way, and looks every millisecond whether that has ended.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator

from django.db import OperationalError
from django.db.backends.sqlite3 import base

try:
    import fcntl
except ImportError:  # no such locks on this system: writers poll, as SQLite has it
    fcntl = None  # type: ignore[assignment]  # the module or nothing


_SQLITE_SECONDS = 5.0  # what Python's sqlite3 takes without a timeout
_LOOK_SECONDS = 0.001


def _is_busy(error: OperationalError) -> bool:
    code = getattr(error.__cause__, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_BUSY


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, but for the beginning of a transaction."""

    _turn_file: int | None = None

    def _start_transaction_under_autocommit(self) -> None:
        with self._turn():
            self._begin()

    def _begin(self) -> None:
        """Django's way to begin; while another transaction is under way it is tried again, as long as the
        connection's timeout says."""
        seconds = float(self.settings_dict["OPTIONS"].get("timeout", _SQLITE_SECONDS))
        deadline = time.monotonic() + seconds
        self.connection.execute("PRAGMA busy_timeout = 0")
        try:
            while True:
                try:
                    super()._start_transaction_under_autocommit()  # type: ignore[misc]  # not in the stubs
                    return
                except OperationalError as error:
                    if not _is_busy(error) or time.monotonic() >= deadline:
                        raise
                time.sleep(_LOOK_SECONDS)
        finally:
            self.connection.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        handle = self._opened_turn_file()
        if handle is None:
            yield
            return
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)

    def _opened_turn_file(self) -> int | None:
        """A description of our own, so that threads of one process take turns as well; None for a database in
        memory and where the file cannot be made (a folder that only root may write to).
        """
        if self._turn_file is None and fcntl is not None and not self.is_in_memory_db():
            path = f"{self.settings_dict['NAME']}-turn"
            with contextlib.suppress(OSError):
                self._turn_file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._turn_file

    def close(self) -> None:
        super().close()
        handle, self._turn_file = self._turn_file, None
        if handle is not None and self.connection is None:
            os.close(handle)
        else:
            self._turn_file = handle  # inside a transaction Django closes later
