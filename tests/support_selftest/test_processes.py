from __future__ import annotations

import sys
from pathlib import Path

import psycopg
import pytest

from tests.support.ports import FIRST, LAST, free_port, listens
from tests.support.postgres import PostgresServer, create_database, drop_database
from tests.support.processes import Program
from tests.support.waiting import wait_until


def test_ports_are_never_given_twice() -> None:
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50
    assert all(FIRST <= port <= LAST and not listens(port) for port in ports)


def test_waiting_gives_the_value_or_says_what_it_waited_for() -> None:
    values = iter([0, "", "there"])
    assert wait_until(lambda: next(values), "it") == "there"
    with pytest.raises(AssertionError, match=r"waited 0.01 s in vain for the moon; last seen: None"):
        wait_until(lambda: None, "the moon", timeout=0.01)


def test_a_program_is_watched_and_killed_with_its_children(tmp_path: Path) -> None:
    child = "import os, signal; print('child', os.getpid(), flush=True); signal.pause()"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with Program([sys.executable, "-c", parent], tmp_path / "out") as program:
        pid = int(program.wait_for_output(r"child (\d+)")[1])
        assert program.running
    assert program.wait() == -9
    wait_until(lambda: not _lives(pid), "the child's end")


def _lives(pid: int) -> bool:
    """Whether a process runs; one that only nobody has collected yet (Z) does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_waiting_for_output_fails_at_once_when_the_program_ends(tmp_path: Path) -> None:
    program = Program([sys.executable, "-c", "print('other words')"], tmp_path / "out")
    with pytest.raises(AssertionError, match=r"without 'ready'(.|\n)*other words"):
        program.wait_for_output("ready")


def test_postgres_serves_databases_of_their_own() -> None:
    with PostgresServer() as server:
        other = server.create("other")
        with psycopg.connect(other) as connection:
            assert connection.execute("SELECT current_database(), 'ä'").fetchone() == ("other", "ä")
        create_database(server.url, "third")
        drop_database(server.url, "third")
        folder = server.folder
    assert not folder.exists()
