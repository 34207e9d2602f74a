"""The watch over certificates, as a task of the worker.

What sessions were shown is known without asking (smtpclient.seen). A server is asked only where no session
tells: the connection rests because of its certificate, or nothing was submitted for a day, or an end is near
and may have been averted since.
"""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta

from depesche.mailroom.connections import certificates, queries
from depesche.mailroom.connections.fetch import CannotFetch, fetch
from depesche.mailroom.connections.keystore import trust_for
from depesche.mailroom.connections.presented import actions
from depesche.mailroom.connections.presented.models import PresentedCertificate
from depesche.mailroom.connections.presented.queries import Target, targets
from depesche.mailroom.connections.queries import Flow
from depesche.smtpclient import seen

log = logging.getLogger(__name__)

PATIENCE = 10.0  # seconds for a server that is asked
_AFTER_PAUSE = timedelta(minutes=5)  # between two questions while a certificate does not verify
_UNUSED = timedelta(days=1)
_NEAR = timedelta(days=30)
_NEAR_PAUSE = timedelta(hours=6)


class WatchCertificates:
    """Write down what was shown; ask where nobody was."""

    name = "certificates"
    pause = 15.0
    wakes_on_change = False

    def __init__(self) -> None:
        self._written = 0.0

    def run(self, now: datetime, stop: threading.Event) -> int:
        watched = targets()
        self._write(watched)
        for target in watched:
            if stop.is_set():
                break
            if due(target, row := _row(target), now) and _taken(row, now):
                look(target, now=now)
        return 0

    def _write(self, watched: list[Target]) -> None:
        wanted = {(target.host, target.port) for target in watched}
        latest = self._written
        for shown in seen.shown():
            if shown.at <= self._written or (shown.host, shown.port) not in wanted:
                continue
            latest = max(latest, shown.at)
            certificate = certificates.from_der(shown.der)
            if certificate is not None:
                at = datetime.fromtimestamp(shown.at, UTC)
                actions.note(shown.host, shown.port, certificate, now=at)
        self._written = latest


def due(target: Target, row: PresentedCertificate | None, now: datetime) -> bool:
    """Whether the server has to be asked, since no session tells what it shows."""
    asked = row.looked_at if row is not None else None
    rested = asked is None or now >= asked + _AFTER_PAUSE
    if target.place is not None:
        health = queries.health(target.place)
        if health.flow is Flow.PAUSED and health.cause.startswith("cert-"):
            return rested
    if row is None:
        return False
    if row.problem:
        return rested
    known = max(row.seen_at, asked or row.seen_at)
    if row.not_after <= now + _NEAR:
        return now >= known + _NEAR_PAUSE
    return now >= known + _UNUSED


def look(target: Target, *, now: datetime) -> None:
    """Ask the server, and write down what it shows and whether that verifies."""
    trust = trust_for(target.host, target.port)
    try:
        found = fetch(target.host, target.port, starttls=target.starttls, trust=trust, timeout=PATIENCE)
    except CannotFetch as error:
        log.info("%s:%s showed no certificate: %s", target.host, target.port, error.cause.value)
        return
    problem = found.problem.value if found.problem is not None else ""
    row = actions.note(target.host, target.port, found.chain[0], problem=problem, now=now)
    actions.take(row.pk, before=row.looked_at, now=now)


def _row(target: Target) -> PresentedCertificate | None:
    return PresentedCertificate.objects.filter(host=target.host, port=target.port).first()


def _taken(row: PresentedCertificate | None, now: datetime) -> bool:
    return row is None or actions.take(row.pk, before=row.looked_at, now=now)
