"""The writers of threads: revoke reply addresses, remember which mail belongs to which item."""

from __future__ import annotations

import hashlib
from datetime import datetime

from depesche.tracker.accounts.models import Person
from depesche.tracker.items.models import Item
from depesche.tracker.threads.models import MailLink, Revocation


def revoke(*, item: Item | None = None, person: Person | None = None, by: str, now: datetime) -> None:
    """Make void every reply address made until now: those of an item, of a person, of a person for an
    item, or without either all of them. Answers to them are held for a person; the next mails carry new
    ones."""
    Revocation.objects.create(item=item, person=person, at=now, by=by[:200])


def link(message_id: str | None, item: Item) -> None:
    """Remember that this mail belongs to the item. The first item keeps it."""
    if message_id:
        MailLink.objects.bulk_create([MailLink(digest=digest(message_id), item=item)], ignore_conflicts=True)


def digest(message_id: str) -> str:
    return hashlib.sha256(message_id.encode("utf-8", "surrogatepass")).hexdigest()
