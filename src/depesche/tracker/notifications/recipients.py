"""Who is told about an event, with which reasons; and who is not, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final

from depesche.tracker.items.changes import Change


@unique
class Reason(StrEnum):
    """Why somebody gets a mail, in the order in which a mail names them."""

    RESPONSIBLE = "responsible"
    MANAGER = "manager"
    AUTHOR = "author"
    CONSULTED = "consulted"
    WATCHER = "watcher"
    WAS_RESPONSIBLE = "was_responsible"  # until this very event
    WAS_MANAGER = "was_manager"


@unique
class Why(StrEnum):
    """Why somebody with a reason is not told. In the order in which they are looked at."""

    ACTOR = "actor"  # did it themselves
    INACTIVE = "inactive"
    MAY_NOT_READ = "may_not_read"
    MUTED = "muted"  # wants no mails about this item
    ONLY_ACCOUNT_MAILS = "only_account_mails"  # wants no mails at all, but for the account
    NO_ADDRESS = "no_address"  # what stands in the place of their address cannot be written to


_ORDER: Final = {reason: place for place, reason in enumerate(Reason)}


@dataclass(frozen=True)
class Told:
    """Somebody gets a mail; `reasons` in the order of Reason, never empty."""

    person_id: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class NotTold:
    """Somebody had a reason and gets none."""

    person_id: int
    reasons: tuple[Reason, ...]
    why: Why


@dataclass(frozen=True)
class EventFacts:
    """What of an event and its item decides who is told. Ids throughout; None where there is nobody."""

    actor: int
    author: int
    responsible: int | None = None
    manager: int | None = None
    watchers: Sequence[int] = ()
    consulted: Sequence[int] = ()
    muted: frozenset[int] = frozenset()
    changes: Sequence[Change] = ()


@dataclass(frozen=True)
class PersonFacts:
    """What of a person decides whether they are told."""

    id: int
    is_active: bool
    may_read: bool
    only_account_mails: bool


def reasons_for(event: EventFacts) -> dict[int, tuple[Reason, ...]]:
    """Everybody who has to do with the event, by id in ascending order, and why."""
    found: dict[int, set[Reason]] = {}

    def add(person: object, reason: Reason) -> None:
        if isinstance(person, int):
            found.setdefault(person, set()).add(reason)

    add(event.author, Reason.AUTHOR)
    add(event.responsible, Reason.RESPONSIBLE)
    add(event.manager, Reason.MANAGER)
    for person in event.watchers:
        add(person, Reason.WATCHER)
    for person in event.consulted:
        add(person, Reason.CONSULTED)
    for change in event.changes:
        # Who lost a role has to know it; who has it (again) by now has the present reason.
        if change["field"] == "responsible" and change["old"] != event.responsible:
            add(change["old"], Reason.WAS_RESPONSIBLE)
        if change["field"] == "manager" and change["old"] != event.manager:
            add(change["old"], Reason.WAS_MANAGER)
    return {
        person: tuple(sorted(reasons, key=_ORDER.__getitem__)) for person, reasons in sorted(found.items())
    }


def recipients_for(event: EventFacts, people: Iterable[PersonFacts]) -> tuple[list[Told], list[NotTold]]:
    """Who is told and who is not, each person once, by id. A person that `people` does not have is gone:
    neither."""
    facts = {person.id: person for person in people}
    told: list[Told] = []
    not_told: list[NotTold] = []
    for person_id, reasons in reasons_for(event).items():
        person = facts.get(person_id)
        if person is None:
            continue
        why = why_not(event, person)
        if why is None:
            told.append(Told(person_id, reasons))
        else:
            not_told.append(NotTold(person_id, reasons, why))
    return told, not_told


def why_not(event: EventFacts, person: PersonFacts) -> Why | None:
    """The first thing that speaks against a mail to this person; None when nothing does."""
    if person.id == event.actor:
        return Why.ACTOR
    if not person.is_active:
        return Why.INACTIVE
    if not person.may_read:
        return Why.MAY_NOT_READ
    if person.id in event.muted:
        return Why.MUTED
    if person.only_account_mails:
        return Why.ONLY_ACCOUNT_MAILS
    return None
