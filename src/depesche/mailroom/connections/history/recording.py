"""Writing down a change, in the transaction that makes it. Called by the actions alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from depesche.mailroom.connections.history.models import Act, Area, SettingsChange

SET, CLEARED, REPLACED = "set", "cleared", "replaced"  # all that is ever said of a secret
_SURE_AFTER = timedelta(seconds=15)  # a look into a mailbox may still be under way by the settings before
_KEPT = timedelta(days=730)
_noted: dict[tuple[str, int], int] = {}  # the revision last found to work, in this process


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What differs, key by key.

    >>> differences({"port": 25, "host": "a"}, {"port": 587, "host": "a"})
    [{'key': 'port', 'old': 25, 'new': 587}]
    """
    return [
        {"key": key, "old": before.get(key), "new": after.get(key)}
        for key in after
        if before.get(key) != after.get(key)
    ]


def secret_change(key: str, *, had: bool, has: bool, typed: bool) -> list[dict[str, Any]]:
    """What became of a secret, without a word of it.

    >>> secret_change("password", had=True, has=True, typed=True)
    [{'key': 'password', 'secret': 'replaced'}]
    """
    if typed and has:
        return [{"key": key, "secret": REPLACED if had else SET}]
    return [{"key": key, "secret": CLEARED}] if had and not has else []


def record(
    area: Area,
    act: Act,
    *,
    by: Any = None,
    subject: str = "",
    changes: Iterable[Mapping[str, Any]] = (),
    place: int = 0,
    now: datetime | None = None,
) -> None:
    """Write down something that was done."""
    SettingsChange.objects.create(
        at=now or timezone.now(),
        by=by if by is not None and by.is_authenticated else None,
        by_name=name_of(by),
        area=area,
        place=place,
        act=act,
        subject=subject[:300],
        changes=list(changes),
    )


@dataclass(frozen=True)
class Snapshot:
    """Settings at one time, without secrets: `saved_at` is None where there were none, `worked_at` the last
    time that they are known to have worked."""

    values: Mapping[str, Any]
    has_password: bool = False
    revision: int = 0
    saved_at: datetime | None = None
    worked_at: datetime | None = None


def record_settings(
    area: Area,
    before: Snapshot,
    after: Snapshot,
    *,
    place: int,
    typed: bool,
    by: Any = None,
    restored: bool = False,
) -> None:
    """Write down a change of settings that can be restored; nothing where nothing differs. What was in force
    before the first change becomes a row of its own. `typed`: a password was typed."""
    changes = [
        *differences(before.values, after.values),
        *secret_change("password", had=before.has_password, has=after.has_password, typed=typed),
    ]
    if not changes:
        return
    now = timezone.now()
    rows = SettingsChange.objects.filter(area=area, place=place)
    if before.saved_at is not None and not rows.exists():
        worked = before.worked_at is not None and before.worked_at >= before.saved_at
        SettingsChange.objects.create(
            at=before.saved_at,
            area=area,
            place=place,
            act=Act.FOUND,
            values=dict(before.values),
            worked_at=before.worked_at if worked else None,
        )
    SettingsChange.objects.create(
        at=now,
        by=by if by is not None and by.is_authenticated else None,
        by_name=name_of(by),
        area=area,
        place=place,
        act=Act.RESTORED if restored else Act.CHANGED,
        changes=changes,
        values=dict(after.values),
        revision=after.revision,
    )
    SettingsChange.objects.filter(at__lt=now - _KEPT, worked_at=None).delete()


def note_worked(area: Area, place: int, *, revision: int, now: datetime, proved: bool = False) -> None:
    """The settings of this revision were seen to work. `proved`: a mail was accepted, or a test passed, by
    exactly these; otherwise very new settings are not vouched for. Cheap when it is known already."""
    if _noted.get((area, place)) == revision:
        return
    row = (
        SettingsChange.objects.filter(area=area, place=place, values__isnull=False, revision__lte=revision)
        .order_by("-pk")
        .first()
    )
    if row is not None and not proved and now - row.at < _SURE_AFTER:
        return
    if row is not None and row.worked_at is None:
        SettingsChange.objects.filter(pk=row.pk).update(worked_at=now)
    _noted[(area, place)] = revision


def forget() -> None:
    """Nothing is known to work any more in this process, as after another database was put in its place."""
    _noted.clear()


def name_of(by: Any) -> str:
    """How a person is named in the history; empty for a command or the system."""
    if by is None or not by.is_authenticated:
        return ""
    return str(getattr(by, "name", "") or by.get_username())[:200]
