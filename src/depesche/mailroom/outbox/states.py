"""The states of a recipient and every permitted change between them.

One table owns the rules; actions.py and queue.py ask it, docs/states/outbox.md is generated from it.
"""

from __future__ import annotations

from itertools import pairwise

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class State(TextChoices):
    QUEUED = "queued", _("queued")
    IN_FLIGHT = "in_flight", _("in flight")
    ACCEPTED = "accepted", _("accepted")
    DEFERRED = "deferred", _("deferred")
    FAILED = "failed", _("failed")
    UNCERTAIN = "uncertain", _("uncertain")
    HELD = "held", _("held")
    EXPIRED = "expired", _("expired")
    DELIVERED = "delivered", _("delivered")
    DELAYED = "delayed", _("delayed")
    BOUNCED = "bounced", _("bounced")
    CANCELLED = "cancelled", _("cancelled")
    SUPPRESSED = "suppressed", _("suppressed")


S = State

TRANSITIONS: dict[State, frozenset[State]] = {
    S.QUEUED: frozenset({S.IN_FLIGHT, S.CANCELLED, S.SUPPRESSED, S.EXPIRED}),
    S.IN_FLIGHT: frozenset({S.ACCEPTED, S.DEFERRED, S.FAILED, S.UNCERTAIN, S.QUEUED, S.HELD}),
    S.DEFERRED: frozenset({S.IN_FLIGHT, S.EXPIRED, S.CANCELLED, S.SUPPRESSED}),
    S.UNCERTAIN: frozenset({S.QUEUED, S.ACCEPTED, S.HELD, S.CANCELLED}),
    S.HELD: frozenset({S.QUEUED, S.CANCELLED}),
    S.ACCEPTED: frozenset({S.DELIVERED, S.DELAYED, S.BOUNCED}),
    S.DELAYED: frozenset({S.DELIVERED, S.BOUNCED}),
    S.DELIVERED: frozenset(),
    S.BOUNCED: frozenset(),
    S.FAILED: frozenset({S.QUEUED}),
    S.EXPIRED: frozenset({S.QUEUED}),
    S.SUPPRESSED: frozenset({S.QUEUED}),
    S.CANCELLED: frozenset(),
}

# What a person may still do something about, and what still may go out by itself.
WAITING: frozenset[State] = frozenset({S.QUEUED, S.IN_FLIGHT, S.DEFERRED, S.UNCERTAIN})
FINAL: frozenset[State] = frozenset(state for state, after in TRANSITIONS.items() if not after)


def permitted(*path: State) -> bool:
    """Whether a recipient may go through these states in this order (within one transaction or several)."""
    return all(after in TRANSITIONS[before] for before, after in pairwise(path))


def sources_of(state: State) -> frozenset[State]:
    """The states from which one step leads to this one."""
    return frozenset(before for before, after in TRANSITIONS.items() if state in after)


def diagram() -> str:
    """The table as a mermaid state diagram (docs/states/outbox.md)."""
    lines = ["stateDiagram-v2", "    [*] --> queued"]
    for before in State:
        lines += [f"    {before.value} --> {after.value}" for after in State if after in TRANSITIONS[before]]
        if before in FINAL:
            lines.append(f"    {before.value} --> [*]")
    return "\n".join(lines)
