"""How the outbox stands, for the status page of the connections (which lie below and cannot look up here)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Q

from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections.alarms import Alarm, Level
from depesche.mailroom.connections.figures import OutboxFigures
from depesche.mailroom.connections.queries import Flow
from depesche.mailroom.connections.watching import queries as watching
from depesche.mailroom.outbox.models import OutboxMessage, OutboxRecipient, WorkerPresence
from depesche.mailroom.outbox.queries import needs_a_person, oldest_due, slots_used
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
        failover_slots_used=slots_used(now, place=1),
        workers=WorkerPresence.objects.filter(place=0, seen_until__gt=now).count(),
    )


_WAITING = (State.QUEUED, State.DEFERRED)
_LOOK_BACK = timedelta(minutes=15)
_LONG_HELD = 10  # mails that wait for a person before it becomes an alarm


def waiting() -> int:
    """How many mails wait, however long."""
    return OutboxRecipient.objects.filter(state__in=_WAITING).count()


def alarms(now: datetime) -> Iterator[Alarm]:
    """No worker, late mails, a queue that grows, mails that pile up for a person or fail. Cheap with a
    million rows."""
    ways = watching.alarm_ways()
    oldest = oldest_due(now)
    workers = WorkerPresence.objects.filter(seen_until__gt=now).exists()
    if not workers:
        level = Level.CRITICAL if oldest is not None else Level.WARNING
        yield Alarm("no-worker", level, since=oldest, link="connections:status")
    elif connections.health().flow is Flow.FLOWING:  # a pause says it all
        if oldest is not None and now - oldest > timedelta(minutes=ways.late):
            minutes = int((now - oldest).total_seconds() // 60)
            yield Alarm("mails-late", Level.CRITICAL, {"minutes": minutes}, since=oldest, link="outbox:list")
        samples = watching.waiting_since(now - _LOOK_BACK)
        if watching.is_growing(samples):
            facts = {"before": samples[0][1], "count": samples[-1][1]}
            yield Alarm("queue-grows", Level.WARNING, facts, since=samples[0][0], link="outbox:list")
    held = needs_a_person()
    if held >= _LONG_HELD:
        yield Alarm("mails-held", Level.WARNING, {"count": held}, link="outbox:list")
    failed = failed_since(now - _DAY)
    if failed >= ways.failed_per_day:
        yield Alarm("mails-fail", Level.WARNING, {"count": failed}, link="outbox:list")


def failed_since(start: datetime) -> int:
    """How many mails failed or expired since then, among the newest."""
    newest = OutboxRecipient.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return OutboxRecipient.objects.filter(
        state__in=[State.FAILED, State.EXPIRED], pk__gt=newest - _NEWEST, updated_at__gte=start
    ).count()
