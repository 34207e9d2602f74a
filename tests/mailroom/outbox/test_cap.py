"""The cap, while workers come and go: no connection begins on a slot that is being given up (M17)."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

import pytest
from django.db import OperationalError

from depesche.mailroom.outbox import slots
from depesche.smtpclient.testing.server import Behaviour
from tests.mailroom.outbox.servers import configure, message_ids, running
from tests.mailroom.outbox.working import put, states, worker
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.usefixtures("alone"), pytest.mark.django_db(transaction=True), pytest.mark.contract]


@pytest.mark.parametrize("fails", [False, True])
def test_the_cap_holds_when_a_beat_takes_long(fails: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk, or a busy machine: others have long what this worker gave up, and it does not know. Or it
    hears that it failed, though it was written.
    """
    beat, count = slots.beat, iter(range(10**6))

    def slow(owner: str, **values: Any) -> slots.Grant:
        grant = beat(owner, **values)
        threading.Event().wait(0.3)  # longer than a connection takes to open
        if fails and next(count) % 5 == 4:
            raise OperationalError("the connection was closed")
        return grant

    monkeypatch.setattr(slots, "beat", slow)
    with running(Behaviour(reply_delay=0.1)) as server:
        configure(server.port, max_connections=4)
        put(30)
        with contextlib.ExitStack() as workers:
            for _ in range(4):
                workers.enter_context(worker())
            wait_until(lambda: states() == {"accepted": 30}, "all mails", timeout=60)
    assert server.high_water <= 4
    assert set(message_ids(server).values()) == {1}
