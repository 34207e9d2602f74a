"""What pages and the inbox ask about threads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Max, Q

from depesche.tracker.accounts.models import Person
from depesche.tracker.items.models import Item
from depesche.tracker.threads import addresses as threads
from depesche.tracker.threads.actions import digest
from depesche.tracker.threads.models import MailLink, Revocation


def reply_address(item: Item, person: Person, now: datetime) -> str:
    """The address at which a mail of this person becomes a comment of the item; "" where there is none. The
    same all day, unless it is revoked.

    Without tags the system address alone would not say which item is meant, so that it is not shown.
    """
    own = threads.addresses()
    if not own.tagged:
        return ""
    made_at = now.replace(hour=0, minute=0, second=0, microsecond=0)
    revoked = revoked_until(item.pk, person.pk)
    if revoked is not None and revoked >= made_at:
        made_at = revoked + timedelta(seconds=1)
    address = own.reply_address(item.pk, person.pk, now=made_at)
    return address.addr_spec if address is not None and address != own.system else ""


def revoked_until(item_id: int, person_id: int) -> datetime | None:
    """The last revocation that concerns reply addresses of this person for this item."""
    found: datetime | None = Revocation.objects.filter(
        Q(item=None) | Q(item_id=item_id), Q(person=None) | Q(person_id=person_id)
    ).aggregate(last=Max("at"))["last"]
    return found


def linked_item(message_ids: Sequence[str]) -> int | None:
    """The item to which one of these mails belongs, the first one first."""
    digests = [digest(one) for one in message_ids]
    found = dict(MailLink.objects.filter(digest__in=digests).values_list("digest", "item_id"))
    return next((found[one] for one in digests if one in found), None)
