"""From a stored mail to its outcome, once, whatever goes wrong between."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from depesche.mailroom.inbox import processing
from depesche.mailroom.inbox.handlers import Handled, IncomingMail
from depesche.mailroom.inbox.intake import store
from depesche.mailroom.inbox.models import Outcome, PoliteAnswer, ReceivedMessage

pytestmark = [pytest.mark.contract, pytest.mark.django_db]
HERE = "tests.mailroom.inbox.test_processing"


def mail(subject: str) -> bytes:
    return f"From: Alice <alice@example.org>\r\nSubject: {subject}\r\n\r\nText\r\n".encode()


class Handler:
    """Takes mails by their subject; leaves a row, so that a test sees whether its effect stands."""

    calls = 0

    def handle(self, mail: IncomingMail) -> Handled | None:
        type(self).calls += 1
        subject = mail.reading.mail.subject
        if subject == "not mine":
            return None
        PoliteAnswer.objects.create(address=subject, day=timezone.now().date())
        if subject == "boom":
            raise RuntimeError("canary-detail")
        if subject == "hold":
            return Handled(Outcome.HELD, "Who is it?", item="NW-1", proposal={"person": 7})
        return Handled(Outcome.COMMENT, "taken", item="NW-1", comment=5, text=mail.reading.text)

    def accept_held(self, mail: IncomingMail, proposal: Mapping[str, Any]) -> Handled:
        return Handled(Outcome.COMMENT, f"by {proposal['person']}", item="NW-1")


@pytest.fixture(autouse=True)
def _handlers(settings: Any) -> None:
    settings.DEPESCHE_INBOX_HANDLERS = [f"{HERE}.Handler"]
    Handler.calls = 0


def stored(subject: str) -> int:
    return store(mail(subject), source="pipe", now=timezone.now()).id


def row(received_id: int) -> ReceivedMessage:
    return ReceivedMessage.objects.get(pk=received_id)


def test_handled_once() -> None:
    received = stored("hello")
    assert processing.process(received).outcome is Outcome.COMMENT
    assert processing.process(received).outcome is Outcome.COMMENT
    kept = row(received)
    assert (kept.item, kept.comment, kept.from_address, kept.subject) == (
        "NW-1",
        5,
        "alice@example.org",
        "hello",
    )
    assert PoliteAnswer.objects.count() == 1


def test_nobodys_mail_is_kept_and_ignored() -> None:
    received = stored("not mine")
    assert processing.process(received).outcome is Outcome.IGNORED
    assert row(received).processed_at is not None


def test_a_mail_that_cannot_be_processed_is_set_aside_after_three_tries() -> None:
    received = stored("boom")
    for _ in range(processing.MAX_FAILURES):
        ReceivedMessage.objects.update(lease_until=None)
        handled = processing.process(received)
    assert handled.outcome is Outcome.FAILED
    assert row(received).outcome == Outcome.FAILED
    assert "canary" not in row(received).reason  # what Python says is for the log
    assert not PoliteAnswer.objects.exists()  # no half effect stands


def test_a_failed_try_waits_before_the_next() -> None:
    received = stored("boom")
    processing.process(received)
    processing.process(received)
    assert Handler.calls == 1


def test_a_mail_that_killed_its_process_is_tried_three_times_only() -> None:
    received = stored("hello")
    ReceivedMessage.objects.update(
        tries=processing.MAX_TRIES, lease_until=timezone.now() - timedelta(seconds=1)
    )
    assert processing.process(received).outcome is Outcome.FAILED
    assert Handler.calls == 0


def test_waiting_mails_go_on_behind_a_bad_one() -> None:
    bad, good = stored("boom"), stored("hello")
    assert processing.process_waiting() == 1
    assert row(bad).outcome == Outcome.WAITING
    assert row(good).outcome == Outcome.COMMENT


def test_what_another_process_works_on_is_left_alone() -> None:
    received = stored("hello")
    ReceivedMessage.objects.update(lease_until=timezone.now() + timedelta(minutes=1))
    assert processing.process(received).outcome is Outcome.WAITING
    assert Handler.calls == 0


def test_a_person_accepts_a_held_mail_once() -> None:
    received = stored("hold")
    assert processing.process(received).outcome is Outcome.HELD
    handled = processing.accept_held(received, by="Jana")
    assert (handled.outcome, handled.reason) == (Outcome.COMMENT, "by 7")
    assert row(received).decided_by == "Jana"
    with pytest.raises(processing.NotHeld):
        processing.accept_held(received, by="Emre")


def test_a_person_discards_a_held_mail() -> None:
    received = stored("hold")
    processing.process(received)
    processing.discard_held(received, by="Jana")
    assert row(received).outcome == Outcome.IGNORED
    with pytest.raises(processing.NotHeld):
        processing.discard_held(received, by="Jana")
    assert bytes(row(received).raw) == mail("hold")
