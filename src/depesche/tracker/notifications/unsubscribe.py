"""The link at the end of a mail, and its one-click form (RFC 8058): no more mails about one item."""

from __future__ import annotations

from dataclasses import dataclass

from depesche.tracker.accounts import queries as accounts
from depesche.tracker.accounts.models import Person
from depesche.tracker.items import actions, queries
from depesche.tracker.items.models import Item
from depesche.tracker.threads import addresses as threads


@dataclass(frozen=True)
class Subscription:
    """Whom a link concerns, and which item."""

    item: Item
    person: Person


def read(token: str) -> Subscription | None:
    """What a link stands for; None when it is forged, or the item or the person is gone. Changes nothing:
    mail programs and virus scanners follow links (GET)."""
    thread = threads.read_mute_token(token)
    if thread is None or thread.person_id is None:
        return None
    item, person = queries.item(thread.item_id), accounts.person(thread.person_id)
    return Subscription(item, person) if item is not None and person is not None else None


def mute(token: str) -> Subscription | None:
    """Do it (POST); repeating it changes nothing. Watching the item again ends it."""
    subscription = read(token)
    if subscription is not None:
        actions.mute(subscription.item, subscription.person)
    return subscription
