"""Writing down what servers showed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from depesche.mailroom.connections import alarms
from depesche.mailroom.connections.certificates import Certificate
from depesche.mailroom.connections.presented.models import PresentedCertificate

_FRESH = timedelta(minutes=30)
"""How exactly it is known when a certificate was seen last: a row is not written at each session."""


def note(
    host: str, port: int, certificate: Certificate, *, problem: str = "", now: datetime
) -> PresentedCertificate:
    """A server showed this certificate. Another one than before is news; of two that take turns, as behind a
    balancer, only the first change is."""
    with transaction.atomic():
        row = PresentedCertificate.objects.select_for_update().filter(host=host, port=port).first()
        if row is None:
            row = PresentedCertificate(host=host, port=port)
        elif row.sha256 == certificate.sha256 and row.problem == problem and now < row.seen_at + _FRESH:
            return row
        elif row.sha256 != certificate.sha256:
            known = row.old_sha256 == certificate.sha256 and problem == row.problem == ""
            row.old_sha256, row.old_subject = row.sha256, row.subject
            row.old_issuer, row.old_not_after = row.issuer, row.not_after
            if not known:
                row.changed_at, row.noticed_at = now, None
        row.pem, row.sha256 = certificate.pem, certificate.sha256
        row.subject, row.issuer = certificate.subject, certificate.issuer
        row.not_before, row.not_after = certificate.not_before, certificate.not_after
        row.problem, row.seen_at = problem, now
        row.save()
    return row


def take(row_id: int, *, before: datetime | None, now: datetime) -> bool:
    """Whether it is this process that asks the server now; only one of several gets a yes."""
    mine = PresentedCertificate.objects.filter(pk=row_id, looked_at=before)
    return bool(mine.update(looked_at=now))


def decided(host: str, port: int, sha256: str, *, now: datetime) -> None:
    """An administrator has looked at this certificate and trusts it: its change is no news any more."""
    shown = PresentedCertificate.objects.filter(host=host, port=port, sha256=sha256)
    shown.update(noticed_at=now, problem="")


def noticed(row_id: int, *, now: datetime) -> None:
    """An administrator has seen the change: it is no alarm any more (unless it does not verify)."""
    PresentedCertificate.objects.filter(pk=row_id).update(noticed_at=now)
    alarms.forget()
