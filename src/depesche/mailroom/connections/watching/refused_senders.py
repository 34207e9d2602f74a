"""The administrator is told once that a server refuses a From: until somebody has seen it (M13)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from depesche.mailroom.connections import senders
from depesche.mailroom.connections.alarms import Alarm, Level


def refused(now: datetime) -> Iterator[Alarm]:
    """One for each learnt rule that nobody has acknowledged."""
    for rule in senders.rules(unseen=True):
        yield Alarm(
            "from-refused",
            Level.WARNING,
            {"host": rule.host, "domain": rule.domain, "address": rule.address, "reply": rule.reply[:200]},
            since=rule.learnt_at,
            link="connections:outgoing",
            about=f"{rule.host} {rule.domain}",
        )
