"""The watch from one look to the next: each alarm is told once through each way, and once when it is over."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db import connection

from depesche.mailroom.connections import alarms, health_actions
from depesche.mailroom.connections.alarms import Alarm, Level
from depesche.mailroom.connections.watching import actions, queries, telling, webhook
from depesche.mailroom.connections.watching.models import AlarmOccurrence, AlarmTelling
from depesche.mailroom.connections.watching.occurrences import Standing, events_due
from depesche.mailroom.connections.watching.queries import AlarmWays
from depesche.mailroom.connections.watching.task import WatchMail
from depesche.mailroom.outbox.models import OutboxRecipient
from tests.support.http_receiver import Receiver, receiving
from tests.support.threads import at_once

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
NEVER = threading.Event()
WRONG: list[Alarm] = []


@pytest.fixture(autouse=True)
def _only_what_the_test_says(monkeypatch: pytest.MonkeyPatch) -> None:
    WRONG.clear()
    monkeypatch.setattr(alarms, "_sources", {"test": (0, lambda now: list(WRONG))})


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def look(minutes: float, task: WatchMail | None = None) -> None:
    (task or WATCH).run(at(minutes), NEVER)


WATCH = WatchMail()


def told(receiver: Receiver) -> list[tuple[str, str]]:
    return [(one.json["event"], one.json["code"]) for one in receiver.got]


def critical(code: str = "disk-full", about: str = "") -> Alarm:
    return Alarm(
        code, Level.CRITICAL, {"megabytes": 7, "place": "/srv"}, link="connections:status", about=about
    )


def test_once_when_it_began_and_once_when_it_is_over(db: Any, saved: Any) -> None:
    with receiving() as receiver:
        actions.save_alarm_ways({"webhook": receiver.url(), "secret": "s", "patience": "5"})
        WRONG.append(critical())
        for minute in (0, 1, 4):
            look(minute)
        assert told(receiver) == [], "not before it has lasted"
        for minute in (5, 6, 7):
            look(minute)
        assert told(receiver) == [("alarm", "disk-full")]
        WRONG.clear()
        look(8)
        assert len(receiver.got) == 1, "perhaps it comes back"
        for minute in (9, 10, 11):
            look(minute)
        assert told(receiver) == [("alarm", "disk-full"), ("over", "disk-full")]
        WRONG.append(critical())
        look(20)
        look(25)
        assert told(receiver)[2:] == [("alarm", "disk-full")], "a new occurrence"
        first, over, _again = (one.json for one in receiver.got)
    assert first["title"] == "The disk runs full"
    assert first["facts"] == {"megabytes": 7, "place": "/srv"}
    assert first["link"] == "https://tracker.example.org/mail/"
    assert first["server"] == "Nordlicht Tracker"
    assert (first["since"], first["over"]) == (NOW.isoformat(), None)
    assert over["over"] == at(8).isoformat()
    assert [one.over_at for one in queries.occurrences()] == [None, at(8)]
    ids = [one.headers["X-Depesche-Id"] for one in receiver.got]
    assert len(set(ids)) == 3


def test_what_is_over_soon_is_told_to_nobody_and_shown_all_the_same(db: Any) -> None:
    with receiving() as receiver:
        actions.save_alarm_ways({"webhook": receiver.url(), "patience": "5"})
        WRONG.append(critical())
        look(0)
        WRONG.clear()
        for minute in (1, 2, 3, 10):
            look(minute)
    assert not receiver.got
    (row,) = queries.occurrences()
    assert (row.over_at, row.told) == (at(1), ())


def test_an_alarm_that_flickers_is_one(db: Any) -> None:
    with receiving() as receiver:
        actions.save_alarm_ways({"webhook": receiver.url(), "patience": "0"})
        for second in range(0, 600, 20):
            WRONG[:] = [critical()] if second % 40 else []
            look(second / 60)
        assert told(receiver) == [("alarm", "disk-full")]
    assert AlarmOccurrence.objects.count() == 1


def test_a_receiver_that_is_down_gets_it_later_once(db: Any) -> None:
    with receiving(status=503) as receiver:
        actions.save_alarm_ways({"webhook": receiver.url(), "patience": "0"})
        WRONG.append(critical())
        look(0)
        look(0.5)
        assert len(receiver.got) == 1, "not before its pause is over"
        (row,) = queries.occurrences()
        assert row.told[0].state == "due"
        assert "503" in row.told[0].error
        receiver.status = 200
        for minute in (2, 3, 4):
            look(minute)
        assert len(receiver.got) == 2
    assert queries.occurrences()[0].told[0].state == "done"


def test_it_gives_up_after_a_day_and_says_so(db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def refused(*_: Any, **__: Any) -> webhook.Answer:
        tried.append(1)
        return webhook.Answer(500, "no")

    monkeypatch.setattr(webhook, "post", refused)
    actions.save_alarm_ways({"webhook": "https://hooks.example.org/x", "patience": "0"})
    WRONG.append(critical())
    for minute in range(0, 60 * 26, 15):
        look(minute)
    assert 20 < len(tried) < 40
    (row,) = queries.occurrences()
    assert (row.told[0].state, row.told[0].error) == ("given-up", "no")


def test_warnings_are_left_out_where_only_a_standstill_is_told(db: Any) -> None:
    with receiving() as receiver:
        actions.save_alarm_ways({"webhook": receiver.url(), "patience": "0", "level": "critical"})
        WRONG.append(Alarm("queue-grows", Level.WARNING, {"count": 1}))
        look(0)
        assert not receiver.got
        WRONG[:] = [Alarm("queue-grows", Level.CRITICAL, {"count": 1})]
        look(1)
    assert told(receiver) == [("alarm", "queue-grows")]


def test_what_grows_worse_is_told_once_more(db: Any) -> None:
    with receiving() as receiver:
        actions.save_alarm_ways({"webhook": receiver.url(), "patience": "0"})
        WRONG.append(Alarm("disk-full", Level.WARNING))
        look(0)
        WRONG[:] = [Alarm("disk-full", Level.CRITICAL)]
        for minute in (1, 2):
            look(minute)
    assert told(receiver) == [("alarm", "disk-full"), ("worse", "disk-full")]


def test_two_alarms_of_one_code_are_two(db: Any) -> None:
    with receiving() as receiver:
        actions.save_alarm_ways({"webhook": receiver.url(), "patience": "0"})
        WRONG.extend([critical(about="one"), critical(about="other")])
        look(0)
        look(1)
    assert len(receiver.got) == 2


@pytest.mark.both_databases
def test_one_of_many_processes_watches(db: Any) -> None:
    tasks = [WatchMail() for _ in range(4)]
    with receiving() as receiver:
        actions.save_alarm_ways({"webhook": receiver.url(), "patience": "0"})
        WRONG.append(critical())
        for minute in range(5):
            for task in tasks:
                look(minute / 3, task)
        assert len(receiver.got) == 1
        tasks[0].close()  # it ends: another one takes over
        WRONG.append(critical(about="more"))
        look(2, tasks[1])
        assert len(receiver.got) == 2


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_many_at_the_same_moment_tell_it_once() -> None:
    with receiving() as receiver:
        actions.save_alarm_ways({"webhook": receiver.url(), "patience": "0"})
        WRONG.append(critical())
        look(0)
        AlarmTelling.objects.update(state="due", done_at=None, next_at=NOW)
        receiver.got.clear()
        ways = queries.alarm_ways()
        at_once(lambda _name: telling.tell_due(ways, now=at(1)), 8)
        assert len(receiver.got) == 1


def test_by_mail_through_a_connection_that_works(db: Any, saved: Any, administrator: Any) -> None:
    actions.save_alarm_ways({"mail": "on", "patience": "0", "language": "de"})
    health_actions.pause(0, cause="auth-failed", next_probe_at=None, now=NOW)
    WRONG.append(critical())
    look(0)
    look(5)
    assert not mail.outbox, "nothing could carry it"
    health_actions.resume(0, now=at(6))
    look(10)
    look(11)
    (written,) = mail.outbox
    assert written.to == [administrator.email]
    assert written.subject == "Nordlicht Tracker: Der Datenträger läuft voll"
    assert "https://tracker.example.org/mail/" in written.body
    expires = datetime.fromisoformat(written.extra_headers["X-Depesche-Expires"])
    day = timedelta(days=1)  # what nobody was told for a day is no news
    assert expires in (at(10) + day, at(11) + day)


@pytest.mark.usefixtures("outbox_backend")
def test_all_administrators_get_a_mail_or_none_does(
    db: Any, saved: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = iter((EmailMessage.send, None))

    def send(one: EmailMessage) -> int:
        really = next(sent)
        if really is None:
            raise RuntimeError
        return int(really(one))

    monkeypatch.setattr(telling.EmailMessage, "send", send)
    ways = AlarmWays(mail=True, mail_to=("a@b.example", "c@d.example"))
    with pytest.raises(RuntimeError):
        telling.write("Full", "The disk is full.", ways, now=NOW)
    assert not OutboxRecipient.objects.exists(), "tried again, the first would get it twice"


def test_a_mail_about_what_is_over_is_not_written(db: Any, saved: Any) -> None:
    actions.save_alarm_ways({"mail": "on", "mail_to": "a@b.example", "patience": "0"})
    health_actions.pause(0, cause="auth-failed", next_probe_at=None, now=NOW)
    WRONG.append(critical())
    look(0)
    WRONG.clear()
    health_actions.resume(0, now=at(1))
    look(1)
    look(3)
    look(30)
    assert not mail.outbox
    assert queries.occurrences()[0].told[0].state == "dropped"


def test_a_way_that_was_switched_off_tells_nothing_more(db: Any) -> None:
    with receiving(status=500) as receiver:
        actions.save_alarm_ways({"webhook": receiver.url(), "patience": "0"})
        WRONG.append(critical())
        look(0)
        actions.save_alarm_ways({}, clear_webhook=True)
        look(2)
        assert len(receiver.got) == 1


def test_nothing_is_written_while_nothing_changes(db: Any) -> None:
    from django.test.utils import CaptureQueriesContext

    WRONG.append(critical())
    look(0)
    with CaptureQueriesContext(connection) as captured:
        look(0.4)
    written = [one["sql"] for one in captured if one["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert [sql.split()[1] for sql in written if "watchlease" not in sql] == []


def test_the_decision() -> None:
    minutes = timedelta(minutes=5)

    def due(
        level: Level, told: dict[str, str], *, over: bool = False, first: Level = Level.WARNING
    ) -> list[str]:
        one = Standing(level, first, NOW, over, told)
        return events_due(one, least=Level.WARNING, patience=minutes, now=at(10))

    assert due(Level.WARNING, {}) == ["alarm"]
    assert due(Level.WARNING, {"alarm": "due"}) == []
    assert due(Level.CRITICAL, {"alarm": "due"}) == []
    assert due(Level.CRITICAL, {"alarm": "done"}) == ["worse"]
    assert due(Level.CRITICAL, {"alarm": "done", "worse": "done"}) == []
    assert due(Level.WARNING, {}, over=True) == []
    assert due(Level.WARNING, {"alarm": "due"}, over=True) == []
    assert due(Level.WARNING, {"alarm": "given-up"}, over=True) == []
    assert due(Level.WARNING, {"alarm": "done"}, over=True) == ["over"]
    assert due(Level.WARNING, {"alarm": "done", "over": "done"}, over=True) == []
