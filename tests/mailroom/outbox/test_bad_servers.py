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
from depesche.smtpclient.testing.server import Act, Behaviour, Connection
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


@pytest.mark.parametrize("stage", ["rcpt", "content"])
@pytest.mark.parametrize("reply", ["554 5.4.0 Error: too many hops", "554 5.6.0 Too many attachments"])
def test_one_mail_with_too_many_of_something_stops_nobody(stage: str, reply: str) -> None:
    """It is about this mail and final; taken for too many connections, it came again until all rested."""
    actions.enqueue(message(Category.NOTICE), [recipient() for _ in range(12)], now=timezone.now())
    asked: list[str] = []

    def decide(where: str, connection: Connection, argument: str) -> Act:
        if where != stage or (seen := len(asked)) > 1:
            return None
        asked.append(argument)
        return reply if seen else None  # the second one alone

    with running(Behaviour(decide=decide)) as server:
        configure(server.port, max_connections=1)
        assert drain(threading.Event()).accepted == 11
    assert queries.stats().states == {"accepted": 11, "failed": 1}
    assert connections.health().flow is Flow.FLOWING


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
