"""Which settings an accepted mail speaks for: those that it was begun under."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from depesche.mailroom.connections import actions as connection_actions
from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections.history import queries as history
from depesche.mailroom.outbox.delivery import Delivery
from depesche.mailroom.outbox.orders import Orders
from depesche.smtpclient.testing.server import Act, Behaviour
from tests.mailroom.outbox.servers import running
from tests.mailroom.outbox.working import put, worker
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]


@pytest.fixture
def _work(alone: None) -> Iterator[None]:
    with worker():
        yield


@pytest.fixture
def ordered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ports to which the worker's loop was told to submit."""
    told: list[int] = []
    order = Delivery.order

    def listening(self: Delivery, orders: Orders) -> None:
        order(self, orders)
        told.append(orders.settings.port)

    monkeypatch.setattr(Delivery, "order", listening)
    return told


def save(port: int) -> None:
    connection_actions.save_outgoing(
        {
            "host": "127.0.0.1",
            "port": str(port),
            "encryption": "none",
            "auth": "none",
            "system_address": "tracker@example.org",
        }
    )


def known_to_work() -> list[bool]:
    return [one.worked_at is not None for one in history.changes("outgoing")]


@pytest.mark.usefixtures("_work")
def test_a_slow_mail_of_the_settings_before_vouches_for_none_of_now(ordered: list[int]) -> None:
    arrived, released = threading.Event(), threading.Event()

    def hesitate(content: bytes) -> Act:
        arrived.set()
        released.wait(60)
        return None

    with running(Behaviour(judge=hesitate)) as slow, running() as good:
        save(slow.port)
        put()
        try:
            assert arrived.wait(20)
            save(good.port)
            wait_until(lambda: good.port in ordered, "the worker has the new settings")
        finally:
            released.set()
        wait_until(lambda: connections.health().last_accepted_at is not None, "the slow mail is accepted")
        assert known_to_work() == [False, False]
        put()
        wait_until(lambda: known_to_work() == [True, False], "the new settings are known to work")
