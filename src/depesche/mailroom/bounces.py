"""Delivery reports that come in, applied to the mails that went out: where inbox and outbox meet.

A report concerns a recipient of a mail of ours that it names by Message-ID, never one by address alone:
anybody can write a mail that says somebody's address is dead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from depesche.mailformat.classify import Kind
from depesche.mailformat.delivery_report import reported_message_id
from depesche.mailroom.inbox.handlers import Handled, IncomingMail
from depesche.mailroom.inbox.models import Outcome
from depesche.mailroom.outbox.actions import Action, Report, ReportEffect, apply_report


class BounceHandler:
    """Takes every delivery report, so that none becomes a comment."""

    def handle(self, mail: IncomingMail) -> Handled | None:
        reading = mail.reading
        if reading.kind is not Kind.REPORT:
            return None
        effects = [
            effect for report in self._reports(mail) if (effect := self._apply(report, mail)) is not None
        ]
        ours = [effect for effect in effects if effect.recipient_id is not None]
        if not ours:
            return Handled(Outcome.REPORT, _("A delivery report about no mail of ours."))
        changed = sorted({effect.state for effect in ours if effect.state})
        reason = (
            _("A delivery report: %(states)s.") % {"states": ", ".join(changed)}
            if changed
            else _("A delivery report that changes nothing.")
        )
        return Handled(Outcome.REPORT, reason, item=ours[0].item)

    def accept_held(self, mail: IncomingMail, proposal: Mapping[str, Any]) -> Handled:
        raise LookupError("A delivery report is never held.")

    def _reports(self, mail: IncomingMail) -> list[Report]:
        parsed = mail.reading.mail
        returned = reported_message_id(parsed)
        # Some servers return nothing of the mail, but answer it as a person would.
        known = [returned] if returned else list(dict.fromkeys((*parsed.in_reply_to, *parsed.references)))
        return [
            Report(
                message_id=message_id,
                recipient=one.submitted_recipient or "",
                action=Action(one.action.value),
                status=one.status or "",
                diagnostic=one.diagnostic,
            )
            for one in mail.reading.reports
            for message_id in ([one.original_message_id] if one.original_message_id else known)
        ]

    def _apply(self, report: Report, mail: IncomingMail) -> ReportEffect | None:
        return apply_report(report, now=mail.received_at)
