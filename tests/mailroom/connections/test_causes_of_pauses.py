"""The causes that no test of a connection shows, but a worker that cannot go on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from depesche.mailroom.connections import actions, health_actions, queries
from depesche.mailroom.connections.diagnosis.causes import code_of, explain
from depesche.mailroom.connections.diagnosis.pauses import cause_of_pause
from depesche.mailroom.outbox import actions as outbox
from depesche.mailroom.outbox.worker import drain
from depesche.smtpclient import ConnectionConfig, Encryption, Envelope, SubmissionError
from depesche.smtpclient.session import Session
from depesche.smtpclient.testing import Behaviour, FakeServer, in_thread
from depesche.smtpclient.wire.under_way import Learnt
from tests.mailroom.connections.provoking import provokes
from tests.mailroom.outbox.helpers import message, recipient
from tests.mailroom.outbox.servers import configure

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _alone(settings: Any) -> None:
    settings.DEPESCHE_WORKER_TASKS = []
    settings.DEPESCHE_RIGHTS_CHECK = ""


@pytest.fixture
def put() -> Callable[[int], list[int]]:
    def enqueue(count: int) -> list[int]:
        return outbox.enqueue(message(), [recipient() for _ in range(count)], now=timezone.now())

    return enqueue


@provokes("no-server")
def test_without_a_server_mails_wait(put: Any) -> None:
    put(1)
    assert drain(threading.Event()).accepted == 0
    cause = cause_of_pause(queries.health())
    assert cause.code == "no-server"


@provokes("not-configured")
def test_a_password_that_is_gone_is_missing_in_the_settings(put: Any) -> None:
    put(1)
    with in_thread(FakeServer()) as server:
        configure(server.port)
        actions.save_outgoing({"auth": "password", "username": "tracker"}, password="gone soon")
        actions.clear_outgoing_password()
        drain(threading.Event())
        assert server.messages == []
    cause = cause_of_pause(queries.health())
    assert cause.code == "not-configured"
    assert "No password is stored" in cause.sentence


@provokes("refused-alike")
def test_a_server_that_refuses_everybody_is_no_fault_of_theirs(put: Any) -> None:
    put(8)
    with in_thread(FakeServer(Behaviour(faults={"rcpt": "554 5.0.0 no"}))) as server:
        configure(server.port)
        drain(threading.Event())
    assert cause_of_pause(queries.health()).code == "refused-alike"


@provokes("chunking-failed")
async def test_a_server_that_announces_chunking_and_does_not_know_it() -> None:
    does = Behaviour(extensions=("PIPELINING", "CHUNKING"), knows_bdat=False)
    async with FakeServer(does) as server:
        config = ConnectionConfig("127.0.0.1", server.port, Encryption.NONE)
        session = Session(config, learnt=Learnt())
        await session.start()
        with pytest.raises(SubmissionError) as lost:
            await session.submit(Envelope("a@b.example", ("c@d.example",)), b"Subject: x\r\n\r\nx\r\n")
        await session.abort()
    assert explain(code_of(lost.value.cause, lost.value.stage)).code == "chunking-failed"


def test_a_server_that_falls_silent_is_no_firewall(put: Any) -> None:
    now = timezone.now()
    actions.save_outgoing({"host": "127.0.0.1", "system_address": "tracker@example.org"})
    for stage, code in (("connect", "timeout"), ("greeting", "silent"), ("tls", "silent"), ("", "timeout")):
        health_actions.pause(0, cause="timeout", stage=stage, next_probe_at=None, now=now)
        assert cause_of_pause(queries.health()).code == code
