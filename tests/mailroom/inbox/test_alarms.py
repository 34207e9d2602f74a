"""What the inbox calls an alarm: silence measured by its own history, and what nobody processes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.mailroom.connections import actions as connections
from depesche.mailroom.connections.watching import actions as watching
from depesche.mailroom.inbox import intake, standing
from depesche.mailroom.inbox.models import Outcome, ReceivedMessage

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)  # a Friday
HOUR = timedelta(hours=1)


@pytest.fixture
def mailbox(db: Any) -> None:
    connections.save_incoming({"protocol": "imap", "host": "imap.example.org", "username": "t"}, password="x")


def arrive(times: list[datetime]) -> None:
    for number, moment in enumerate(times):
        intake.store(f"Subject: {number} {moment}\r\n\r\n".encode(), source="imap", now=moment)
    ReceivedMessage.objects.update(processed_at=NOW, outcome=Outcome.IGNORED)


def working_days(weeks: int = 4, per_day: int = 4) -> list[datetime]:
    """Mails in working hours, Monday to Friday, up to yesterday."""
    days = [NOW - timedelta(days=back) for back in range(weeks * 7, 0, -1)]
    return [
        day.replace(hour=8) + timedelta(hours=2 * number)
        for day in days
        if day.weekday() < 5
        for number in range(per_day)
    ]


def codes(now: datetime) -> list[str]:
    return [one.code for one in standing.alarms(now)]


@pytest.mark.usefixtures("mailbox")
def test_a_weekend_is_no_silence_and_a_week_is() -> None:
    times = working_days()
    arrive(times)
    last = times[-1]
    assert codes(last + 60 * HOUR) == []
    silent = last + timedelta(days=6)
    (alarm,) = standing.alarms(silent)
    assert (alarm.code, alarm.since) == ("inbox-silent", last)
    assert alarm.facts == {"hours": 144, "usual": 99}
    watching.save_alarm_ways({"silence": "off"})
    assert codes(silent) == []


@pytest.mark.usefixtures("mailbox")
def test_one_outage_is_not_learnt_as_usual() -> None:
    times = [NOW - timedelta(hours=back) for back in range(600, 0, -1) if not 200 < back < 400]
    arrive(times)
    assert codes(NOW + timedelta(hours=5)) == []
    assert codes(NOW + timedelta(hours=7)) == ["inbox-silent"]


@pytest.mark.usefixtures("mailbox")
def test_too_little_history_says_nothing() -> None:
    arrive([NOW - timedelta(days=back) for back in range(15, 0, -1)])
    assert codes(NOW + timedelta(days=20)) == []


def test_without_a_mailbox_nobody_expects_mail(db: Any) -> None:
    arrive(working_days())
    assert codes(NOW + timedelta(days=10)) == []


def test_mails_that_nobody_processes(db: Any) -> None:
    intake.store(b"Subject: x\r\n\r\n", source="pipe", now=NOW)
    assert codes(NOW + timedelta(minutes=14)) == []
    (alarm,) = standing.alarms(NOW + timedelta(minutes=16))
    assert (alarm.code, alarm.facts) == ("inbox-stuck", {"minutes": 16})


def test_many_that_wait_for_a_person(db: Any) -> None:
    arrive([NOW - timedelta(minutes=number) for number in range(20)])
    ReceivedMessage.objects.update(outcome=Outcome.HELD)
    assert codes(NOW) == ["inbox-held"]


@given(st.lists(st.integers(0, 28 * 24 * 3600), max_size=60))
def test_the_usual_silence_is_never_short_and_never_longer_than_half_again_the_longest(
    seconds: list[int],
) -> None:
    times = sorted(NOW - timedelta(seconds=one) for one in seconds)
    usual = standing.usual_silence(times)
    if usual is not None:
        longest = max(after - before for before, after in pairwise(times))
        assert timedelta(hours=6) <= usual <= max(longest * 1.5, timedelta(hours=6))
