"""Delivery reports that come in, applied to the mails that went out: where inbox and outbox meet.

A report concerns the recipient for whom the reverse-path was made that it came back by, or one of a mail of
ours that it names by Message-ID; never one by address alone: anybody can write a mail that says somebody's
address is dead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from django.utils.translation import gettext_noop

from depesche.mailformat.classify import Kind
from depesche.mailformat.delivery_report import Action, RecipientReport, reported_message_id
from depesche.mailroom.inbox.handlers import Choice, Handled, IncomingMail, Sentence
from depesche.mailroom.inbox.models import Outcome
from depesche.mailroom.outbox.actions import Report, ReportEffect, apply_report
from depesche.mailroom.outbox.return_path import recipient_of

_MOST: Final = 200  # pairs of recipient and mail that are looked up for one report
_ANSWERED: Final = 5  # mails in a thread

_SAYS: Final = {
    "bounced": gettext_noop("The mail to %(address)s came back: %(said)s"),
    "delayed": gettext_noop("The mail to %(address)s is delayed: %(said)s"),
    "delivered": gettext_noop("The mail to %(address)s was delivered."),
}
_SEVERAL: Final = gettext_noop("A delivery report that changes the state of %(number)s recipients.")
_NO_NEWS: Final = gettext_noop("A delivery report that changes nothing.")
_NOT_OURS: Final = gettext_noop("A delivery report about no mail of ours.")


class BounceHandler:
    """Takes every delivery report, so that none becomes a comment. Complaints are for the next handler."""

    def handle(self, mail: IncomingMail) -> Handled | None:
        reading = mail.reading
        if reading.kind is not Kind.REPORT or (reading.complaint is not None and not reading.reports):
            return None
        found = reports_in(mail, signed=recipient_of(_came_to(mail)))
        applied = [(report, apply_report(report, now=mail.received_at)) for report in found]
        ours = [(report, effect) for report, effect in applied if effect.recipient_id is not None]
        if not ours:
            return Handled(Outcome.REPORT, Sentence(_NOT_OURS))
        return Handled(Outcome.REPORT, _reason(ours), item=ours[0][1].item)

    def choices(self, proposal: Mapping[str, Any]) -> Sequence[Choice]:
        return ()

    def accept_held(
        self, mail: IncomingMail, proposal: Mapping[str, Any], *, choice: str = "", by: str = ""
    ) -> Handled:
        raise LookupError("A delivery report is never held.")


def _came_to(mail: IncomingMail) -> list[str]:
    """Where the mail was sent, envelope first."""
    parsed = mail.reading.mail
    return [mail.envelope_recipient, *parsed.delivered_to, *(one.addr_spec for one in parsed.to)]


def reports_in(mail: IncomingMail, *, signed: int | None = None) -> list[Report]:
    """What the mail reports, each with the Message-ID of the mail that it may be about; or all of it about
    the one recipient whose signed reverse-path brought it here."""
    if signed is not None:
        return _of_one(mail.reading.reports, signed)
    parsed = mail.reading.mail
    returned = reported_message_id(parsed)
    # Some servers return nothing of the mail, but answer it as a person would.
    answered = dict.fromkeys((*parsed.in_reply_to, *reversed(parsed.references[-_ANSWERED:])))
    known = [returned] if returned else list(answered)[:_ANSWERED]
    pairs = (
        _report(one, message_id)
        for one in mail.reading.reports
        for message_id in ([one.original_message_id] if one.original_message_id else known)
    )
    return list(islice(dict.fromkeys(pairs), _MOST))


def _of_one(reports: Sequence[RecipientReport], recipient_id: int) -> list[Report]:
    """Each mail has one recipient. An alias behind it may have several: the worst of them counts, since one
    who did not get it is one who was not told."""
    worst = (Action.FAILED, Action.DELAYED, Action.DELIVERED)
    known = [replace(_report(one, ""), recipient_id=recipient_id) for one in reports[:_MOST]]
    return sorted(known, key=lambda one: worst.index(one.action) if one.action in worst else len(worst))[:1]


def _report(one: RecipientReport, message_id: str) -> Report:
    return Report(
        message_id=message_id,
        recipient=one.submitted_recipient or "",
        action=one.action,
        status=one.status or "",
        diagnostic=one.diagnostic,
    )


def _reason(ours: Sequence[tuple[Report, ReportEffect]]) -> Sentence:
    changed = [(report, effect) for report, effect in ours if effect.state]
    if not changed:
        return Sentence(_NO_NEWS)
    if len(changed) > 1:
        return Sentence(_SEVERAL, number=len(changed))
    report, effect = changed[0]
    said = " ".join(f"{report.status} {report.diagnostic}".split())[:300] or report.action.value
    message = _SAYS.get(effect.state, _NO_NEWS)
    return Sentence(message, address=report.recipient or "?", said=said)
