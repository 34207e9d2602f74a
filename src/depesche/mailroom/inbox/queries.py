"""What came in, for pages and commands: frozen rows, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from depesche.mailroom.inbox.handlers import said
from depesche.mailroom.inbox.models import Outcome, ReceivedMessage


@dataclass(frozen=True)
class ReceivedRow:
    """A received mail. `item` is the key of the item it reached, or would reach if it is held."""

    id: int
    received_at: datetime
    source: str
    from_address: str
    subject: str
    size: int
    outcome: Outcome
    reason_in_english: str
    item: str
    comment: int | None
    decided_by: str
    envelope_recipient: str = ""
    handler: str = ""
    reason_said: Mapping[str, Any] = field(default_factory=dict, repr=False)
    proposal: Mapping[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """The outcome as a word of the interface: "waiting" while there is none."""
        return self.outcome.value or "waiting"

    @property
    def reason(self) -> str:
        """Why, in the language in force as far as the catalogues have it."""
        message = self.reason_said.get("message")
        return said(message, self.reason_said.get("values", {})) if message else self.reason_in_english


_TRANSLATED = {"outcome", "reason_in_english"}
_FIELDS = ("outcome", "reason", *(set(ReceivedRow.__dataclass_fields__) - _TRANSLATED))


def _row(values: dict[str, Any]) -> ReceivedRow:
    outcome, reason = Outcome(values.pop("outcome")), values.pop("reason")
    return ReceivedRow(outcome=outcome, reason_in_english=reason, **values)


def received(
    outcome: Outcome | None = None,
    *,
    text: str = "",
    source: str = "",
    before: int | None = None,
    limit: int = 50,
) -> list[ReceivedRow]:
    """Received mails, newest first; `text` is looked for in sender, recipient, subject, Message-ID and item;
    `before` is an id."""
    rows = ReceivedMessage.objects.order_by("-id")
    if outcome is not None:
        rows = rows.filter(outcome=outcome)
    if text:
        rows = rows.filter(
            Q(from_address__icontains=text)
            | Q(envelope_recipient__icontains=text)
            | Q(subject__icontains=text)
            | Q(item__iexact=text)
            | Q(message_id=text)
        )
    if source:
        rows = rows.filter(source=source)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return [_row(dict(values)) for values in rows.values(*_FIELDS)[:limit]]


def received_mail(received_id: int) -> ReceivedRow | None:
    values = ReceivedMessage.objects.filter(pk=received_id).values(*_FIELDS).first()
    return _row(dict(values)) if values else None


def message_id(received_id: int) -> str:
    """The Message-ID of a received mail, in angle brackets; "" for none."""
    found = ReceivedMessage.objects.filter(pk=received_id).values_list("message_id", flat=True).first()
    return found or ""


def raw_mail(received_id: int) -> bytes | None:
    raw = ReceivedMessage.objects.filter(pk=received_id).values_list("raw", flat=True).first()
    return None if raw is None else bytes(raw)


def counts() -> dict[str, int]:
    """How many mails had which outcome; "waiting" for those without one."""
    found = ReceivedMessage.objects.values_list("outcome").annotate(count=Count("pk")).order_by("outcome")
    return {outcome or "waiting": count for outcome, count in found}


def sources() -> list[str]:
    """The ways by which mails have come in."""
    return list(ReceivedMessage.objects.order_by("source").values_list("source", flat=True).distinct()[:20])


def held_count(item: str = "") -> int:
    """How many mails wait for a decision; with a key those that belong to this item."""
    rows = ReceivedMessage.objects.filter(outcome=Outcome.HELD)
    return (rows.filter(item=item) if item else rows).count()
