"""Reminders: one a day, early enough, from the system address."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.mailformat.parse import parse
from depesche.mailroom.outbox import queries as outbox
from depesche.tracker.accounts import actions as accounts
from depesche.tracker.accounts.models import Person
from depesche.tracker.items import actions as items
from depesche.tracker.items.models import Workspace
from depesche.tracker.notifications import due, reminders
from depesche.tracker.notifications.models import Reminder
from tests.tracker.support import make_person, make_workspace

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
TODAY = NOW.date()
STOP = threading.Event()

days = st.dates(date(2026, 1, 1), date(2028, 1, 1))
weekdays = st.sets(st.integers(0, 6), min_size=1)


@given(days, st.integers(0, 14), weekdays)
def test_everybody_is_warned_early_enough(due_day: date, lead: int, chosen: set[int]) -> None:
    """On the last chosen day that is at least the lead ahead, at the latest; and on each chosen day from
    then on."""
    reminded = [
        day
        for ahead in range(-7, lead + 8)
        if (day := due_day - timedelta(days=ahead)).weekday() in chosen
        and due.is_in_reminder(due_day, day, lead_days=lead, weekdays=chosen)
    ]
    first = min(reminded)
    assert due_day - first >= timedelta(days=lead)
    assert due_day - first < timedelta(days=lead + 7)
    assert all(due.next_day(day, chosen) in reminded for day in reminded if day < max(reminded))


def test_the_trap_of_mondays_and_thursdays() -> None:
    friday, thursday, monday = date(2026, 11, 27), date(2026, 11, 26), date(2026, 11, 23)
    assert due.is_in_reminder(friday, monday, lead_days=3, weekdays={0, 3})
    assert due.is_in_reminder(friday, thursday, lead_days=3, weekdays={0, 3})
    assert not due.is_in_reminder(friday, date(2026, 11, 19), lead_days=3, weekdays={0, 3})


def test_without_days_there_is_no_next_one() -> None:
    with pytest.raises(ValueError, match="no day"):
        due.next_day(TODAY, set())


@pytest.fixture
def jana() -> Person:
    return make_person("jana", language="de")


@pytest.fixture
def workspace(jana: Person) -> Workspace:
    return make_workspace("NW", jana)


def make(workspace: Workspace, person: Person, title: str, ahead: int, **fields: object) -> None:
    items.create_item(
        workspace,
        author=person,
        responsible=person,
        title=title,
        due=TODAY + timedelta(days=ahead),
        now=NOW - timedelta(days=9),
        **fields,  # type: ignore[arg-type]  # state, in these tests
    )


@pytest.mark.contract
@pytest.mark.django_db(transaction=True)
def test_one_mail_with_all_that_is_due(jana: Person, workspace: Workspace) -> None:
    make(workspace, jana, "Late", -2)
    make(workspace, jana, "Today", 0)
    make(workspace, jana, "Soon", 3)
    make(workspace, jana, "Far", 4)
    make(workspace, jana, "Done already", -1, state="done")
    assert reminders.remind(now=NOW) == 1
    assert reminders.remind(now=NOW) == 0
    (row,) = outbox.recipients()
    assert (row.category, row.recipient) == ("reminder", "jana@example.org")
    assert Reminder.objects.get().recipient == row.id
    raw = outbox.raw_mail(row.id)
    assert raw is not None
    mail = parse(raw)
    assert mail.subject == "Erinnerung: 1 Vorgang überfällig, 2 Vorgänge bald fällig"
    assert mail.reply_to == ()
    text = mail.text or ""
    assert text.index("Late") < text.index("Today") < text.index("Soon")
    assert "fällig am Samstag, 21. November 2026 (2 Tage überfällig)" in text
    assert "Far" not in text
    assert "Done already" not in text
    detail = outbox.recipient(row.id)
    assert detail is not None
    assert detail.sender == "system"
    assert reminders.remind(now=NOW + timedelta(days=1)) == 1


@pytest.mark.django_db
def test_who_gets_no_reminder(jana: Person, workspace: Workspace) -> None:
    make(workspace, jana, "Due", 0)
    accounts.change_person(jana, only_account_mails=True)
    assert reminders.remind(now=NOW) == 0
    accounts.change_person(jana, only_account_mails=False)
    items.remove_member(workspace, jana)
    assert reminders.remind(now=NOW) == 0
    items.add_members(workspace, [jana])
    accounts.deactivate(jana)
    assert reminders.remind(now=NOW) == 0
    accounts.activate(jana)
    assert reminders.remind(now=NOW) == 1


@pytest.mark.django_db
def test_the_worker_reminds_in_the_morning_of_what_was_there_by_then(
    jana: Person, workspace: Workspace
) -> None:
    task = reminders.SendReminders()
    make(workspace, jana, "Due", 0)
    assert task.run(NOW.replace(hour=5), STOP) == 0
    assert task.run(NOW.replace(hour=6), STOP) == 1
    assert task.run(NOW.replace(hour=7), STOP) == 0
    tomasz = make_person("tomasz")
    items.add_members(workspace, [tomasz])
    items.create_item(workspace, author=tomasz, responsible=tomasz, title="New", due=TODAY, now=NOW)
    assert task.run(NOW, STOP) == 0
    assert task.run(NOW + timedelta(days=1), STOP) == 2


@pytest.mark.django_db
def test_a_very_long_list_is_cut_and_says_so(jana: Person, workspace: Workspace) -> None:
    for number in range(103):
        make(workspace, jana, f"Item {number}", -1)
    assert reminders.remind(now=NOW) == 1
    raw = outbox.raw_mail(outbox.recipients()[0].id)
    assert raw is not None
    assert "und 3 weitere Vorgänge" in (parse(raw).text or "")
    assert len(raw) < 100_000
