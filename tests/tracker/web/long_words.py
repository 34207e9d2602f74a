"""Mail that strains a page: subjects, addresses and replies of servers that are one word without end."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from depesche.mailroom.inbox.models import Outcome, ReceivedMessage
from depesche.mailroom.outbox.models import AddressRecord, OutboxAttempt, OutboxMessage, OutboxRecipient
from tests.tracker.correspondence.support import take, written

LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung"
ADDRESS = f"{'a' * 60}@{'b' * 60}.example"
SAID = f"5.1.1 <{ADDRESS}>: Recipient address rejected"


def strain() -> list[str]:
    """One mail that failed after a deferral, an address that is not tried, one that came in; their pages."""
    now = timezone.now()
    message = OutboxMessage.objects.create(
        created_at=now,
        category="notice",
        sender="system",
        subject=f"[NW-1] {LONG}",
        item="NW-1",
        charset="utf-8",
        size=1,
        content=b"x",
    )
    row = OutboxRecipient.objects.create(
        message=message,
        address=ADDRESS,
        internet_message_id=f"<{'c' * 80}@example.org>",
        state="failed",
        attempts=2,
        next_attempt_at=now,
        stage="recipient",
        reply_code=550,
        reply=SAID,
        updated_at=now,
    )
    for number, outcome in ((1, "deferred"), (2, "failed")):
        then = now - timedelta(days=1, hours=number)
        OutboxAttempt.objects.create(
            recipient=row,
            number=number,
            started_at=then,
            ended_at=then + timedelta(seconds=12),
            outcome=outcome,
            stage="recipient",
            reply_code=550,
            reply=SAID,
        )
    AddressRecord.objects.create(
        address=ADDRESS,
        domain=ADDRESS.partition("@")[2],
        failed_at=now,
        status="5.1.1",
        words=SAID,
        suppressed_at=now,
        reason="dead",
    )
    take(written("y" * 300, sender=f"{LONG} <{ADDRESS}>", subject=LONG, html=f"<p>{LONG}</p>"))
    received = ReceivedMessage.objects.get()
    ReceivedMessage.objects.filter(pk=received.pk).update(outcome=Outcome.HELD, reason=SAID)
    return [
        "/mail/outbox/addresses/",
        f"/mail/outbox/{row.pk}",
        f"/mail/inbox/{received.pk}",
        f"/mail/inbox/{received.pk}?view=source",
    ]
