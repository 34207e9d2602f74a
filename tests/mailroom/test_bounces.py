"""A delivery report reaches the very recipient of the very mail, and nobody by address alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from depesche.mailformat.reading import read
from depesche.mailroom.bounces import _MOST, BounceHandler, reports_in
from depesche.mailroom.inbox import intake, processing
from depesche.mailroom.inbox.handlers import Handled, IncomingMail, Sentence
from depesche.mailroom.inbox.models import Outcome
from depesche.mailroom.outbox import actions, queries, queue
from depesche.mailroom.outbox.actions import NewRecipient
from depesche.mailroom.outbox.queue import Recorded
from depesche.mailroom.outbox.return_path import ReturnPaths
from depesche.mailroom.outbox.states import State
from tests.mailroom.outbox.helpers import message, recipient

pytestmark = [pytest.mark.contract, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _handlers(settings: Any) -> None:
    settings.DEPESCHE_INBOX_HANDLERS = ["depesche.mailroom.bounces.BounceHandler"]


def accepted(*recipients: NewRecipient) -> list[int]:
    now = timezone.now()
    ids = actions.enqueue(message(), list(recipients), now=now)
    claimed = queue.claim("x", len(ids), now)
    queue.record(
        "x",
        [
            Recorded(one.id, one.attempt, State.ACCEPTED, 250, "250 ok", "content", now, now)
            for one in claimed
        ],
        now,
    )
    return ids


def report(
    *rows: tuple[str, str, str],
    returned: str = "",
    extra: str = "",
    sender: str = "MAILER-DAEMON@example.net",
) -> bytes:
    blocks = "".join(
        f"\r\nFinal-Recipient: rfc822; {address}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; 550 {status} no such user\r\n"
        for address, action, status in rows
    )
    original = (
        "--b\r\nContent-Type: message/rfc822\r\n\r\n"
        f"From: tracker@example.org\r\nMessage-ID: {returned}\r\n\r\nHello\r\n"
        if returned
        else ""
    )
    return (
        f"From: {sender}\r\nTo: tracker@example.org\r\n"
        f"Subject: Undelivered Mail Returned to Sender\r\n{extra}"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\n\r\nI am sorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n"
        f"{blocks}{original}--b--\r\n"
    ).encode()


def receive(raw: bytes) -> Handled:
    stored = intake.store(raw, source="pipe", envelope_sender="", now=timezone.now())
    return processing.process(stored.id)


def states(ids: list[int]) -> list[str]:
    rows = queries.by_ids(ids)
    return [str(rows[one].state) for one in ids]


@pytest.mark.parametrize(
    ("action", "status", "after"),
    [("failed", "5.1.1", "bounced"), ("delayed", "4.4.1", "delayed"), ("delivered", "2.0.0", "delivered")],
)
def test_applied_to_the_recipient_that_it_names(action: str, status: str, after: str) -> None:
    one, two = recipient("a@example.net"), recipient("b@example.net")
    ids = accepted(one, two)
    handled = receive(report((one.address, action, status), returned=one.message_id))
    assert handled.outcome is Outcome.REPORT
    assert handled.item == "NW-1"
    assert isinstance(handled.reason, Sentence)
    assert "a@example.net" in handled.reason
    assert states(ids) == [after, "accepted"]
    assert status in queries.by_ids(ids)[ids[0]].reply or after == "delivered"


def test_several_recipients_of_one_mail() -> None:
    shared = "<shared@example.org>"
    both = [
        NewRecipient(name, shared, f"To: {name}\r\nMessage-ID: {shared}\r\n".encode())
        for name in ("a@example.net", "b@example.net", "c@example.net")
    ]
    ids = accepted(*both)
    handled = receive(
        report(("A@example.net", "failed", "5.1.1"), ("c@example.net", "delayed", "4.2.2"), returned=shared)
    )
    assert states(ids) == ["bounced", "accepted", "delayed"]
    assert "2 recipients" in handled.reason


def test_by_address_alone_nothing_changes() -> None:
    ids = accepted(recipient("a@example.net"))
    for forged in (
        report(("a@example.net", "failed", "5.1.1")),
        report(("a@example.net", "failed", "5.1.1"), returned="<another@example.org>"),
        report(("a@example.net", "failed", "5.1.1"), extra="In-Reply-To: <guessed@example.org>\r\n"),
    ):
        handled = receive(forged)
        assert handled.outcome is Outcome.REPORT
        assert "no mail of ours" in handled.reason
    assert states(ids) == ["accepted"]


def test_another_recipient_of_a_mail_with_one_is_an_alias_of_it() -> None:
    one = recipient("sales@example.net")
    ids = accepted(one)
    receive(report(("jane.doe@internal.example.net", "failed", "5.2.2"), returned=one.message_id))
    assert states(ids) == ["bounced"]


def test_a_report_that_returns_nothing_but_answers() -> None:
    one = recipient("a@example.net")
    ids = accepted(one)
    receive(report(("a@example.net", "failed", "5.1.1"), extra=f"In-Reply-To: {one.message_id}\r\n"))
    assert states(ids) == ["bounced"]


def test_the_same_report_again_changes_nothing_more() -> None:
    one = recipient("a@example.net")
    ids = accepted(one)
    receive(report((one.address, "failed", "5.1.1"), returned=one.message_id))
    again = receive(
        report((one.address, "failed", "5.1.1"), returned=one.message_id, extra="X: again\r\nDate: x\r\n")
    )
    assert states(ids) == ["bounced"]
    assert again.outcome in (Outcome.REPORT, Outcome.IGNORED)
    late = receive(report((one.address, "delayed", "4.0.0"), returned=one.message_id))
    assert "changes nothing" in late.reason
    assert states(ids) == ["bounced"]


def test_a_report_of_thousands_costs_a_bounded_number_of_looks() -> None:
    rows = [(f"p{number}@example.net", "failed", "5.1.1") for number in range(900)]
    references = " ".join(f"<r{number}@example.net>" for number in range(500))
    raw = report(*rows, extra=f"References: {references}\r\n")
    mail = IncomingMail(1, raw, read(raw), "", "", timezone.now())
    assert len(reports_in(mail)) <= _MOST


def test_a_personal_mail_is_not_for_it() -> None:
    raw = b"From: a@example.net\r\nSubject: Re: Undelivered\r\n\r\nIt failed, 5.1.1\r\n"
    assert BounceHandler().handle(IncomingMail(1, raw, read(raw), None, "", timezone.now())) is None


# --- by a reverse-path of its own ---------------------------------------------------------------------------


def receive_at(path: str, raw: bytes) -> Handled:
    stored = intake.store(raw, source="pipe", envelope_sender="", envelope_recipient=path, now=timezone.now())
    return processing.process(stored.id)


def test_a_report_that_returns_nothing_finds_its_mail_by_the_reverse_path() -> None:
    ids = accepted(recipient("a@example.net"), recipient("a@example.net"))
    path = ReturnPaths("tracker@example.org").of(ids[1])
    handled = receive_at(path, report(("someone-else@internal.example.net", "failed", "5.1.1")))
    assert states(ids) == ["accepted", "bounced"]
    assert handled.outcome is Outcome.REPORT
    again = receive_at(path.upper(), report(("a@example.net", "delayed", "4.0.0"), extra="X: 2\r\n"))
    assert "changes nothing" in again.reason


def test_it_names_that_mail_alone() -> None:
    """Whoever has one reverse-path cannot report on other mails with it."""
    one, two = recipient("a@example.net"), recipient("b@example.net")
    ids = accepted(one, two)
    path = ReturnPaths("tracker@example.org").of(ids[0])
    receive_at(path, report((two.address, "failed", "5.1.1"), returned=two.message_id))
    assert states(ids) == ["bounced", "accepted"]


def test_a_forged_reverse_path_changes_nothing() -> None:
    ids = accepted(recipient("a@example.net"))
    path = ReturnPaths("tracker@example.org").of(ids[0])
    forged = path.replace("+b-", "+b-aa", 1)
    receive_at(forged, report(("a@example.net", "failed", "5.1.1")))
    assert states(ids) == ["accepted"]
