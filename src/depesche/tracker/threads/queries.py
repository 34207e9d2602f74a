"""What pages ask about threads."""

from __future__ import annotations

from depesche.tracker.accounts.models import Person
from depesche.tracker.items.models import Item
from depesche.tracker.threads import addresses as threads


def reply_address(item: Item, person: Person) -> str:
    """The address at which a mail of this person becomes a comment of the item; "" where there is none.

    Without tags the system address alone would not say which item is meant, so that it is not shown.
    """
    own = threads.addresses()
    address = own.reply_address(item.pk, person.pk) if own.tagged else None
    return address.addr_spec if address is not None and address != own.system else ""
