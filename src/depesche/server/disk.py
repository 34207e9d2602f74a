"""The disk on which this installation lies."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from depesche.mailroom.connections.alarms import Alarm, Fact, Level

LITTLE_ROOM = 100 * 1024 * 1024  # octets; a few mails with attachments
SOON_FULL = 1024 * 1024 * 1024


def alarms(now: datetime) -> Iterator[Alarm]:
    """Little room where the database and its journal grow."""
    home = settings.ENVIRONMENT.home
    free = shutil.disk_usage(home).free
    if free < SOON_FULL:
        level = Level.CRITICAL if free < LITTLE_ROOM else Level.WARNING
        facts: dict[str, Fact] = {"megabytes": free // (1024 * 1024), "place": str(home)}
        yield Alarm("disk-full", level, facts, link="connections:status")
