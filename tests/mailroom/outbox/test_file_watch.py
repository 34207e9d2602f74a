"""Being told of writes to the files of a folder."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from depesche.mailroom.outbox.file_watch import FileWatch

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[FileWatch]:
    one = FileWatch.opened(tmp_path)
    assert one is not None, "Linux has inotify"
    yield one
    one.close()


def test_a_write_is_told_once(watch: FileWatch, ends: Ends, tmp_path: Path) -> None:
    assert not watch.written(0, ends[0])
    (tmp_path / "log").write_bytes(b"a page")
    assert watch.written(10, ends[0])
    assert not watch.written(0, ends[0])


def test_many_writes_are_told_together(watch: FileWatch, ends: Ends, tmp_path: Path) -> None:
    with (
        (tmp_path / "log").open("wb", buffering=0) as one,
        (tmp_path / "other").open("wb", buffering=0) as two,
    ):
        for _ in range(5000):  # by turns, so that they are as many events
            one.write(b"a page")
            two.write(b"a page")
    assert watch.written(10, ends[0])
    while watch.written(0, ends[0]):
        pass
    (tmp_path / "log").write_bytes(b"another")
    assert watch.written(10, ends[0])


def test_the_end_is_no_write(watch: FileWatch, ends: Ends) -> None:
    ends[1].close()
    assert not watch.written(60, ends[0])


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert FileWatch.opened(tmp_path / "none") is None


def test_a_system_without_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda name, use_errno: object())
    assert FileWatch.opened(tmp_path) is None
