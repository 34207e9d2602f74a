"""What the outbox tests enqueue."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from depesche.mailformat.compose import Content
from depesche.mailroom.outbox import actions
from depesche.mailroom.outbox.actions import Category, NewMessage, NewRecipient, SenderKind

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_numbers = itertools.count(1)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def message(
    category: Category = Category.NOTICE,
    body: bytes = b"Hello\r\n",
    *,
    sender: SenderKind = SenderKind.SYSTEM,
    sensitive: bool = False,
    expires_at: datetime | None = None,
    item: str = "NW-1",
    subject: str = "Hi",
) -> NewMessage:
    octets = b"Subject: " + subject.encode() + b"\r\nMIME-Version: 1.0\r\n\r\n" + body
    return NewMessage(
        category=category,
        content=Content(octets, "utf-8", False, False),
        subject=subject,
        sender=sender,
        item=item,
        sensitive=sensitive,
        expires_at=expires_at,
    )


def recipient(address: str = "", person: str = "") -> NewRecipient:
    number = next(_numbers)
    address = address or f"person{number}@example.org"
    message_id = f"<m{number}@example.org>"
    header = f"To: {address}\r\nMessage-ID: {message_id}\r\n".encode()
    return NewRecipient(address, message_id, header, person)


def enqueue(
    count: int = 1, category: Category = Category.NOTICE, now: datetime = NOW, **kinds: object
) -> list[int]:
    return actions.enqueue(message(category, **kinds), [recipient() for _ in range(count)], now=now)  # type: ignore[arg-type]  # passed on
