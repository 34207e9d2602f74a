"""Alarms as other programs see them: `alarms list` and the REST interface say the same."""

from __future__ import annotations

from depesche.mailroom.connections.alarms import Alarm
from depesche.mailroom.connections.watching.queries import OccurrenceRow


def alarm_shown(alarm: Alarm) -> dict[str, object]:
    """What is wrong now."""
    words = alarm.words
    return {
        "level": alarm.level.value,
        "code": alarm.code,
        "since": alarm.since,
        "what": words.title,
        "why": words.why,
        "remedy": words.remedy,
    }


def occurrence_shown(row: OccurrenceRow) -> dict[str, object]:
    """What was wrong lately, and who was told."""
    return {
        "id": row.id,
        "level": row.level.value,
        "code": row.code,
        "what": row.title,
        "since": row.began_at,
        "over": row.over_at,
        "told": [f"{told.way} {told.event} {told.state}" for told in row.told],
    }
