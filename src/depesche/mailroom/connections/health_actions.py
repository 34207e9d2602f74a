"""The only writers of a connection's health, as the workers see it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from depesche.mailroom.connections import alarms
from depesche.mailroom.connections.history.models import Area
from depesche.mailroom.connections.history.recording import note_worked
from depesche.mailroom.connections.models import ConnectionHealth, OutgoingConnection


def pause(
    place: int,
    *,
    cause: str,
    stage: str = "",
    reply: str = "",
    next_probe_at: datetime | None,
    now: datetime,
    revision: int | None = None,
) -> bool:
    """The connection does not work: nothing is submitted until a probe succeeds or the settings change.

    Called again while it is paused, it counts a probe that failed; `since` stays. With `revision`, only while
    the settings are still those: what failed with others says nothing. Whether it rests.
    """
    with transaction.atomic():
        row = OutgoingConnection.objects.select_for_update().filter(place=place).first()
        if row is None:
            return True  # nothing is configured, and there is nothing to write it to
        if revision is not None and row.revision != revision:
            return False
        health, _made = ConnectionHealth.objects.get_or_create(connection=row)
        health.probes = health.probes + 1 if health.paused else 0
        health.since = health.since if health.paused else now
        health.paused = True
        health.cause, health.stage, health.reply = cause, stage, reply
        health.next_probe_at = next_probe_at
        health.save()
    alarms.forget()
    return True


def take_probe(place: int, *, seen: datetime | None, until: datetime) -> bool:
    """The probe that was due at `seen` is ours: nobody else makes one before `until`. False: another has
    it."""
    due = ConnectionHealth.objects.filter(connection__place=place, paused=True, next_probe_at=seen)
    return bool(due.update(next_probe_at=until))


def put_back_probe(place: int, *, taken_until: datetime, at: datetime) -> None:
    """The probe that was ours until then was not made: it is due again."""
    ours = ConnectionHealth.objects.filter(connection__place=place, paused=True, next_probe_at=taken_until)
    ours.update(next_probe_at=at)


def resume(place: int, *, now: datetime) -> None:
    """The connection works again."""
    ConnectionHealth.objects.filter(connection__place=place, paused=True).update(
        paused=False, since=now, cause="", stage="", reply="", probes=0, next_probe_at=None
    )
    alarms.forget()


def set_effective_cap(place: int, cap: int | None) -> None:
    """How many connections are used for now: fewer than configured after the server asked so; None: all."""
    with transaction.atomic():
        health = _health(place)
        if health is not None and health.effective_cap != cap:
            ConnectionHealth.objects.filter(pk=health.pk).update(effective_cap=cap)


def note_chunking_failed(place: int, server: str, *, now: datetime) -> None:
    """The server (host:port) announced CHUNKING and failed it: every worker leaves it alone for a while."""
    with transaction.atomic():
        health = _health(place)
        if health is not None:
            ConnectionHealth.objects.filter(pk=health.pk).update(
                chunking_failed_at=now, chunking_failed_with=server
            )


def note_accepted(place: int, *, now: datetime, revision: int = 0) -> None:
    """A mail was accepted. `revision`: of the settings that it went out by; 0 where that is not certain."""
    if revision:
        note_worked(Area.OUTGOING, place, revision=revision, now=now, proved=True)
    if not ConnectionHealth.objects.filter(connection__place=place).update(last_accepted_at=now):
        with transaction.atomic():
            health = _health(place)
            if health is not None:
                ConnectionHealth.objects.filter(pk=health.pk).update(last_accepted_at=now)


def _health(place: int) -> ConnectionHealth | None:
    connection = OutgoingConnection.objects.filter(place=place).first()
    if connection is None:
        return None
    health, _made = ConnectionHealth.objects.get_or_create(connection=connection)
    return health


def wake(place: int) -> None:
    """Settings or keystore have changed: what stopped the connection may just have been set right."""
    ConnectionHealth.objects.filter(connection__place=place).update(
        paused=False, cause="", stage="", reply="", probes=0, next_probe_at=None, effective_cap=None
    )
