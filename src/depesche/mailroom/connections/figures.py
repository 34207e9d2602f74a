"""What the pages of the connections show of the rooms above them: outbox and inbox say here how they stand.

Connections lie below both and cannot import them; each registers its reader when its app is ready.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class OutboxFigures:
    """How the outbox stands. Counts of recipients; `…_24h` within the last 24 hours."""

    waiting: int = 0  # queued or in flight
    deferred: int = 0
    needs_person: int = 0  # uncertain and held back
    failed: int = 0
    accepted_24h: int = 0
    bounced_24h: int = 0
    fell_back_24h: int = 0  # went out in UTF-8, since the chosen charset could not carry them
    slots_used: int = 0
    failover_slots_used: int = 0
    workers: int = 0


@dataclass(frozen=True)
class InboxFigures:
    """How the inbox stands."""

    taken_24h: int = 0  # became a comment or an item
    held: int = 0


_waiting: Callable[[], int] | None = None
_outbox: Callable[[datetime], OutboxFigures] | None = None
_inbox: Callable[[datetime], InboxFigures] | None = None


def register_outbox(
    reader: Callable[[datetime], OutboxFigures], *, waiting: Callable[[], int] | None = None
) -> None:
    """`waiting`: how many mails wait in all; asked once a minute, to see whether the queue grows."""
    global _outbox, _waiting
    _outbox, _waiting = reader, waiting


def register_inbox(reader: Callable[[datetime], InboxFigures]) -> None:
    global _inbox  # noqa: PLW0603  one inbox, registered once
    _inbox = reader


def outbox(now: datetime) -> OutboxFigures | None:
    """None where no outbox is installed."""
    return _outbox(now) if _outbox is not None else None


def waiting() -> int | None:
    """How many mails wait; None where no outbox says so."""
    return _waiting() if _waiting is not None else None


def inbox(now: datetime) -> InboxFigures | None:
    """None where no inbox is installed."""
    return _inbox(now) if _inbox is not None else None
