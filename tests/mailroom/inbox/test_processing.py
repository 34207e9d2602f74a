"""From a stored mail to its outcome, once, whatever goes wrong between."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone, translation

from depesche.mailformat.reading import Reading
from depesche.mailformat.reading import read as read_here
from depesche.mailroom.inbox import processing, queries, reader
from depesche.mailroom.inbox.handlers import Choice, Handled, IncomingMail, Sentence
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

    def choices(self, proposal: Mapping[str, Any]) -> Sequence[Choice]:
        return [Choice("comment", "Add to NW-1 as a comment"), Choice("block", "Block them", dangerous=True)]

    def accept_held(
        self, mail: IncomingMail, proposal: Mapping[str, Any], *, choice: str = "", by: str = ""
    ) -> Handled:
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


def test_a_worker_that_lost_its_claim_has_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was so slow that its lease ran out and another one took the mail."""
    received = stored("hello")

    def slow(raw: bytes) -> Reading:
        monkeypatch.setattr(reader, "read", read_here)
        ReceivedMessage.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        assert processing.process(received).outcome is Outcome.COMMENT
        return read_here(raw)

    monkeypatch.setattr(reader, "read", slow)
    assert processing.process(received).outcome is Outcome.COMMENT  # what the other one recorded
    assert Handler.calls == 1
    assert PoliteAnswer.objects.count() == 1


def test_what_a_killed_process_held_is_free_at_once() -> None:
    received = stored("hello")
    code = "from depesche.mailroom.connections import identity; print(identity.new_owner())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ReceivedMessage.objects.update(
        lease_owner=done.stdout.strip(), lease_until=timezone.now() + timedelta(minutes=1)
    )
    assert processing.process_waiting() == 1
    assert row(received).outcome == Outcome.COMMENT


def test_whoever_stores_a_mail_may_process_it_first() -> None:
    kept = store(mail("hello"), source="pipe", claim=True, now=timezone.now())
    assert processing.process_waiting() == 0
    assert processing.process(kept.id, claim=kept.claim).outcome is Outcome.COMMENT
    assert processing.process(kept.id, claim=kept.claim).outcome is Outcome.COMMENT
    assert Handler.calls == 1


def test_a_mail_that_was_encoded_anew_on_its_way_has_effect_once() -> None:
    head = "From: Alice <alice@example.org>\r\nMessage-ID: <1@example.org>\r\nSubject: {}\r\n"
    plain = head.format("hello") + "Content-Type: text/plain; charset=utf-8\r\n{}\r\n{}\r\n"
    first = plain.format("Content-Transfer-Encoding: 8bit\r\n", "Grüße").encode()
    second = plain.format("Content-Transfer-Encoding: quoted-printable\r\n", "Gr=C3=BC=C3=9Fe").encode()
    one = store(first, source="imap", now=timezone.now())
    two = store(second, source="pipe", now=timezone.now())
    assert two.new
    assert processing.process(one.id).outcome is Outcome.COMMENT
    handled = processing.process(two.id)
    assert (handled.outcome, Handler.calls) == (Outcome.IGNORED, 1)
    assert "another way" in handled.reason


def test_the_same_words_in_two_mails_are_two_mails() -> None:
    for number in (1, 2):
        raw = f"From: a@example.org\r\nMessage-ID: <{number}@x>\r\nSubject: m{number}\r\n\r\nYes\r\n".encode()
        assert processing.process(store(raw, source="pipe", now=timezone.now()).id).outcome is Outcome.COMMENT


def test_a_database_that_fails_is_not_held_against_the_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    received = stored("hello")
    monkeypatch.setattr(
        Handler, "handle", lambda *_: (_ for _ in ()).throw(OperationalError("database is locked"))
    )
    for _ in range(processing.MAX_TRIES + 3):
        ReceivedMessage.objects.update(lease_until=None)
        with pytest.raises(OperationalError):
            processing.process(received)
    monkeypatch.undo()
    ReceivedMessage.objects.update(lease_until=None)
    assert processing.process(received).outcome is Outcome.COMMENT


@pytest.mark.parametrize("trouble", list(reader.Trouble))
def test_a_mail_that_cannot_be_read_is_set_aside_at_once(
    trouble: reader.Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    received = stored("hostile")
    monkeypatch.setattr(reader, "read", lambda _: (_ for _ in ()).throw(reader.Unreadable(trouble)))
    assert processing.process(received).outcome is Outcome.FAILED
    kept = row(received)
    assert (kept.from_address, kept.subject) == ("alice@example.org", "hostile")
    assert kept.reason == processing.NOT_READ[trouble]


def test_reasons_are_said_in_the_readers_language() -> None:
    received = stored("not mine")
    processing.process(received)
    (shown,) = queries.received()
    assert shown.reason == processing.NOBODYS
    with translation.override("de"):
        assert shown.reason not in ("", processing.NOBODYS)


def test_a_sentence_takes_any_values() -> None:
    sentence = Sentence("Nobody with the address %(address)s is known.", address="100%s@x")
    assert str(sentence) == "Nobody with the address 100%s@x is known."
    assert sentence.in_words() == str(sentence)
    assert Sentence("100 % sure").in_words() == "100 % sure"


def test_a_rejected_mail_is_processed_again_when_a_person_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    received = stored("hello")
    with monkeypatch.context() as patched:
        patched.setattr(Handler, "handle", lambda *_: Handled(Outcome.REJECTED, "Nobody is known."))
        assert processing.process(received).outcome is Outcome.REJECTED
    assert processing.replay(received, by="Jana").outcome is Outcome.COMMENT
    with pytest.raises(processing.NotReplayable):
        processing.replay(received, by="Jana")
    assert PoliteAnswer.objects.count() == 1


def test_the_task_stops_between_two_mails() -> None:
    for number in range(3):
        stored(f"m{number}")
    stop = threading.Event()
    stop.set()
    assert processing.ProcessMails().run(timezone.now(), stop) == 0
    assert processing.ProcessMails().run(timezone.now(), threading.Event()) == 3
