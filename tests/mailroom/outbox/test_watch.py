"""Noticing that the database changed: on both databases, at once, and after a lost connection too."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from depesche.mailroom.outbox import actions, sql, watch
from depesche.mailroom.outbox.models import WorkerPresence
from depesche.mailroom.outbox.watch import ChangeWatch
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]


@contextmanager
def watching() -> Iterator[threading.Event]:
    seen = threading.Event()
    one = ChangeWatch()
    one.register(seen.set)
    one.start()
    try:
        yield seen
    finally:
        one.stop()
        one.join()
        assert not one._thread.is_alive()


def change() -> None:
    """What a worker must notice."""
    with sql.writing():
        WorkerPresence.objects.update_or_create(
            owner="somebody", defaults={"seen_until": timezone.now() + timedelta(minutes=1)}
        )
        actions.wake()


def noticed(seen: threading.Event) -> None:
    seen.clear()

    def once_more() -> bool:
        change()
        return seen.wait(0.5)

    wait_until(once_more, "the change to be noticed")


def test_a_change_is_noticed() -> None:
    with watching() as seen:
        noticed(seen)
        noticed(seen)


def test_it_ends_though_nothing_happens() -> None:
    with watching() as seen:
        assert seen.wait(10)


def test_a_lost_connection_is_noticed_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_RETRY_SECONDS", 0.01)
    lost = threading.Event()

    def fails_once(*_: object) -> bool:
        monkeypatch.undo()
        monkeypatch.setattr(watch, "_RETRY_SECONDS", 0.01)
        lost.set()
        raise DatabaseError("disk I/O error")

    with watching() as seen:
        noticed(seen)
        if sql.is_sqlite():
            monkeypatch.setattr(watch.FileWatch, "written", fails_once)
            assert lost.wait(10)
        else:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE query LIKE 'LISTEN%%' AND datname = current_database()"
                )
                assert cursor.rowcount == 1
        noticed(seen)


class Deaf:
    """A watch on files of a machine that tells of nothing (a folder shared with another one)."""

    asked = 0

    def written(self, seconds: float, ended: socket.socket) -> bool:
        self.asked += 1
        select.select([ended], [], [], seconds)
        return False

    def close(self) -> None: ...


@pytest.mark.parametrize("watch_of_files", [Deaf(), None])
def test_changes_are_noticed_where_no_write_is_told(
    watch_of_files: Deaf | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch.FileWatch, "opened", lambda folder: watch_of_files)
    monkeypatch.setattr(watch, "_COMMITTED_WITHIN", 0.0)
    monkeypatch.setattr(watch, "_LOOK_SECONDS", 0.01)
    with watching() as seen:
        for _ in range(watch._MOST_MISSED + 2):
            noticed(seen)
        asked = watch_of_files.asked if watch_of_files is not None else 0
        noticed(seen)
        assert watch_of_files is None or watch_of_files.asked == asked, "nobody asks the deaf for ever"
