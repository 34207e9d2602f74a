"""Small commands in the first lines of a mail: `state: closed`, `responsible: jane@example.org`. Pure.

They stand alone on the first lines, before the text. Words are English or German; what is no command is text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from depesche.tracker.items.models import Item

_LINE: Final = re.compile(r"\s{0,3}\**([A-Za-zÄÖÜäöüß]{3,15})\**\s{0,3}:\**\s{0,3}(\S.{0,300}?)\s*")
_MOST: Final = 10
_NAMES: Final = {
    "state": "state", "status": "state", "zustand": "state",
    "responsible": "responsible", "assignee": "responsible", "verantwortlich": "responsible",
    "zuständig": "responsible", "bearbeiter": "responsible",
    "due": "due", "deadline": "due", "fällig": "due", "termin": "due", "frist": "due",
    "priority": "priority", "priorität": "priority", "prio": "priority",
}  # fmt: skip
_STATES: Final = {
    "open": Item.State.OPEN, "offen": Item.State.OPEN, "reopen": Item.State.OPEN, "reopened": Item.State.OPEN,
    "in progress": Item.State.IN_PROGRESS, "in_progress": Item.State.IN_PROGRESS,
    "in arbeit": Item.State.IN_PROGRESS, "in bearbeitung": Item.State.IN_PROGRESS,
    "done": Item.State.DONE, "erledigt": Item.State.DONE, "fertig": Item.State.DONE,
    "closed": Item.State.CLOSED, "close": Item.State.CLOSED, "geschlossen": Item.State.CLOSED,
    "abgeschlossen": Item.State.CLOSED,
}  # fmt: skip
_PRIORITIES: Final = {
    "1": 1, "low": 1, "niedrig": 1, "gering": 1,
    "2": 2, "normal": 2, "mittel": 2,
    "3": 3, "high": 3, "hoch": 3,
    "4": 4, "urgent": 4, "dringend": 4,
}  # fmt: skip
_NOBODY: Final = frozenset({"-", "–", "none", "nobody", "niemand", "keiner", "kein"})
_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_GERMAN: Final = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})")


@dataclass(frozen=True)
class Command:
    """One line. `value` is what it means: a state, a priority, a date, an address, None for nobody or no
    date. `understood` is False where the value says nothing."""

    line: str
    field: str
    value: str | int | date | None = None
    understood: bool = True


@dataclass(frozen=True)
class Commands:
    """The commands of a mail, and the text below them."""

    found: tuple[Command, ...]
    text: str


def read(text: str) -> Commands:
    """The commands that stand on the first lines. Never raises."""
    lines = text.split("\n")
    found: list[Command] = []
    at = 0
    while at < len(lines) and len(found) < _MOST:
        if not lines[at].strip():
            at += 1
            if found:
                break  # a blank line ends them
            continue
        command = _command(lines[at])
        if command is None:
            break
        found.append(command)
        at += 1
    if not found:
        return Commands((), text)
    return Commands(tuple(found), "\n".join(lines[at:]).strip("\n"))


def _command(line: str) -> Command | None:
    match = _LINE.fullmatch(line[:400])
    field = _NAMES.get(match[1].lower()) if match else None
    if match is None or field is None:
        return None
    words = match[2].strip().strip("*_").strip()
    lowered = " ".join(words.lower().split()).rstrip(".")
    shown = " ".join(line.split())[:200]
    if field == "state":
        state = _STATES.get(lowered)
        return Command(shown, field, str(state) if state else None, understood=state is not None)
    if field == "priority":
        priority = _PRIORITIES.get(lowered)
        return Command(shown, field, priority, understood=priority is not None)
    if lowered in _NOBODY:
        return Command(shown, field, None)
    if field == "due":
        day = _day(words)
        return Command(shown, field, day, understood=day is not None)
    return Command(shown, field, _address(words))


def _day(words: str) -> date | None:
    iso, german = _ISO.fullmatch(words), _GERMAN.fullmatch(words.rstrip())
    numbers = iso.groups() if iso else tuple(reversed(german.groups())) if german else None
    if numbers is None:
        return None
    try:
        return date(*(int(number) for number in numbers))
    except ValueError:
        return None


def _address(words: str) -> str:
    """`jane@example.org` of `Jane <jane@example.org>` or of a link that a mail program made of it."""
    inner = re.search(r"[^\s<>\[\]():,;]{1,200}@[^\s<>\[\]():,;]{1,200}", words)
    return inner.group().removeprefix("mailto:") if inner else words
