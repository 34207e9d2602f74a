"""From one look to the next: which alarms began, which go on, which are over, and what has to be told.

`observe` writes in one transaction, by the one process that watches; unique rows guard against a second. What
is to be told is decided purely.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from depesche.mailroom.connections.alarms import Alarm, Level
from depesche.mailroom.connections.watching.models import AlarmOccurrence, AlarmTelling
from depesche.mailroom.connections.watching.queries import AlarmWays

Event = AlarmTelling.Event
State = AlarmTelling.State
GRACE = timedelta(seconds=60)  # an alarm that comes back within this was never over
KEPT = timedelta(days=90)
_CHUNK = 500


@dataclass(frozen=True)
class Standing:
    """What the decision needs of one occurrence: how it is, and how far each event was told through a way."""

    level: Level
    first_level: Level
    seen_at: datetime
    over: bool
    told: Mapping[str, str]  # event -> state


def events_due(standing: Standing, *, least: Level, patience: timedelta, now: datetime) -> list[str]:
    """The events that have to be told now, and were not begun to be.

    >>> from datetime import UTC
    >>> at = datetime(2026, 11, 27, 12, tzinfo=UTC)
    >>> one = Standing(Level.CRITICAL, Level.CRITICAL, at, over=False, told={})
    >>> least, patience = Level.WARNING, timedelta(minutes=5)
    >>> events_due(one, least=least, patience=patience, now=at + timedelta(minutes=4))
    []
    >>> [str(e) for e in events_due(one, least=least, patience=patience, now=at + timedelta(minutes=5))]
    ['alarm']
    """
    began = standing.told.get(Event.BEGAN)
    if standing.over:
        return [Event.OVER] if began == State.DONE and Event.OVER not in standing.told else []
    if least is Level.CRITICAL and standing.level is Level.WARNING:
        return []
    if began is None:
        return [Event.BEGAN] if now - standing.seen_at >= patience else []
    worse = standing.level is Level.CRITICAL and standing.first_level is Level.WARNING
    if worse and began == State.DONE and Event.WORSE not in standing.told:
        return [Event.WORSE]
    return []


def observe(found: Sequence[Alarm], ways: AlarmWays, *, now: datetime) -> None:
    """Write down what was found, and what has to be told of it through the ways that are set up."""
    with transaction.atomic():
        running = {row.key: row for row in AlarmOccurrence.objects.filter(over_at=None)}
        for alarm in found:
            row = running.pop(alarm.key, None)
            if row is None:
                _begin(alarm, now)
            else:
                _go_on(row, alarm)
        for row in running.values():
            _absent(row, now)
        for way in ways.ways:
            _put_up(way, ways, now)
        _forget(now)


def _begin(alarm: Alarm, now: datetime) -> None:
    words = alarm.words
    AlarmOccurrence.objects.create(
        key=alarm.key,
        code=alarm.code,
        level=alarm.level,
        first_level=alarm.level,
        facts=_plain(alarm.facts),
        words={"title": words.title, "why": words.why, "remedy": words.remedy},
        link=alarm.link,
        began_at=alarm.since or now,
        seen_at=now,
    )


def _go_on(row: AlarmOccurrence, alarm: Alarm) -> None:
    """Written only where something changed: each write wakes whoever waits for a change."""
    words = alarm.words
    facts, said = _plain(alarm.facts), {"title": words.title, "why": words.why, "remedy": words.remedy}
    new = (alarm.level.value, facts, said, None)
    if (row.level, row.facts, row.words, row.absent_since) != new:
        row.level, row.facts, row.words, row.absent_since = new
        row.save(update_fields=["level", "facts", "words", "absent_since"])


def _absent(row: AlarmOccurrence, now: datetime) -> None:
    if row.absent_since is None:
        AlarmOccurrence.objects.filter(pk=row.pk).update(absent_since=now)
    elif now - row.absent_since >= GRACE:
        AlarmOccurrence.objects.filter(pk=row.pk).update(over_at=row.absent_since)
        # What was never told needs no telling any more.
        AlarmTelling.objects.filter(occurrence=row, state=State.DUE).update(state=State.DROPPED)


def _put_up(way: str, ways: AlarmWays, now: datetime) -> None:
    rows = AlarmOccurrence.objects.filter(over_at=None, absent_since=None) | AlarmOccurrence.objects.filter(
        over_at__gt=now - KEPT, tellings__way=way, tellings__event=Event.BEGAN, tellings__state=State.DONE
    )
    chosen = list(rows.distinct().order_by("-pk")[:_CHUNK])
    told: dict[int, dict[str, str]] = {}
    tellings = AlarmTelling.objects.filter(way=way, occurrence__in=[row.pk for row in chosen])
    for occurrence, event, state in tellings.values_list("occurrence_id", "event", "state"):
        told.setdefault(occurrence, {})[event] = state
    for row in chosen:
        standing = Standing(
            Level(row.level),
            Level(row.first_level),
            row.seen_at,
            row.over_at is not None,
            told.get(row.pk, {}),
        )
        for event in events_due(
            standing, least=Level(ways.level), patience=timedelta(minutes=ways.patience), now=now
        ):
            AlarmTelling.objects.get_or_create(
                occurrence=row, way=way, event=event, defaults={"next_at": now}
            )


def _forget(now: datetime) -> None:
    AlarmOccurrence.objects.filter(over_at__lt=now - KEPT).delete()


def _plain(facts: Mapping[str, object]) -> dict[str, object]:
    """The facts as JSON has them."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in facts.items()
    }
