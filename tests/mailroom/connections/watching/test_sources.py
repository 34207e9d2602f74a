"""What the connections themselves call an alarm."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from depesche.mailroom.connections import actions, alarms
from depesche.mailroom.connections.alarms import Level
from depesche.mailroom.connections.watching import sources, task

IMAP = {"protocol": "imap", "host": "imap.example.org", "username": "t"}


def way_in(minutes: float = 0) -> list[tuple[str, Level, str]]:
    now = timezone.now() + timedelta(minutes=minutes)
    return [(one.code, one.level, str(one.facts.get("host", ""))) for one in sources.way_in(now)]


def test_a_mailbox_that_fails_or_that_nobody_reads(db: Any) -> None:
    assert way_in() == []
    actions.save_incoming(IMAP, password="x")
    assert way_in(60) == [], "nobody has begun yet"
    actions.note_polled(timezone.now())
    assert way_in(14) == []
    assert way_in(16) == [("mailbox-unread", Level.WARNING, "imap.example.org")]
    actions.note_polled(timezone.now(), error="login: 535 no")
    assert way_in() == [("mailbox-fails", Level.CRITICAL, "imap.example.org")]
    assert "535 no" in next(iter(sources.way_in(timezone.now()))).words.why


def test_each_of_several_mailboxes_is_an_alarm_of_its_own(db: Any) -> None:
    actions.save_incoming(IMAP, password="x")
    actions.save_incoming({**IMAP, "name": "Support", "username": "s"}, password="x", place=1)
    for place in (0, 1):
        actions.note_polled(timezone.now(), error="refused", place=place)
    assert [host for _code, _level, host in way_in()] == ["imap.example.org", "Support (imap.example.org)"]
    assert len({one.key for one in sources.way_in(timezone.now())}) == 2


def test_items_by_mail_without_a_mailbox(saved: Any) -> None:
    actions.save_outgoing({"items_by_mail": "on"})
    assert [code for code, _level, _host in way_in()] == ["no-mailbox"]
    actions.save_incoming({"protocol": "pipe"})
    assert way_in() == []


@pytest.mark.django_db(transaction=True)
def test_a_web_process_looks_where_no_worker_does(monkeypatch: pytest.MonkeyPatch) -> None:
    from depesche.mailroom.connections.watching.queries import occurrences
    from tests.support.waiting import wait_until

    monkeypatch.setattr(task, "SECONDS", 0.05)
    monkeypatch.setattr(
        alarms, "_sources", {"x": (0, lambda now: [alarms.Alarm("no-worker", Level.CRITICAL)])}
    )
    watch = task.WatchThread()
    watch.start()
    try:
        wait_until(lambda: [one.code for one in occurrences()] == ["no-worker"], "the alarm")
    finally:
        watch.stop()
