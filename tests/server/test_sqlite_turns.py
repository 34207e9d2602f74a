"""Writers on SQLite take turns: who waits is next, however greedy another one is."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

from depesche.server.sqlite3.base import DatabaseWrapper

pytestmark = pytest.mark.django_db(transaction=True)  # databases of their own are opened as well


def opened(path: Path, timeout: float = 20) -> DatabaseWrapper:
    """A connection with the product's way to begin, on a database of its own."""
    options = {
        "timeout": timeout,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL;",
    }
    wanted = {"ENGINE": "depesche.server.sqlite3", "NAME": str(path), "OPTIONS": options}
    made = ConnectionHandler({"default": wanted}).create_connection("default")
    assert isinstance(made, DatabaseWrapper)
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "turns.sqlite3"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE t (who TEXT)")
    return path


def test_the_product_uses_it() -> None:
    from django.conf import settings

    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        assert isinstance(connections["default"], DatabaseWrapper)
    assert issubclass(DatabaseWrapper, BaseDatabaseWrapper)


def test_a_waiting_writer_comes_before_a_greedy_one(path: Path) -> None:
    stop, rounds, waited = threading.Event(), [0], [0]
    ready = threading.Event()

    def greedy() -> None:
        """Writes all the time, with no pause at all."""
        mine = opened(path)
        while not stop.is_set():
            write(mine, "greedy")
            rounds[0] += 1
            ready.set()
        mine.close()

    def polite() -> None:
        mine = opened(path)
        assert ready.wait(10)
        for _ in range(20):
            before = rounds[0]
            write(mine, "polite")
            waited.append(rounds[0] - before)
        mine.close()

    threads = [threading.Thread(target=greedy), threading.Thread(target=polite)]
    for thread in threads:
        thread.start()
    threads[1].join(60)
    stop.set()
    threads[0].join(60)
    assert len(waited) == 21
    # The greedy one may finish what it has begun, and be first once more while the other is woken.
    assert sorted(waited)[len(waited) // 2] <= 5


def write(connection: DatabaseWrapper, who: str) -> None:
    connection.ensure_connection()
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO t VALUES (%s)", [who])
    connection.commit()
    connection.set_autocommit(True)


def test_a_writer_that_dies_blocks_nobody(path: Path) -> None:
    first, second = opened(path), opened(path)
    write(first, "a")
    first.close()
    write(second, "b")
    second.close()
    with closing(sqlite3.connect(path)) as database, database:
        assert [row[0] for row in database.execute("SELECT who FROM t")] == ["a", "b"]


def test_where_no_file_can_be_made_sqlite_alone_decides(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*words: object, **more: object) -> int:
        raise PermissionError

    monkeypatch.setattr("depesche.server.sqlite3.base.os.open", refused)
    mine = opened(path)
    write(mine, "a")
    mine.close()
    assert not Path(f"{path}-turn").exists()


def test_a_transaction_that_lasts_too_long_is_an_error_for_who_waits(path: Path) -> None:
    first, second = opened(path), opened(path, timeout=0.05)
    first.ensure_connection()
    first.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    with pytest.raises(OperationalError, match="locked"):
        write(second, "b")
    first.rollback()
    first.set_autocommit(True)
    second.close()
    write(second, "c")
    first.close()
    second.close()


def test_a_statement_by_itself_waits_outside_of_sqlite(path: Path) -> None:
    """Inside, it would hold a mutex that the collector needs in the thread that has the lock."""
    first = opened(path)
    first.ensure_connection()
    first.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    done = threading.Event()

    def waiting() -> None:
        second = opened(path)
        with second.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout")
            assert cursor.fetchone() == (0,)
            cursor.execute("INSERT INTO t VALUES (%s)", ["alone"])
        second.close()
        done.set()

    thread = threading.Thread(target=waiting)
    thread.start()
    assert not done.wait(0.2)
    first.rollback()
    first.set_autocommit(True)
    assert done.wait(20)
    thread.join()
    with first.cursor() as cursor:
        cursor.execute("SELECT who FROM t")
        assert cursor.fetchall() == [("alone",)]
    first.close()
