"""When an item is in a reminder. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Final

LEAD_DAYS: Final = 3  # days before the due date
EVERY_DAY: Final = frozenset(range(7))


def next_day(day: date, weekdays: Collection[int] = EVERY_DAY) -> date:
    """The next day after this one on which reminders go out (Monday is 0)."""
    for ahead in range(1, 8):
        later = day + timedelta(days=ahead)
        if later.weekday() in weekdays:
            return later
    raise ValueError("there is no day on which reminders go out")


def is_in_reminder(
    due: date, today: date, *, lead_days: int = LEAD_DAYS, weekdays: Collection[int] = EVERY_DAY
) -> bool:
    """Whether an item due on that day belongs into today's reminder.

    Early enough: who gets reminders on some weekdays only is warned on the last such day that is still at
    least `lead_days` ahead, rather than on the first one within them. With a lead of 3 days, Mondays and
    Thursdays, an item due on a Friday is in Monday's reminder already; the simple rule would first name it
    on Thursday, one day ahead.
    """
    return due - timedelta(days=lead_days) < next_day(today, weekdays)


def days_late(due: date, today: date) -> int:
    """Days since the due date; negative before it."""
    return (today - due).days
