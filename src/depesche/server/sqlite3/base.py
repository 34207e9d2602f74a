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
from typing import Any

from django.db.backends.sqlite3 import base

try:
    import fcntl
except ImportError:  # no such locks on this system: writers poll, as SQLite has it
    fcntl = None  # type: ignore[assignment]  # the module or nothing


_SQLITE_SECONDS = 5.0  # what Python's sqlite3 takes without a timeout
_LOOK_SECONDS = 0.001


class _PatientCursor(base.SQLiteCursorWrapper):
    """A statement by itself that finds the database locked is tried again each millisecond.

    SQLite would wait inside the statement, and hold the connection's mutex all that time. When Python's
    collector, in the thread that has the write lock, then frees a cursor of the waiting connection, both
    threads wait for each other until the timeout is over (a worker stood still so, 20 s at a time).
    """

    patience = _SQLITE_SECONDS

    def execute(self, query: Any, params: Any = None) -> Any:
        deadline = time.monotonic() + self.patience
        while True:
            try:
                return super().execute(query, params)
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                # Inside a transaction waiting would not help: the others wait for us.
                if not busy or self.connection.in_transaction or time.monotonic() >= deadline:
                    raise
            time.sleep(_LOOK_SECONDS)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, but for waiting: in Python, never inside SQLite, and one behind the other."""

    _turn_file: int | None = None

    def get_new_connection(self, conn_params: Any) -> Any:
        made = super().get_new_connection(conn_params)
        made.execute("PRAGMA busy_timeout = 0")
        return made

    def create_cursor(self, name: Any = None) -> Any:
        cursor = self.connection.cursor(factory=_PatientCursor)
        cursor.patience = float(self.settings_dict["OPTIONS"].get("timeout", _SQLITE_SECONDS))
        return cursor

    def _start_transaction_under_autocommit(self) -> None:
        with self._turn():
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # not in the stubs

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
