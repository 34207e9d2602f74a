"""The states of a recipient and every permitted change between them (design: "States").

One table owns the rules; actions.py and queue.py ask it, docs/states/outbox.md is generated from it.
"""

from __future__ import annotations

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
