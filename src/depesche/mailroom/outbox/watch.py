"""Noticing at once that the database changed: LISTEN on PostgreSQL, PRAGMA data_version on SQLite.

One thread for each process that works; whoever wants to know hands in an event. A change is only a hint to
look: on SQLite any commit of anybody counts, and after a lost connection to PostgreSQL everything may have
changed.

SQLite is looked at in quick steps once its log was written to (`file_watch`), since the commit follows the
write by as long as the disk takes. Where a machine tells of no writes, it is looked at all the time.
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

from django.db import DatabaseError, connection

from depesche.mailroom.outbox import sql
from depesche.mailroom.outbox.file_watch import FileWatch

log = logging.getLogger(__name__)
POLL_SECONDS = 0.01  # 3 to 13 µs each; never more often are others told of a change
_FIRST_SECONDS = 0.001  # from look to look when something has just been written
_FIRST_FOR = 0.02
_COMMITTED_WITHIN = 0.25
_LOOK_SECONDS = 1.0  # even where nobody told of a write
_MOST_MISSED = 3  # changes that nobody told of: such a machine's word counts for nothing
_RETRY_SECONDS = 2.0
_LISTEN_SECONDS = 5.0


class ChangeWatch:
    """Sets each registered event soon after a commit. Start it once, and stop and join it at the end."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], None]] = []
        self._stop = threading.Event()
        self._ended, self._end = socket.socketpair()  # readable once it is to stop
        self._thread = threading.Thread(target=self._run, name="depesche-watch", daemon=True)

    def register(self, callback: Callable[[], None]) -> None:
        """Have this called after each change, from the watching thread; it must return at once."""
        self._callbacks.append(callback)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Begin to end. The system takes some 10 ms to close its watch of the files."""
        self._stop.set()
        self._end.close()

    def join(self) -> None:
        """Wait until it has ended."""
        if self._thread.is_alive():
            self._thread.join(5)
        self._ended.close()

    def _run(self) -> None:
        watch = self._watch_sqlite if sql.is_sqlite() else self._watch_postgresql
        try:
            while not self._stop.is_set():
                try:
                    watch()
                except DatabaseError as error:
                    log.warning("The database cannot be watched just now: %s", error)
                    with contextlib.suppress(DatabaseError):
                        connection.close()
                    self._stop.wait(_RETRY_SECONDS)
                    self._changed()
        finally:
            connection.close()

    def _changed(self) -> None:
        for callback in self._callbacks:
            callback()

    def _watch_sqlite(self) -> None:
        with connection.cursor() as cursor, connection.wrap_database_errors, _writes() as told_by:
            writes = told_by
            raw = cursor.connection  # past Django's wrappers: this may run a hundred times a second
            before, written, told, missed = None, monotonic(), True, 0
            while not self._stop.is_set():
                version = raw.execute("PRAGMA data_version").fetchone()[0]
                if version != before:
                    before = version
                    self._changed()
                    if writes is not None and not (told or writes.written(0, self._ended)):
                        missed += 1
                        if missed >= _MOST_MISSED:
                            writes = None
                    self._stop.wait(POLL_SECONDS)
                elif writes is None:
                    self._stop.wait(POLL_SECONDS)
                elif (since := monotonic() - written) < _FIRST_FOR:
                    self._stop.wait(_FIRST_SECONDS)
                else:
                    committed = since < _COMMITTED_WITHIN
                    told = (
                        writes.written(POLL_SECONDS if committed else _LOOK_SECONDS, self._ended) or committed
                    )
                    written = monotonic() if told else written

    def _watch_postgresql(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {sql.CHANNEL}")
        raw = connection.connection
        news = select.poll()
        news.register(raw.fileno(), select.POLLIN)
        news.register(self._ended, select.POLLIN)
        self._changed()  # what was told before we listened
        while not self._stop.is_set():
            with connection.wrap_database_errors:  # psycopg's errors are none of Django's
                told = any(True for _ in raw.notifies(timeout=0))
            if told:
                self._changed()
            elif raw.closed:
                raise DatabaseError("the connection was closed")
            else:
                news.poll(_LISTEN_SECONDS * 1000)


@contextlib.contextmanager
def _writes() -> Iterator[FileWatch | None]:
    """Who tells of writes to the database's files; None where nobody does."""
    file = Path(str(connection.settings_dict["NAME"])).resolve()  # the log lies beside what a link leads to
    watch = FileWatch.opened(file.parent) if file.is_file() else None
    try:
        yield watch
    finally:
        if watch is not None:
            watch.close()
