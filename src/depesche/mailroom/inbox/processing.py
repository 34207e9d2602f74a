"""From a stored mail to its outcome: read it, ask the handlers, record what became of it.

The handler's effect and the outcome stand in one transaction: after a kill -9 either both are there or the
mail still waits. A mail that brings the process down is tried three times and then set aside, visibly.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from depesche.mailformat.reading import read
from depesche.mailroom.inbox.handlers import Handled, IncomingMail, handler_named, handlers
from depesche.mailroom.inbox.models import Outcome, ReceivedMessage

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
LEASE = timedelta(minutes=5)


def process_waiting(limit: int = 100) -> int:
    """Process mails that wait; returns how many got an outcome."""
    now = timezone.now()
    waiting = ReceivedMessage.objects.filter(processed_at=None).filter(
        Q(lease_until=None) | Q(lease_until__lt=now)
    )
    done = 0
    for received_id in waiting.order_by("id").values_list("id", flat=True)[:limit]:
        done += process(received_id).outcome != Outcome.WAITING
    return done


def process(received_id: int) -> Handled:
    """Process one stored mail. One that has its outcome already keeps it; never raises for a bad mail."""
    now = timezone.now()
    row = _claim(received_id, now)
    if row is None:
        return _recorded(ReceivedMessage.objects.get(pk=received_id))
    if row.attempts > MAX_ATTEMPTS:
        handled = Handled(Outcome.FAILED, f"Reading this mail failed {MAX_ATTEMPTS} times; it is set aside.")
        _record(row, "", handled)
        return handled
    try:
        mail = incoming(row)
        return _handle(row, mail)
    except Exception as error:
        logger.exception("received mail %s could not be processed (attempt %s)", row.pk, row.attempts)
        last = row.attempts >= MAX_ATTEMPTS
        reason = f"Reading this mail failed: {type(error).__name__}."
        handled = Handled(Outcome.FAILED if last else Outcome.WAITING, reason)
        if last:
            _record(row, "", handled)
        else:
            retry_at = timezone.now() + timedelta(seconds=10 * 6 ** (row.attempts - 1))
            ReceivedMessage.objects.filter(pk=row.pk).update(lease_until=retry_at, reason=reason)
        return handled


def _claim(received_id: int, now: datetime) -> ReceivedMessage | None:
    """The row, if nobody else works on it. The attempt counts before the work begins."""
    claimed = (
        ReceivedMessage.objects.filter(pk=received_id, processed_at=None)
        .filter(Q(lease_until=None) | Q(lease_until__lt=now))
        .update(lease_until=now + LEASE, attempts=F("attempts") + 1)
    )
    return ReceivedMessage.objects.get(pk=received_id) if claimed else None


def incoming(row: ReceivedMessage) -> IncomingMail:
    """A stored row as handlers get it."""
    raw = bytes(row.raw)
    return IncomingMail(
        received_id=row.pk,
        raw=raw,
        reading=read(raw),
        envelope_sender=row.envelope_sender,
        envelope_recipient=row.envelope_recipient,
        received_at=row.received_at,
    )


def _handle(row: ReceivedMessage, mail: IncomingMail) -> Handled:
    parsed = mail.reading.mail
    author = next(iter(parsed.from_), None)
    row.kind = mail.reading.kind.value
    row.from_address = author.addr_spec[:320] if author else ""
    row.subject = parsed.subject[:400]
    row.message_id = (parsed.message_id or "")[:998]
    with transaction.atomic():
        for path, handler in handlers():
            handled = handler.handle(mail)
            if handled is not None:
                _record(row, path, handled)
                return handled
        handled = Handled(Outcome.IGNORED, "Nobody here takes mails of this kind.")
        _record(row, "", handled)
        return handled


def _record(row: ReceivedMessage, handler: str, handled: Handled) -> None:
    row.processed_at = timezone.now()
    row.lease_until = None
    row.handler = handler
    row.outcome = handled.outcome
    row.reason = handled.reason
    row.item = handled.item
    row.comment = handled.comment
    row.proposal = dict(handled.proposal)
    row.save()


def _recorded(row: ReceivedMessage) -> Handled:
    return Handled(Outcome(row.outcome), row.reason, row.item, row.comment, proposal=row.proposal)


class NotHeld(Exception):
    """The mail is not, or no longer, held: somebody else has decided."""


def accept_held(received_id: int, *, by: str) -> Handled:
    """A person takes a held mail as its handler proposed. Raises NotHeld."""
    with transaction.atomic():
        row = ReceivedMessage.objects.select_for_update().filter(pk=received_id, outcome=Outcome.HELD).first()
        if row is None:
            raise NotHeld
        handled = handler_named(row.handler).accept_held(incoming(row), row.proposal)
        row.decided_by = by[:200]
        _record(row, row.handler, handled)
        return handled


def discard_held(received_id: int, *, by: str) -> Handled:
    """A person decides against a held mail. Its raw form stays. Raises NotHeld."""
    with transaction.atomic():
        row = ReceivedMessage.objects.select_for_update().filter(pk=received_id, outcome=Outcome.HELD).first()
        if row is None:
            raise NotHeld
        row.decided_by = by[:200]
        handled = replace(_recorded(row), outcome=Outcome.IGNORED, reason=f"Discarded by {by}.")
        _record(row, row.handler, handled)
        return handled
