"""What the connections look at: whether the way out works, and whether the way in brings anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from depesche.mailroom.connections import queries
from depesche.mailroom.connections.alarms import Alarm, Level
from depesche.mailroom.connections.diagnosis.pauses import cause_of_pause
from depesche.mailroom.connections.queries import Flow


def way_out(now: datetime) -> Iterator[Alarm]:
    """No server, or a connection that is paused, with the cause in the reader's language."""
    settings, health = queries.outgoing(), queries.health()
    if health.flow is Flow.UNCONFIGURED:
        yield Alarm("no-server", Level.WARNING, link="connections:outgoing")
    elif health.flow is Flow.PAUSED:
        cause = cause_of_pause(health)
        yield Alarm(
            "paused",
            Level.CRITICAL,
            {
                "host": settings.host,
                "port": settings.port,
                "cause": cause.code,
                "detail": f"{cause.title}. {cause.sentence}".rstrip(".") + ".",
                "remedy": cause.remedy,
            },
            since=health.since,
            link="connections:outgoing",
        )
