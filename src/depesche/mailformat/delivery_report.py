"""Delivery reports: which recipient, which action, which status; and which mail they are about.

First the standard (RFC 3464), read wherever its fields stand and however they are mangled. Then the many that
tell a person instead of a program: qmail, Exim, Sendmail, Exchange, Domino, GroupWise, Gmail, Yahoo and the
rest say in words what happened, and `report_words` reads those. Last the detectors of flufl.bounce.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from depesche.mailformat.header_text import clean, decode_text_header, message_ids
from depesche.mailformat.mime_tree import Part
from depesche.mailformat.parse import ParsedMail
from depesche.mailformat.status import find_status

_LONGEST_STATUS_PART = 500_000
_MOST_RECIPIENTS = 1_000


class Action(Enum):
    """RFC 3464 §2.3.3."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True)
class RecipientReport:
    """What became of one recipient.

    `recipient` is the address as the report names it, None when it names none (some servers redact it).
    `status` is an enhanced status code; where the report gives none, one with the right class (`5.0.0`).
    `diagnostic` are the words of the server, one line. `original_recipient` is the address that we submitted,
    if the report says so and it differs.
    """

    recipient: str | None
    action: Action
    status: str | None
    diagnostic: str = ""
    original_recipient: str | None = None
    remote_server: str | None = None
    original_message_id: str | None = None

    @property
    def permanent(self) -> bool:
        """Whether trying again is pointless: a failure whose status is of class 5."""
        return self.action is Action.FAILED and (self.status is None or self.status.startswith("5"))


@dataclass(frozen=True, slots=True)
class FeedbackReport:
    """A complaint (ARF, RFC 5965): somebody called a mail of ours spam, or unsubscribed."""

    feedback_type: str
    recipients: tuple[str, ...]
    original_message_id: str | None
    reporter: str


def delivery_reports(mail: ParsedMail) -> tuple[RecipientReport, ...]:
    """The reports in this mail, one per recipient; empty when it is no delivery report. Never raises."""
    from depesche.mailformat.report_json import json_reports
    from depesche.mailformat.report_words import worded_reports

    if mail.report_type in ("disposition-notification", "feedback-report"):
        return ()
    message_id = reported_message_id(mail)
    reports = _standard_reports(mail, message_id)
    if not reports:
        reports = json_reports(mail) or worded_reports(mail, message_id)
    return tuple(reports[:_MOST_RECIPIENTS])


# --- RFC 3464 -----------------------------------------------------------------------------------------------


def status_fields(text: str) -> list[dict[str, str]]:
    """The groups of fields in a delivery-status text: separated by blank lines, unfolded, names in lower
    case.

    A second Final-Recipient begins a new group even where the blank line is missing.
    """
    groups: list[dict[str, str]] = [{}]
    last = ""
    for line in text[:_LONGEST_STATUS_PART].split("\n"):
        bare = line.rstrip("\r")
        if not bare.strip():
            if groups[-1]:
                groups.append({})
            last = ""
            continue
        if bare[0] in " \t" and last:
            groups[-1][last] = f"{groups[-1][last]} {bare.strip()}"[:20_000]
            continue
        name, colon, value = bare.strip().partition(":")
        key = name.strip().lower()
        if not colon or not 2 <= len(key) <= 60 or " " in key:
            if last:
                groups[-1][last] = f"{groups[-1][last]} {bare.strip()}"[:20_000]
            continue
        if key == "final-recipient" and key in groups[-1]:
            groups.append({})
        if key not in groups[-1]:
            groups[-1][key] = value.strip()
        last = key
        if len(groups) > _MOST_RECIPIENTS * 2:
            break
    return [group for group in groups if group]


_TYPED = re.compile(
    r"^\s*(?:rfc[- ]?822|utf-8|smtp|x-[\w-]{1,30}|unknown|system)\s{0,3};\s{0,3}(.*)$",
    re.IGNORECASE | re.DOTALL,
)
_ADDRESS = re.compile(
    r"[^\s<>\"'(),:;\[\]\\]{1,200}@[^\s<>\"'(),:;\[\]\\@]{1,250}|\"[^\"\n]{1,100}\"@[^\s<>\"'(),:;\\]{1,250}"
)


def address_in(value: str) -> str | None:
    """The address in a typed field value such as `rfc822; <jane@example.org>`; None when there is none."""
    match = _TYPED.match(value)
    text = (match.group(1) if match else value).strip()
    text = re.sub(r"\s{0,20}\+?xforwardto.*$", "", text[:1_000])
    angled = re.search(r"<([^<>\s]{1,500}@[^<>\s]{1,255})>", text)
    if angled:
        return _tidy_address(angled.group(1))
    found = _ADDRESS.search(text)
    if found:
        return _tidy_address(found.group(0))
    return None


def _tidy_address(text: str) -> str | None:
    address = clean(text).strip("<>.,;:'\"").removeprefix("mailto:")
    if address.lower().startswith(("smtp:", "rfc822:")):
        address = address.split(":", 1)[1]
    # Old routes: "@relay.example:jane@example.org".
    if address.startswith("@") and ":" in address:
        address = address.rsplit(":", 1)[1]
    local, at, domain = address.rpartition("@")
    return address if at and local and domain and len(address) <= 320 else None


