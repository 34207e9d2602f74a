"""The writer of a mail from an item hears that it did not arrive."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from depesche.mailformat.addresses import Address
from depesche.mailformat.delivery_report import Action
from depesche.mailformat.parse import ParsedMail, parse
from depesche.mailroom.outbox import actions as outbox
from depesche.mailroom.outbox.actions import Report
from depesche.mailroom.outbox.models import OutboxRecipient
from depesche.tracker.accounts.models import Person
from depesche.tracker.correspondence import undelivered, writing
from depesche.tracker.correspondence.models import MailedTo
from depesche.tracker.correspondence.personal_letter import Mail
from depesche.tracker.items import actions as items
from depesche.tracker.items.models import Comment, Item, Membership
from tests.tracker.correspondence.support import mails, raw_of

pytestmark = pytest.mark.django_db(transaction=True)
MAX = Address("Max Muster", "max@elsewhere.example")
ANN = Address("Ann", "ann@elsewhere.example")


@pytest.fixture
def comment(item: Item, people: dict[str, Person]) -> Comment:
    mail = Mail(to=[MAX], cc=[ANN], subject="A question", text="Could you look?")
    return writing.write(item, people["jana"], mail, now=timezone.now())


def comes_back(comment: Comment, to: Address) -> None:
    """As a server reports it days later."""
    row = MailedTo.objects.get(comment=comment, address=str(to))
    OutboxRecipient.objects.filter(pk=row.recipient).update(state="accepted", accepted_at=timezone.now())
    report = Report("", "", Action.FAILED, "5.1.1", "smtp; 550 no such user", recipient_id=row.recipient)
    assert outbox.apply_report(report, now=timezone.now()).state == "bounced"


def told(to: str = "jana@example.org") -> list[ParsedMail]:
    undelivered.TellWriters().run(timezone.now(), threading.Event())
    return [parse(raw_of(row)) for row in mails(to)]


def test_the_writer_is_told_once_whom_it_did_not_reach_and_why(comment: Comment, item: Item) -> None:
    assert told() == []
    comes_back(comment, MAX)
    (mail,) = told()
    assert mail.subject == f"[{item.key}] Not delivered: Coolant pump P-7"
    assert "Max Muster <max@elsewhere.example>: 5.1.1 smtp; 550 no such user" in " ".join(
        (mail.text or "").split()
    )
    assert "Ann" not in (mail.text or "")
    assert f"/{item.key}/#comment-{comment.pk}" in (mail.text or "")
    assert mail.header("auto-submitted") == "auto-generated"
    assert mail.header("list-unsubscribe-post")
    assert len(told()) == 1
    comes_back(comment, ANN)
    assert len(told()) == 2


@pytest.mark.parametrize("state", ["failed", "expired", "suppressed"])
def test_what_the_server_never_took_is_told_for_all_in_one_mail(comment: Comment, state: str) -> None:
    OutboxRecipient.objects.filter(address__endswith="elsewhere.example").update(
        state=state, reply="550 <b>no</b>"
    )
    (mail,) = told()
    assert "max@elsewhere.example" in (mail.text or "")
    assert "ann@elsewhere.example" in (mail.text or "")
    assert "<b>no</b>" not in (mail.html or "")


def test_by_the_preferences_that_hold_for_notices(
    comment: Comment, item: Item, people: dict[str, Person]
) -> None:
    comes_back(comment, MAX)
    items.mute(item, people["jana"])
    assert told() == []


@pytest.mark.parametrize("what", ["only_account_mails", "inactive", "no member"])
def test_whoever_may_not_or_will_not_read_it_is_not_told(
    comment: Comment, people: dict[str, Person], what: str
) -> None:
    comes_back(comment, MAX)
    if what == "no member":
        Membership.objects.filter(person=people["jana"]).delete()
    else:
        value = {"only_account_mails": True} if what == "only_account_mails" else {"is_active": False}
        Person.objects.filter(pk=people["jana"].pk).update(**value)
    assert told() == []


def test_it_speaks_the_writers_language(comment: Comment, people: dict[str, Person]) -> None:
    Person.objects.filter(pk=people["jana"].pk).update(language="de")
    comes_back(comment, MAX)
    (mail,) = told()
    assert "Nicht zugestellt" in mail.subject
    assert "hat diesen Empfänger nicht erreicht" in " ".join((mail.text or "").split())


def test_old_mails_are_not_looked_at_for_ever(comment: Comment) -> None:
    comes_back(comment, MAX)
    assert undelivered.tell(now=timezone.now() + timedelta(days=20)) == 0
