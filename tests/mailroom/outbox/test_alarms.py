"""What the outbox calls an alarm."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from depesche.mailroom.connections import actions as connections
from depesche.mailroom.connections import health_actions
from depesche.mailroom.connections.alarms import Level
from depesche.mailroom.connections.watching import actions as watching
from depesche.mailroom.connections.watching.models import WaitingSample
from depesche.mailroom.outbox import standing
from depesche.mailroom.outbox.models import OutboxRecipient, WorkerPresence
from depesche.mailroom.outbox.states import State
from tests.mailroom.outbox.helpers import NOW, enqueue, later

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def _configured(db: Any) -> None:
    connections.save_outgoing({"host": "smtp.example.org", "system_address": "t@example.org"})


@pytest.fixture
def worker(db: Any) -> None:
    WorkerPresence.objects.create(owner="w", seen_until=later(10**7))


def codes(now: datetime = NOW) -> dict[str, Level]:
    return {one.code: one.level for one in standing.alarms(now)}


def test_no_worker_is_worse_while_mails_are_due() -> None:
    assert codes() == {"no-worker": Level.WARNING}
    enqueue(1)
    assert codes(later(1)) == {"no-worker": Level.CRITICAL}
    WorkerPresence.objects.create(owner="w", seen_until=later(10))
    assert codes(later(1)) == {}
    assert codes(later(11)) == {"no-worker": Level.CRITICAL}


@pytest.mark.usefixtures("worker")
def test_late_mails_but_not_while_paused_or_before_their_time() -> None:
    enqueue(3)
    assert codes(later(15 * 60)) == {}
    (late,) = standing.alarms(later(16 * 60))
    assert (late.code, late.level, late.since, late.facts) == (
        "mails-late",
        Level.CRITICAL,
        NOW,
        {"minutes": 16},
    )
    watching.save_alarm_ways({"late": "30"})
    assert codes(later(16 * 60)) == {}
    watching.save_alarm_ways({"late": "1"})
    health_actions.pause(0, cause="refused", next_probe_at=None, now=NOW)
    assert codes(later(16 * 60)) == {}
    health_actions.resume(0, now=NOW)
    OutboxRecipient.objects.update(state=State.DEFERRED, next_attempt_at=later(3600))
    assert codes(later(3000)) == {}


@pytest.mark.usefixtures("worker")
def test_a_queue_that_grows() -> None:
    for minute in range(14):
        count = 100 + 40 * minute
        WaitingSample.objects.create(at=NOW + timedelta(minutes=minute), waiting=count)
    (grows,) = standing.alarms(NOW + timedelta(minutes=14))
    assert (grows.code, grows.facts) == ("queue-grows", {"before": 100, "count": 620})
    assert "100" in grows.words.why
    WaitingSample.objects.create(at=NOW + timedelta(minutes=14), waiting=10)
    assert codes(NOW + timedelta(minutes=15)) == {}


@pytest.mark.usefixtures("worker")
def test_what_piles_up_for_a_person() -> None:
    enqueue(10)
    OutboxRecipient.objects.update(state=State.HELD)
    assert codes() == {"mails-held": Level.WARNING}
    enqueue(20)
    OutboxRecipient.objects.filter(state=State.QUEUED).update(state=State.FAILED, updated_at=NOW)
    assert codes() == {"mails-held": Level.WARNING, "mails-fail": Level.WARNING}
    assert codes(later(25 * 3600)) == {"mails-held": Level.WARNING}, "they failed long ago"


def test_how_many_wait_is_written_down_once_a_minute() -> None:
    enqueue(3)
    for second in (0, 20, 40, 60):
        watching.note_waiting(standing.waiting, now=later(second))
    assert list(WaitingSample.objects.order_by("at").values_list("waiting", flat=True)) == [3, 3]
