"""What was shown is remembered: the last of each server, bounded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from depesche.smtpclient import seen


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    seen.forget()
    yield
    seen.forget()


def test_the_last_of_each_server() -> None:
    seen.note("a.example", 25, b"one")
    seen.note("a.example", 25, b"two")
    seen.note("a.example", 465, b"three")
    seen.note("b.example", 25, None)
    assert [(one.host, one.port, one.der) for one in seen.shown()] == [
        ("a.example", 25, b"two"),
        ("a.example", 465, b"three"),
    ]


def test_bounded() -> None:
    for number in range(200):
        seen.note(f"{number}.example", 25, b"x")
    hosts = [one.host for one in seen.shown()]
    assert len(hosts) == 64
    assert hosts[-1] == "199.example"
