"""The watch as a task of the worker, and of the web process beside it: who of them has the lease looks, all
others stand by. So an alarm is told once, and a worker that died is noticed."""

from __future__ import annotations

import logging
import threading
from datetime import datetime

from django.db import connection
from django.utils import timezone, translation

from depesche.mailroom.connections import alarms, figures, identity
from depesche.mailroom.connections.watching import actions, occurrences, queries, telling

log = logging.getLogger(__name__)
SECONDS = 20.0


class WatchMail:
    """Look at everything that is watched, write it down, tell it."""

    name = "watch"
    pause = SECONDS
    wakes_on_change = False

    def __init__(self) -> None:
        self._owner = identity.new_owner()

    def run(self, now: datetime, stop: threading.Event) -> int:
        if not actions.take_watch(self._owner, now=now):
            return 0
        actions.note_waiting(figures.waiting, now=now)
        ways = queries.alarm_ways()
        with translation.override(ways.spoken):
            occurrences.observe(alarms.current(now), ways, now=now)
        while not stop.is_set() and telling.tell_due(ways, now=now):
            actions.take_watch(self._owner, now=timezone.now())
        return 0

    def close(self) -> None:
        actions.leave_watch(self._owner)


class WatchThread:
    """The watch in a process that runs no worker."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._task = WatchMail()
        self._thread = threading.Thread(target=self._run, name="depesche-watch-mail", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _run(self) -> None:
        while not self._stop.wait(SECONDS):
            try:
                self._task.run(timezone.now(), self._stop)
            except Exception:
                log.exception("The watch over the mail failed; it goes on.")
            finally:
                connection.close()
        try:
            self._task.close()
        except Exception:
            log.exception("The watch could not be given back.")
        finally:
            connection.close()
