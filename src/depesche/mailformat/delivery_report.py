"""Delivery reports and complaints: which recipient, which action, which status; and which mail they are
about.

First the standard (RFC 3464, `report_fields`), then Amazon's notifications in JSON, then the many that tell a
person instead of a program (`report_words`): qmail, Exim, Sendmail, Exchange, Domino, Gmail, Yahoo and the
rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from depesche.mailformat.header_text import clean, message_ids
from depesche.mailformat.parse import ParsedMail
from depesche.mailformat.report_fields import LONGEST_STATUS_PART, standard_reports, status_fields
from depesche.mailformat.report_json import json_reports
from depesche.mailformat.report_values import (
    Action,
    RecipientReport,
    address_in,
    outer_parts,
    returned_headers,
)
from depesche.mailformat.report_words import worded_reports, words_of_report

__all__ = [
    "Action",
    "FeedbackReport",
    "RecipientReport",
    "delivery_reports",
    "feedback_report",
    "reported_message_id",
]

_MOST_RECIPIENTS = 1_000


@dataclass(frozen=True, slots=True)
class FeedbackReport:
    """A complaint (ARF, RFC 5965): somebody called a mail of ours spam, or unsubscribed."""

    feedback_type: str
    recipients: tuple[str, ...]
    original_message_id: str | None
    reporter: str


def delivery_reports(mail: ParsedMail) -> tuple[RecipientReport, ...]:
    """The reports in this mail, one per recipient; empty when it is no delivery report. Never raises."""
    if mail.report_type in ("disposition-notification", "feedback-report"):
        return ()
    reports = standard_reports(mail) or json_reports(mail) or worded_reports(mail)
    if any(report.original_message_id is None for report in reports):
        message_id = reported_message_id(mail)
        reports = [
            report
            if report.original_message_id is not None
            else replace(report, original_message_id=message_id)
            for report in reports
        ]
    return tuple(reports[:_MOST_RECIPIENTS])


# --- Which mail ---------------------------------------------------------------------------------------------

_RETURNED = frozenset(
    {
        "message/rfc822",
        "message/rfc822-headers",
        "text/rfc822-headers",
        "message/global",
        "message/global-headers",
    }
)
_ID_LINE = re.compile(
    r"^[ \t>]{0,8}Message-I[dD]\s{0,3}:[ \t\r\n]{0,8}(<[^<>\s]{3,500}>)", re.IGNORECASE | re.MULTILINE
)


def reported_message_id(mail: ParsedMail) -> str | None:
    """The Message-ID of the mail that a report is about, from what was returned of it."""
    for part in mail.root.walk():
        if part is mail.root:
            continue
        if part.content_type in ("message/rfc822", "message/global") and part.children:
            found = message_ids(part.children[0].header("message-id"), limit=1)
        elif part.content_type in _RETURNED or part.content_type in (
            "message/delivery-status",
            "message/feedback-report",
        ):
            match = _ID_LINE.search(part.text()[0][:LONGEST_STATUS_PART])
            found = (match.group(1),) if match else ()
        else:
            continue
        if found:
            return found[0]
    text = words_of_report(mail) if mail.text is None else mail.text[:LONGEST_STATUS_PART]
    match = _ID_LINE.search(text)
    if match:
        return match.group(1)
    for name in ("x-original-message-id", "original-message-id", "x-failed-message-id"):
        ids = message_ids(mail.header(name), limit=1)
        if ids:
            return ids[0]
    return None


# --- Complaints ---------------------------------------------------------------------------------------------


def feedback_report(mail: ParsedMail) -> FeedbackReport | None:
    """The complaint in this mail, or None."""
    for part in outer_parts(mail.root):
        if part.content_type != "message/feedback-report":
            continue
        fields: dict[str, str] = {}
        recipients: list[str] = []
        for group in status_fields(part.text()[0]):
            fields |= group
        for name in ("original-rcpt-to", "removal-recipient"):
            address = address_in(fields.get(name, ""))
            if address:
                recipients.append(address)
        if not recipients:
            recipients = _addressed_to(mail)
        kind = re.split(r"[^a-z-]", fields.get("feedback-type", "abuse").lower(), maxsplit=1)[0] or "abuse"
        return FeedbackReport(
            kind, tuple(recipients), reported_message_id(mail), clean(fields.get("user-agent", ""))[:200]
        )
    return _hotmail_complaint(mail)


def _addressed_to(mail: ParsedMail) -> list[str]:
    returned = returned_headers(mail)
    if returned is None:
        return []
    found = [
        address_in(value)
        for value in (*returned.header_all("to"), *returned.header_all("x-hmxmroriginalrecipient"))
    ]
    return [address for address in found if address]


def _hotmail_complaint(mail: ParsedMail) -> FeedbackReport | None:
    """Outlook.com's complaints have no feedback part: the complained mail lies in a multipart/mixed."""
    returned = returned_headers(mail)
    sender = mail.from_[0].addr_spec.lower() if mail.from_ else ""
    if returned is not None and sender in ("staff@hotmail.com", "junkreport@outlook.com", "scomp@aol.net"):
        recipient = address_in(returned.header("x-hmxmroriginalrecipient"))
        return FeedbackReport("abuse", (recipient,) if recipient else (), reported_message_id(mail), sender)
    return None