_ACTIONS = {
    **dict.fromkeys(
        ("failed", "failure", "fail", "error", "expired", "deliveryfailure", "undeliverable"), Action.FAILED
    ),
    **dict.fromkeys(("delayed", "delay", "deferred", "warning", "transient"), Action.DELAYED),
    **dict.fromkeys(("delivered", "deliverable", "success", "succeeded"), Action.DELIVERED),
    **dict.fromkeys(("relayed", "relay", "forwarded"), Action.RELAYED),
    **dict.fromkeys(("expanded",), Action.EXPANDED),
}
_CLASS_OF_ACTION = {
    Action.FAILED: "5.0.0",
    Action.DELAYED: "4.0.0",
    Action.DELIVERED: "2.0.0",
    Action.RELAYED: "2.0.0",
    Action.EXPANDED: "2.0.0",
}
_REPLY_CODE = re.compile(r"(?<![\d.#])([45])\d\d(?![\d.])")


def class_of_words(diagnostic: str, action: Action) -> str:
    """A status whose class fits the words of the server where no enhanced code stands in them."""
    found = find_status(diagnostic)
    if found is not None:
        return str(found)
    code = _REPLY_CODE.search(diagnostic)
    if code is not None and action in (Action.FAILED, Action.DELAYED):
        return f"{code.group(1)}.0.0"
    return _CLASS_OF_ACTION[action]


def report_of_group(group: dict[str, str], message_id: str | None) -> RecipientReport | None:
    """One recipient's group of fields as a report; None for the group about the message."""
    named = [group.get(name, "") for name in ("final-recipient", "original-recipient", "x-actual-recipient")]
    if not any(named) and "action" not in group:
        return None
    diagnostic = clean(decode_text_header(group.get("diagnostic-code", "")))[:2_000]
    diagnostic = re.sub(
        r"^\s?(?:smtp|x-[\w-]{1,30}|x400|unix|dns)\s?;\s?", "", diagnostic, flags=re.IGNORECASE
    )
    word = re.split(r"[^a-z]", group.get("action", "").strip().lower(), maxsplit=1)[0]
    status = find_status(group.get("status", ""))
    action = _ACTIONS.get(word)
    if action is None:
        if status is None and not diagnostic:
            return None
        action = Action.FAILED
        if status is not None and status.is_success:
            action = Action.DELIVERED
        elif status is not None and status.is_transient and not group.get("action"):
            action = Action.DELAYED
    final = address_in(named[0])
    original = address_in(named[1])
    recipient = final or original or address_in(named[2])
    code = str(status) if status is not None else class_of_words(diagnostic, action)
    if code.endswith(".0.0"):
        better = find_status(diagnostic)
        if better is not None and str(better)[0] == code[0]:
            code = str(better)
    remote = address_free(group.get("remote-mta", ""))
    own_id = message_ids(group.get("original-message-id", group.get("x-original-message-id", "")), limit=1)
    return RecipientReport(
        recipient,
        action,
        code,
        diagnostic,
        original if original and final and original.lower() != final.lower() else None,
        remote,
        own_id[0] if own_id else message_id,
    )


def address_free(value: str) -> str | None:
    """A host in a typed field value, or None."""
    text = clean(value).split(";", 1)[-1].strip()
    return text[:255] or None


def _status_texts(mail: ParsedMail) -> list[str]:
    """The texts in which the fields of RFC 3464 stand, best first."""
    declared: list[str] = []
    hidden: list[str] = []
    for part in _outer_parts(mail.root):
        kind = part.content_type
        if kind in ("message/delivery-status", "message/global-delivery-status"):
            declared.append(part.text()[0])
        elif (
            kind.startswith("text/")
            and kind not in ("text/rfc822-headers", "text/html")
            and not part.children
        ):
            text = part.text()[0][:_LONGEST_STATUS_PART]
            if _FINAL.search(text):
                hidden.append(text)
    return declared or hidden


_FINAL = re.compile(r"^(?:Final-Recipient|Original-Recipient)\s?:", re.IGNORECASE | re.MULTILINE)


def _outer_parts(root: Part) -> list[Part]:
    """The parts of the mail itself, without those of messages in it; but a message in a wrapper is looked
    into.
    """
    found: list[Part] = []
    stack = [root]
    while stack and len(found) < 2_000:
        part = stack.pop()
        found.append(part)
        if part is root or not part.content_type.startswith(("message/rfc822", "message/global")):
            stack.extend(reversed(part.children))
    return found


def _standard_reports(mail: ParsedMail, message_id: str | None) -> list[RecipientReport]:
    reports: dict[tuple[str, Action], RecipientReport] = {}
    nameless: list[RecipientReport] = []
    for text in _status_texts(mail)[:200]:
        message_fields: dict[str, str] = {}
        for group in status_fields(text):
            report = report_of_group(group, message_id)
            if report is None:
                message_fields |= group
            elif report.recipient is None:
                nameless.append(report)
            else:
                key = (report.recipient.lower(), report.action)
                reports.setdefault(key, report)
    if reports:
        return list(reports.values())
    return nameless[:1]


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
            match = _ID_LINE.search(part.text()[0][:_LONGEST_STATUS_PART])
            found = (match.group(1),) if match else ()
        else:
            continue
        if found:
            return found[0]
    text = (mail.text or "")[:_LONGEST_STATUS_PART]
    match = _ID_LINE.search(text)
    if match:
        return match.group(1)
    for name in ("x-original-message-id", "original-message-id", "x-failed-message-id"):
        ids = message_ids(mail.header(name), limit=1)
        if ids:
            return ids[0]
    return None


def returned_headers(mail: ParsedMail) -> Part | None:
    """The returned message, when it came back as a part of its own."""
    for part in mail.root.walk():
        if (
            part is not mail.root
            and part.content_type in ("message/rfc822", "message/global")
            and part.children
        ):
            return part.children[0]
    return None


# --- Complaints ---------------------------------------------------------------------------------------------


def feedback_report(mail: ParsedMail) -> FeedbackReport | None:
    """The complaint in this mail, or None."""
    for part in _outer_parts(mail.root):
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
