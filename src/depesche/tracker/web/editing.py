"""Two people edit one item at a time: what is written, and what somebody has to look at. Pure.

The form carries what its reader saw. Only fields that the person really changed are written, so that two
people who change different fields do not disturb each other. A field that was changed by both is shown with
the other's value, and nothing is written until the person saw it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FIELDS = ("title", "description", "state", "priority", "responsible", "manager", "due")


@dataclass(frozen=True)
class Plan:
    """`changes` is to be written; with `conflicts` (fields) nothing is."""

    changes: Mapping[str, Any]
    conflicts: tuple[str, ...]


def seen_of(values: Mapping[str, Any]) -> str:
    """What the form's reader sees, as one short text for a hidden field."""
    return json.dumps({name: _digest(values[name]) for name in FIELDS}, separators=(",", ":"))


def plan(seen: str, current: Mapping[str, Any], wanted: Mapping[str, Any]) -> Plan:
    """What to write. A `seen` that cannot be read counts as "saw what is there now"."""
    before = _read(seen)
    changes: dict[str, Any] = {}
    conflicts: list[str] = []
    for name in FIELDS:
        if name not in wanted:
            continue
        now, new = _digest(current[name]), _digest(wanted[name])
        saw = before.get(name, now)
        if new in (saw, now):
            continue  # untouched by this person, or already so
        if saw != now:
            conflicts.append(name)
        else:
            changes[name] = wanted[name]
    return Plan(changes, tuple(conflicts))


def _digest(value: Any) -> str:
    """A value as a short text: equal exactly when the values are, whoever chose the line ends."""
    if value is None:
        text = ""
    elif hasattr(value, "pk"):
        text = str(value.pk)
    elif hasattr(value, "isoformat"):
        text = value.isoformat()
    else:
        text = str(value).replace("\r\n", "\n").strip()
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _read(seen: str) -> dict[str, str]:
    try:
        values = json.loads(seen)
    except ValueError:
        return {}
    if not isinstance(values, dict):
        return {}
    return {name: value for name, value in values.items() if name in FIELDS and isinstance(value, str)}
