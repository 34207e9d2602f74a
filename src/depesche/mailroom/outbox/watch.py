"""Noticing at once that the database changed: LISTEN on PostgreSQL, PRAGMA data_version on SQLite.

One thread for each process that works; whoever wants to know hands in an event. A change is only a hint to
look: on SQLite any commit of anybody counts, and after a lost connection to PostgreSQL everything may have
changed.
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import threading
from collections.abc import Callable

from django.db import DatabaseError, connection

from depesche.mailroom.outbox import sql

log = logging.getLogger(__name__)
POLL_SECONDS = 0.01  # 3 to 13 µs each
_RETRY_SECONDS = 2.0
_LISTEN_SECONDS = 5.0


class ChangeWatch:
    """Sets each registered event soon after a commit. Start it once, stop it when the process ends."""

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
        self._stop.set()
        self._end.close()
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
        with connection.cursor() as cursor:
            raw = cursor.connection  # past Django's wrappers: this runs a hundred times a second
            before = None
            while not self._stop.wait(POLL_SECONDS):
                version = raw.execute("PRAGMA data_version").fetchone()[0]
                if version != before:
                    before = version
                    self._changed()

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
