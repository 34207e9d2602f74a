"""Notifications of Amazon SES, which come as JSON through a mail subscription (SNS)."""

from __future__ import annotations

import json
from typing import Any

from depesche.mailformat.header_text import clean
from depesche.mailformat.parse import ParsedMail
from depesche.mailformat.report_values import Action, RecipientReport, class_of_words


def json_reports(mail: ParsedMail) -> list[RecipientReport]:
    """The reports in a JSON notification; empty when the mail is none. Never raises."""
    text = (mail.text or "").lstrip()
    if not text.startswith("{") or "notificationType" not in text[:2_000] + text[-2_000:]:
        return []
    end = text.rfind("}")
    # A footer with a link to unsubscribe follows the object; and some gateways wrap it into long lines.
    for candidate in (text[: end + 1], text.split("\n--\n", 1)[0].rstrip(), _joined(text[: end + 1])):
        try:
            value = json.loads(candidate, strict=False)
        except (ValueError, RecursionError):
            continue
        return _reports_of(value) if isinstance(value, dict) else []
    return []


def _joined(text: str) -> str:
    return "".join(line.strip("\r") for line in text.split("\n"))


def _reports_of(value: dict[str, Any]) -> list[RecipientReport]:
    kind = str(value.get("notificationType", "")).lower()
    mail = value.get("mail")
    message_id = None
    if isinstance(mail, dict):
        headers = mail.get("commonHeaders")
        if isinstance(headers, dict) and isinstance(headers.get("messageId"), str):
            message_id = clean(headers["messageId"])[:998]
    if kind == "bounce":
        return _bounced(value.get("bounce"), message_id)
    if kind == "delivery":
        delivery = value.get("delivery")
        if isinstance(delivery, dict):
            words = clean(str(delivery.get("smtpResponse", "")))[:2_000]
            names = delivery.get("recipients")
            return [
                RecipientReport(
                    clean(name)[:320],
                    Action.DELIVERED,
                    class_of_words(words, Action.DELIVERED),
                    words,
                    original_message_id=message_id,
                )
                for name in (names if isinstance(names, list) else [])
                if isinstance(name, str)
            ]
    return []


def _bounced(bounce: object, message_id: str | None) -> list[RecipientReport]:
    if not isinstance(bounce, dict):
        return []
    transient = str(bounce.get("bounceType", "")).lower() == "transient"
    entries = bounce.get("bouncedRecipients")
    found: list[RecipientReport] = []
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict) or not isinstance(entry.get("emailAddress"), str):
            continue
        words = clean(str(entry.get("diagnosticCode", "")))[:2_000].removeprefix("smtp; ")
        status = clean(str(entry.get("status", "")))[:20]
        fallback = "4.0.0" if transient else class_of_words(words, Action.FAILED)
        found.append(
            RecipientReport(
                clean(entry["emailAddress"])[:320].strip("<>"),
                Action.FAILED,
                status or fallback,
                words,
                original_message_id=message_id,
            )
        )
    return found
