"""Tasks beside submission: one that fails is let alone for a while, whatever changes meanwhile."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from depesche.mailroom.outbox import tasks
from tests.support.waiting import wait_until


class Failing:
    name = "failing"
    pause = 1.0
    wakes_on_change = True

    def __init__(self) -> None:
        self.runs = 0

    def run(self, now: datetime, stop: threading.Event) -> int:
        self.runs += 1
        raise RuntimeError("out of order")


class Stop(threading.Event):
    """Tells when somebody waits on it, and how long."""

    def __init__(self) -> None:
        super().__init__()
        self.waited_on = threading.Event()
        self.seconds: float | None = None

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds = timeout
        self.waited_on.set()
        return super().wait(timeout)


@pytest.mark.django_db(transaction=True)
def test_a_failing_task_is_not_woken_by_every_change() -> None:
    task, stop = Failing(), Stop()
    runner = tasks.TaskRunner(task, stop, lambda: None)
    runner.start()
    assert stop.waited_on.wait(30)
    for _ in range(5):
        runner.changed()
    assert (task.runs, stop.seconds) == (1, tasks._AFTER_FAILURE)
    stop.set()
    assert runner.join(30)
    assert task.runs == 1


def test_the_first_change_after_a_rest_is_looked_at_at_once() -> None:
    """Only changes that follow each other are looked at together."""
    assert tasks.seconds_to_rest(begun=100.0, now=110.0) == 0.0
    assert tasks.seconds_to_rest(begun=100.0, now=100.0) == pytest.approx(tasks._BETWEEN_CHANGES)
    assert 0 < tasks.seconds_to_rest(begun=100.0, now=100.005) < tasks._BETWEEN_CHANGES


class Stuck:
    """It cannot be closed, as a mailbox whose server is gone."""

    name, pause, wakes_on_change = "stuck", 1.0, False

    def run(self, now: datetime, stop: threading.Event) -> int:
        return 0

    def close(self) -> None:
        raise OSError


def test_what_cannot_be_closed_keeps_no_other_task_from_its_turn() -> None:
    other = Failing()
    tasks.run_until_idle([Stuck(), other], threading.Event())
    assert other.runs == 1


class Asking:
    """Looks into the database; notes through which connection."""

    name = "asking"
    pause = 0.0
    wakes_on_change = False

    def __init__(self) -> None:
        self.through: list[object] = []

    def run(self, now: datetime, stop: threading.Event) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        self.through.append(connection.connection)
        return 0


@pytest.mark.contract
@pytest.mark.django_db(transaction=True)
def test_a_task_keeps_its_connection_from_run_to_run() -> None:
    task, stop = Asking(), threading.Event()
    runner = tasks.TaskRunner(task, stop, lambda: None)
    runner.start()
    wait_until(lambda: len(task.through) > 3, "some runs")
    stop.set()
    assert runner.join(30)
    assert len(set(map(id, task.through))) == 1


class Seldom:
    """A task that looks for work now and then, and wakes at no change."""

    name = "seldom"
    pause = 60.0
    wakes_on_change = False

    def __init__(self) -> None:
        self.ran = threading.Event()
        self.through: Any = None

    def run(self, now: datetime, stop: threading.Event) -> int:
        connection.ensure_connection()
        self.through = connection.connection
        self.ran.set()
        return 0


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_a_task_that_rests_long_keeps_none_of_postgresqls_connections() -> None:
    task, stop = Seldom(), threading.Event()
    runner = tasks.TaskRunner(task, stop, lambda: None)
    runner.start()
    assert task.ran.wait(30)
    if connection.vendor == "postgresql":
        wait_until(lambda: task.through.closed, "the connection given back")
    stop.set()
    assert runner.join(30)
