"""`depesche serve`: pages and worker together, and no worker without its parent."""

from __future__ import annotations

import http.client
import os
import signal
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.processes import Instance, Program
from tests.support.waiting import wait_until

pytestmark = pytest.mark.journey


def children(program: Program) -> list[int]:
    lists = Path(f"/proc/{program.pid}/task").glob("*/children")  # a child belongs to the thread that made it
    return [int(word) for path in lists for word in path.read_text().split()]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def workers(instance: Instance) -> int:
    stats: dict[str, int] = instance.json("outbox", "stats")
    return stats["workers"]


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    reply = connection.getresponse()
    try:
        return reply.status, reply.read()
    finally:
        connection.close()


@pytest.fixture
def served(instance: Instance) -> tuple[Program, int]:
    instance.run("init")
    port = free_port()
    program = instance.start("serve", "--port", str(port))
    program.wait_for_output(f"listens on http://127.0.0.1:{port}/")
    return program, port


@pytest.mark.contract
def test_pages_and_worker(instance: Instance, served: tuple[Program, int]) -> None:
    program, port = served
    assert get(port, "/healthz")[0] == 200
    wait_until(lambda: workers(instance) == 1, "the worker")
    pids = children(program)
    assert program.terminate() == 0
    assert not any(alive(pid) for pid in pids)


def test_the_worker_ends_when_its_parent_is_killed(instance: Instance, served: tuple[Program, int]) -> None:
    program, _ = served
    wait_until(lambda: workers(instance) == 1, "the worker")
    pids = children(program)
    assert pids
    os.kill(program.pid, signal.SIGKILL)
    program.process.wait(20)
    wait_until(lambda: not any(alive(pid) for pid in pids), "the end of the worker", timeout=40)


def test_a_worker_that_dies_is_started_again(instance: Instance, served: tuple[Program, int]) -> None:
    program, _ = served
    wait_until(lambda: bool(children(program)), "the worker")
    (first,) = children(program)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: any(pid != first for pid in children(program)), "another worker", timeout=40)
    assert program.running


def test_a_port_that_is_taken_is_named(instance: Instance, served: tuple[Program, int]) -> None:
    _, port = served
    done = instance.run("web", "--port", str(port), status=1)
    assert str(port) in done.stderr
    assert "--port" in done.stderr
