"""Reading what the rules of recipients.py need: roles, watchers, rights and wishes, in a handful of
queries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from depesche.tracker.accounts.models import Person
from depesche.tracker.items import queries as items
from depesche.tracker.items.changes import Change
from depesche.tracker.items.models import Item, Watcher
from depesche.tracker.notifications.recipients import (
    EventFacts,
    NotTold,
    PersonFacts,
    Told,
    reasons_for,
    recipients_for,
)


@dataclass(frozen=True)
class Card:
    """What a mail to somebody needs of them."""

    id: int
    email: str
    name: str
    language: str
    facts: PersonFacts


@dataclass(frozen=True)
class Audience:
    """Everybody whom an event concerns, decided."""

    told: Sequence[Told]
    not_told: Sequence[NotTold]
    cards: dict[int, Card]


def audience(item: Item, *, actor_id: int, changes: Sequence[Change] = ()) -> Audience:
    """Who is told about something that this person did to this item, and who is not."""
    watching: dict[str, list[int]] = {kind: [] for kind in Watcher.Kind.values}
    for person_id, kind in Watcher.objects.filter(item=item).values_list("person_id", "kind"):
        watching[kind].append(person_id)
    event = EventFacts(
        actor=actor_id,
        author=item.author_id,
        responsible=item.responsible_id,
        manager=item.manager_id,
        watchers=watching[Watcher.Kind.INFORMED],
        consulted=watching[Watcher.Kind.CONSULTED],
        muted=frozenset(watching[Watcher.Kind.MUTED]),
        changes=changes,
    )
    cards = _cards(item, reasons_for(event))
    told, not_told = recipients_for(event, (card.facts for card in cards.values()))
    return Audience(told, not_told, cards)


def _cards(item: Item, person_ids: Iterable[int]) -> dict[int, Card]:
    ids = sorted(person_ids)
    readers = items.who_may_read(item, ids)
    cards: dict[int, Card] = {}
    for some in _thousands(ids):
        rows = Person.objects.filter(pk__in=some).values_list(
            "pk", "email", "name", "language", "is_active", "only_account_mails"
        )
        for pk, email, name, language, is_active, only_account_mails in rows:
            facts = PersonFacts(pk, is_active, pk in readers, only_account_mails)
            cards[pk] = Card(pk, email, name, language, facts)
    return cards


def _thousands(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), 1000):
        yield ids[start : start + 1000]
