"""What the worker does beside submission: tasks of other rooms. Each app names its own in its AppConfig
(`worker_tasks`, dotted names); settings.DEPESCHE_WORKER_TASKS, where a project has it, takes their place.

Each has a thread of its own and a database connection of its own, so that a mailbox that hangs never holds up
the planner. An exception is logged, and the task goes on.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from django.apps import apps
from django.conf import settings
from django.db import close_old_connections, connection
from django.utils import timezone
from django.utils.module_loading import import_string

from depesche.mailroom.outbox import sql

log = logging.getLogger(__name__)
_AFTER_FAILURE = 5.0
_LONG_PAUSE = 5.0  # so long nobody keeps one of PostgreSQL's connections for nothing
_BETWEEN_CHANGES = 0.02  # at full speed the database changes all the time: begin to look at most so often


class WorkerTask(Protocol):
    """One thing to do again and again.

    Three methods more are used where a task has them: `stays()` at the beginning, where it is run on and on
    in a thread of its own; `wait(wake)` in place of a pause, until something arrived (True) or `wake` is set;
    and `close()` at the end.
    """

    name: str
    pause: float  # seconds between runs when there was nothing to do
    wakes_on_change: bool  # run at once when the database changed

    def run(self, now: datetime, stop: threading.Event) -> int:
        """Do what is due; how much was done. More than 0: run again at once. `stop` is set at the end."""
        ...


def configured() -> list[WorkerTask]:
    """The tasks that the worker runs, made anew."""
    return [import_string(name)() for name in names()]


def names() -> list[str]:
    """Their dotted names: those of the settings, else all those of the installed apps."""
    named: Iterable[str] | None = getattr(settings, "DEPESCHE_WORKER_TASKS", None)
    return list(named) if named is not None else of_installed_apps()


def of_installed_apps() -> list[str]:
    """What the installed apps want to have done, in the order of INSTALLED_APPS."""
    return [name for app in apps.get_app_configs() for name in getattr(app, "worker_tasks", ())]


def _nothing() -> None:
    """For tasks that leave nothing open."""


def close(task: WorkerTask) -> None:
    """Let a task give back what it holds. A mailbox that fails to log out is no news."""
    with contextlib.suppress(Exception):
        getattr(task, "close", _nothing)()


def seconds_to_rest(begun: float, now: float) -> float:
    """How long a task that is woken waits, when it last began to look at `begun`."""
    return max(0.0, begun + _BETWEEN_CHANGES - now)


class TaskRunner:
    """One task in one thread. `idle` tells whether its last run had nothing to do."""

    def __init__(self, task: WorkerTask, stop: threading.Event, done: Callable[[], None]) -> None:
        self.task = task
        self.failed = False
        self._stop = stop
        self._wake = threading.Event()
        self._done = done
        self._runs = 0
        self._thread = threading.Thread(target=self._run, name=f"depesche-{task.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Look again now."""
        self._wake.set()

    def changed(self) -> None:
        """The database changed."""
        if self.task.wakes_on_change:
            self._wake.set()

    def join(self, seconds: float) -> bool:
        """Wait for its end; whether it has ended."""
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            getattr(self.task, "stays", _nothing)()
            while not self._stop.is_set():
                self._wake.clear()
                begun = time.monotonic()
                done = self._once()
                if done > 0:
                    self._done()
                    continue
                if done == 0 and self._arrived():
                    continue
                if done < 0:  # no change wakes a task that has just failed: it would fail at every change
                    self._stop.wait(_AFTER_FAILURE)
                    continue
                self._let_go()
                self._wake.wait(self.task.pause)
                self._stop.wait(seconds_to_rest(begun, time.monotonic()))
        finally:
            close(self.task)
            connection.close()

    def _let_go(self) -> None:
        """Before a long rest: PostgreSQL has a hundred connections as a rule, for all processes together."""
        rests_long = self.task.pause >= _LONG_PAUSE and not self.task.wakes_on_change
        if rests_long and not sql.is_sqlite():
            connection.close()

    def _arrived(self) -> bool:
        """Whether the task's own way of waiting has brought something."""
        wait = getattr(self.task, "wait", None)
        if wait is None:
            return False
        try:
            return bool(wait(self._wake))
        except Exception:
            log.exception("The task %s failed; it goes on.", self.task.name)
            return False

    def _once(self) -> int:
        if not sql.is_sqlite():  # nothing grows old there, and a new connection reads the whole schema: 1 ms
            close_old_connections()
        try:
            return self.task.run(timezone.now(), self._stop)
        except Exception:
            log.exception("The task %s failed; it goes on.", self.task.name)
            connection.close()
            return -1


def run_until_idle(tasks: Sequence[WorkerTask], stop: threading.Event) -> int:
    """Run each task in this thread until it has nothing to do (`worker --drain`); how much was done."""
    total = 0
    for task in tasks:
        while not stop.is_set():
            try:
                done = task.run(timezone.now(), stop)
            except Exception:
                log.exception("The task %s failed.", task.name)
                break
            total += max(done, 0)
            if done <= 0:
                break
        close(task)
    return total
