"""The fields of RFC 3464, wherever they stand and however they are mangled."""

from __future__ import annotations

import re
from dataclasses import replace

from depesche.mailformat.header_text import clean, decode_text_header, message_ids
from depesche.mailformat.parse import ParsedMail
from depesche.mailformat.report_values import Action, RecipientReport, address_in, class_of_words, outer_parts
from depesche.mailformat.report_words import named_in_words, words_about
from depesche.mailformat.status import find_status

LONGEST_STATUS_PART = 500_000
_MOST_RECIPIENTS = 1_000


def status_fields(text: str) -> list[dict[str, str]]:
    """The groups of fields in a delivery-status text: separated by blank lines, unfolded, names in lower
    case.

    A second Final-Recipient begins a new group even where the blank line is missing.
    """
    groups: list[dict[str, str]] = [{}]
    last = ""
    for line in text[:LONGEST_STATUS_PART].split("\n"):
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


_ACTIONS = {
    **dict.fromkeys(
        ("failed", "failure", "fail", "error", "expired", "deliveryfailure", "undeliverable"), Action.FAILED
    ),
    **dict.fromkeys(("delayed", "delay", "deferred", "warning", "transient"), Action.DELAYED),
    **dict.fromkeys(("delivered", "deliverable", "success", "succeeded"), Action.DELIVERED),
    **dict.fromkeys(("relayed", "relay", "forwarded"), Action.RELAYED),
    **dict.fromkeys(("expanded",), Action.EXPANDED),
}


def report_of_group(group: dict[str, str]) -> RecipientReport | None:
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
    if original and final and "." not in final.rpartition("@")[2]:
        recipient = original  # the name of a mailbox inside the server: nobody was addressed so
    code = str(status) if status is not None else class_of_words(diagnostic, action)
    # The server's own words are more exact than what the reporting server made of them.
    better = find_status(diagnostic)
    if better is not None and str(better)[0] == code[0] and not str(better).endswith(".0.0"):
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
        own_id[0] if own_id else None,
    )


def address_free(value: str) -> str | None:
    """A host in a typed field value, or None."""
    text = clean(value).split(";", 1)[-1].strip()
    return text[:255] or None


def _status_texts(mail: ParsedMail) -> list[str]:
    """The texts in which the fields of RFC 3464 stand, best first."""
    declared: list[str] = []
    hidden: list[str] = []
    for part in outer_parts(mail.root):
        kind = part.content_type
        if kind in ("message/delivery-status", "message/global-delivery-status"):
            declared.append(part.text()[0])
        elif (
            (kind.startswith("text/") or kind == "application/octet-stream")
            and kind not in ("text/rfc822-headers", "text/html")
            and not part.children
        ):
            text = part.text()[0][:LONGEST_STATUS_PART]
            if _FINAL.search(text):
                hidden.append(text)
    return declared or hidden


_FINAL = re.compile(r"^(?:Final-Recipient|Original-Recipient)\s?:", re.IGNORECASE | re.MULTILINE)


def standard_reports(mail: ParsedMail) -> list[RecipientReport]:
    reports: dict[tuple[str, Action], RecipientReport] = {}
    nameless: list[RecipientReport] = []
    for text in _status_texts(mail)[:200]:
        message_fields: dict[str, str] = {}
        for group in status_fields(text):
            report = report_of_group(group)
            if report is None:
                message_fields |= group
            elif report.recipient is None:
                nameless.append(report)
            else:
                key = (report.recipient.lower(), report.action)
                reports.setdefault(key, report)
    if reports:
        return _with_words(mail, list(reports.values()))
    if nameless:
        return [replace(nameless[0], recipient=named_in_words(mail))]
    return []


def _with_words(mail: ParsedMail, reports: list[RecipientReport]) -> list[RecipientReport]:
    """Fields without a diagnostic (OpenSMTPD) completed from what the human part says below the same name."""
    if all(report.diagnostic or report.action is not Action.FAILED for report in reports):
        return reports
    words = words_about(mail)
    completed: list[RecipientReport] = []
    for report in reports:
        said = words.get((report.recipient or "").lower(), "")
        if said and not report.diagnostic and report.action is Action.FAILED:
            code = class_of_words(said, report.action)
            exact = (report.status or "").endswith(".0.0") and code[0] == (report.status or code)[0]
            completed.append(replace(report, diagnostic=said, status=code if exact else report.status))
        else:
            completed.append(report)
    return completed
