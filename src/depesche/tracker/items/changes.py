"""What a change consists of, how two become one, and how it reads in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, TypedDict

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from depesche.tracker.items.models import Item

FIELDS: Final = ("title", "description", "state", "priority", "responsible", "manager", "due")
PEOPLE: Final = frozenset({"responsible", "manager"})
_OPEN: Final = frozenset({Item.State.OPEN, Item.State.IN_PROGRESS})

NOTHING: Final = "–"  # how an empty value reads

Value = str | int | None  # as JSON has it: people by id, dates as ISO 8601


class Change(TypedDict):
    """One field of one ItemEvent."""

    field: str
    old: Value
    new: Value


@dataclass(frozen=True)
class ReadableChange:
    """A change in the language in force."""

    field: str
    label: str
    old: str
    new: str


def merged(earlier: Sequence[Change], later: Sequence[Change]) -> list[Change]:
    """Both changes as one: the old values of the first, the new ones of the last; what came back to where
    it was falls out."""
    result = {change["field"]: change for change in earlier}
    for change in later:
        before = result.get(change["field"])
        old = before["old"] if before else change["old"]
        result[change["field"]] = {"field": change["field"], "old": old, "new": change["new"]}
    return [change for change in result.values() if change["old"] != change["new"]]


def is_open(state: str) -> bool:
    return state in _OPEN


def fields_of(changes: Iterable[Change]) -> frozenset[str]:
    return frozenset(change["field"] for change in changes)


def people_in(changes: Iterable[Change]) -> set[int]:
    """The ids of all people that the changes name."""
    return {
        value
        for change in changes
        if change["field"] in PEOPLE
        for value in (change["old"], change["new"])
        if isinstance(value, int)
    }


def label(field: str) -> str:
    return {
        "title": _("Title"),
        "description": _("Description"),
        "state": _("State"),
        "priority": _("Priority"),
        "responsible": _("Responsible"),
        "manager": _("Manager"),
        "due": _("Due"),
    }.get(field, field)


def date_in_words(day: date) -> str:
    """`Thursday, 19 November 2026`, `Donnerstag, 19. November 2026`."""
    # Translators: a day in full, as Django's date filter writes it
    return date_format(day, pgettext("date format", "l, j F Y"))


def readable(changes: Iterable[Change], names: Mapping[int, str]) -> list[ReadableChange]:
    """The changes in words; `names` are those of `people_in`."""
    return [
        ReadableChange(
            field=change["field"],
            label=label(change["field"]),
            old=value_in_words(change["field"], change["old"], names),
            new=value_in_words(change["field"], change["new"], names),
        )
        for change in changes
    ]


def value_in_words(field: str, value: Value, names: Mapping[int, str]) -> str:
    """A value for people; an empty one is a dash."""
    if value in (None, ""):
        return NOTHING
    if field in PEOPLE and isinstance(value, int):
        return names.get(value, NOTHING)
    if field == "state" and value in Item.State.values:
        return str(Item.State(value).label)
    if field == "priority" and isinstance(value, int) and value in Item.Priority.values:
        return str(Item.Priority(value).label)
    if field == "due" and isinstance(value, str):
        return date_in_words(date.fromisoformat(value))
    return str(value)
