"""A complaint ends the mails that it is about, for whom the Message-ID says."""

from __future__ import annotations

import pytest
from django.utils import timezone

from depesche.mailroom.connections.models import OutgoingConnection
from depesche.mailroom.inbox.handlers import Handled
from depesche.mailroom.inbox.models import Outcome
from depesche.mailroom.outbox import actions as outbox
from depesche.mailroom.outbox.actions import Category
from depesche.tracker.accounts.models import Person
from depesche.tracker.items import actions as items
from depesche.tracker.items.models import Item, Watcher
from tests.mailroom.outbox.helpers import message, recipient
from tests.tracker.correspondence.test_handler import take
from tests.tracker.support import make_person, make_workspace

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]


@pytest.fixture
def person() -> Person:
    OutgoingConnection.objects.create(host="smtp.example.org", system_address="tracker@example.org")
    return make_person("tomasz")


@pytest.fixture
def item(person: Person) -> Item:
    return items.create_item(make_workspace("NW", person), author=person, title="Pump", description="Hm.")


def sent(person: Person, key: str, category: Category = Category.NOTICE) -> str:
    to = recipient(person.email, person=str(person.pk))
    outbox.enqueue(message(category, item=key), [to], now=timezone.now())
    return to.message_id


def complaint(message_id: str, kind: str = "abuse") -> bytes:
    return (
        "From: feedback@provider.example\r\nTo: tracker@example.org\r\nSubject: complaint\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\n\r\nThis is a spam report.\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: {kind}\r\nUser-Agent: x/1\r\nVersion: 1\r\n"
        "Original-Rcpt-To: tomasz@example.org\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
        f"From: tracker@example.org\r\nTo: tomasz@example.org\r\nMessage-ID: {message_id}\r\n\r\n"
        "Hi\r\n--b--\r\n"
    ).encode()


def is_muted(item: Item, person: Person) -> bool:
    return Watcher.objects.filter(item=item, person=person, kind=Watcher.Kind.MUTED).exists()


def test_about_an_item_it_mutes_the_item(item: Item, person: Person) -> None:
    handled: Handled = take(complaint(sent(person, item.key)))
    assert (handled.outcome, handled.item) == (Outcome.REPORT, item.key)
    assert is_muted(item, person)
    person.refresh_from_db()
    assert not person.only_account_mails


def test_about_no_item_it_leaves_account_mails(item: Item, person: Person) -> None:
    take(complaint(sent(person, "", Category.REMINDER)))
    person.refresh_from_db()
    assert person.only_account_mails
    assert not is_muted(item, person)


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure"])
def test_other_reports_of_providers_change_nothing(item: Item, person: Person, kind: str) -> None:
    assert take(complaint(sent(person, item.key), kind)).outcome == Outcome.REPORT
    assert not is_muted(item, person)


def test_by_address_alone_nothing_changes(item: Item, person: Person) -> None:
    sent(person, item.key)
    handled = take(complaint("<guessed@example.org>"))
    assert handled.outcome == Outcome.REPORT
    assert not is_muted(item, person)
    person.refresh_from_db()
    assert not person.only_account_mails
