"""Reading the history: frozen rows, the newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from depesche.mailroom.connections.history.models import Act, Area, SettingsChange


@dataclass(frozen=True)
class Difference:
    """One value before and after; of a secret (`secret`) only what became of it."""

    key: str
    old: Any = None
    new: Any = None
    secret: str = ""


@dataclass(frozen=True)
class ChangeRow:
    """One change. `by` is "" where no person did it. `values`: what a restoration would save, None where
    there is nothing to restore."""

    id: int
    at: datetime
    by: str
    area: Area
    place: int
    act: Act
    subject: str
    differences: tuple[Difference, ...]
    values: Mapping[str, Any] | None
    worked_at: datetime | None

    @property
    def area_label(self) -> str:
        return str(self.area.label)

    @property
    def act_label(self) -> str:
        return str(self.act.label)


def changes(area: str = "", *, before: int | None = None, limit: int = 50) -> list[ChangeRow]:
    """The newest changes; `before` continues a list behind a row."""
    rows = SettingsChange.objects.order_by("-pk")
    if area:
        rows = rows.filter(area=area)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return [_row(one) for one in rows[:limit]]


def change(change_id: int) -> ChangeRow | None:
    row = SettingsChange.objects.filter(pk=change_id).first()
    return _row(row) if row is not None else None


def last_that_worked(area: Area, place: int, present: Mapping[str, Any]) -> ChangeRow | None:
    """The newest settings that were seen to work and are not the present ones."""
    proved = SettingsChange.objects.filter(
        area=area, place=place, worked_at__isnull=False, values__isnull=False
    )
    for row in proved.order_by("-pk")[:50]:
        values = row.values or {}
        if any(values[key] != value for key, value in present.items() if key in values):
            return _row(row)
    return None


def _row(one: SettingsChange) -> ChangeRow:
    return ChangeRow(
        id=one.pk,
        at=one.at,
        by=one.by_name,
        area=Area(one.area),
        place=one.place,
        act=Act(one.act),
        subject=one.subject,
        differences=tuple(
            Difference(each["key"], each.get("old"), each.get("new"), each.get("secret", ""))
            for each in one.changes
        ),
        values=one.values,
        worked_at=one.worked_at,
    )
