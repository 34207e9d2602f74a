"""How the outbox stands, for the status page of the connections (which lie below and cannot look up here)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Count, Q

from depesche.mailroom.connections.figures import OutboxFigures
from depesche.mailroom.outbox.models import OutboxMessage, OutboxRecipient, WorkerPresence
from depesche.mailroom.outbox.queries import needs_a_person, slots_used
from depesche.mailroom.outbox.states import State

_DAY = timedelta(hours=24)
_WEEK = timedelta(days=7)
_NEWEST = 100_000  # rows that are looked through: a page must not read a year of mails


def figures(now: datetime) -> OutboxFigures:
    """Counts over the newest mails; what waits is counted in full (it has an index)."""
    waiting = dict(
        OutboxRecipient.objects.filter(state__in=[State.QUEUED, State.IN_FLIGHT, State.DEFERRED])
        .values_list("state")
        .annotate(count=Count("pk"))
        .order_by("state")
    )
    newest = OutboxRecipient.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    lately = OutboxRecipient.objects.filter(pk__gt=newest - _NEWEST).aggregate(
        accepted=Count("pk", filter=Q(accepted_at__gt=now - _DAY)),
        bounced=Count("pk", filter=Q(state=State.BOUNCED, updated_at__gt=now - _DAY)),
        failed=Count("pk", filter=Q(state__in=[State.FAILED, State.EXPIRED], updated_at__gt=now - _WEEK)),
    )
    message = OutboxMessage.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    recent = OutboxMessage.objects.filter(pk__gt=message - _NEWEST, fell_back=True, created_at__gt=now - _DAY)
    return OutboxFigures(
        waiting=waiting.get(State.QUEUED, 0) + waiting.get(State.IN_FLIGHT, 0),
        deferred=waiting.get(State.DEFERRED, 0),
        needs_person=needs_a_person(),
        failed=lately["failed"],
        accepted_24h=lately["accepted"],
        bounced_24h=lately["bounced"],
        fell_back_24h=recent.count(),
        slots_used=slots_used(now),
        workers=WorkerPresence.objects.filter(seen_until__gt=now).count(),
    )
