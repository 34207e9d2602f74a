"""Servers that turn every mail away without a word about it, and a database that takes nothing."""

from __future__ import annotations

import threading

import pytest
from django.db import OperationalError
from django.utils import timezone

from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections.queries import Flow
from depesche.mailroom.outbox import actions, queries, queue, worker
from depesche.mailroom.outbox.actions import Category
from depesche.mailroom.outbox.worker import drain
from depesche.smtpclient.testing.server import Behaviour
from tests.mailroom.outbox.helpers import message, recipient
from tests.mailroom.outbox.servers import configure, running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]


@pytest.fixture(autouse=True)
def _alone(settings: object) -> None:
    settings.DEPESCHE_WORKER_TASKS = []  # type: ignore[attr-defined]  # pytest-django's wrapper
    settings.DEPESCHE_RIGHTS_CHECK = ""  # type: ignore[attr-defined]  # pytest-django's wrapper


@pytest.mark.parametrize(
    ("stage", "reply"),
    [
        ("mail", "421 4.3.2 closing"),
        ("rcpt", "421 4.3.2 closing"),
        ("data", "421 4.3.2 closing"),
        ("content", "421 4.3.2 closing"),
        ("after-content", "421 4.3.2 closing"),
        ("rcpt", "450 4.7.0 too many connections from your address"),
        ("content", "451 4.7.0 too many connections from your address"),
    ],
)
@pytest.mark.parametrize("mails", [1, 12])
def test_a_server_that_closes_its_service_is_not_hammered(stage: str, reply: str, mails: int) -> None:
    actions.enqueue(message(Category.NOTICE), [recipient() for _ in range(mails)], now=timezone.now())
    with running(Behaviour(faults={stage: reply})) as server:
        configure(server.port, max_connections=2)
        ended = drain(threading.Event())
        tries = sum(command.startswith("MAIL") for one in server.connections for command in one.commands)
    assert ended.accepted == 0
    assert tries <= 40
    assert set(queries.stats().states) <= {"queued", "deferred"}
    if mails > 1:
        assert connections.health().flow is Flow.PAUSED
        assert ended.reason


def test_a_drain_does_not_wait_for_ever_for_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    actions.enqueue(message(Category.NOTICE), [recipient()], now=timezone.now())

    def full(*args: object) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(worker, "_AWAY_SECONDS", 0.1)
    monkeypatch.setattr(queue, "exchange", full)
    with running() as server:
        configure(server.port)
        ended = drain(threading.Event())
        assert server.messages == []
    assert ended.reason == "The database cannot be used: database or disk is full."
    assert queries.stats().states == {"queued": 1}
