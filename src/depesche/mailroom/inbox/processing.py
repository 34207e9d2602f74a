"""From a stored mail to its outcome: read it, ask the handlers, record what became of it.

    claim (a lease, an attempt counted) → read (no transaction)
      → one transaction: still mine? not yet taken by another way? the handler's effect, the outcome

After a kill -9 either effect and outcome are both there, or the mail still waits. A worker that lost its
claim meanwhile finds another attempt counted, and has no effect. A mail that brings processes down, or
fails in a handler, is tried a few times and then set aside, visibly; what is the database's fault is not held
against the mail.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import DataError, IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from depesche.mailformat.reading import Reading
from depesche.mailroom.connections import identity
from depesche.mailroom.inbox import headlines, reader
from depesche.mailroom.inbox.handlers import Choice, Handled, IncomingMail, Sentence, handler_named, handlers
from depesche.mailroom.inbox.intake import LEASE
from depesche.mailroom.inbox.models import Outcome, ReceivedMessage
from depesche.mailroom.inbox.reader import Trouble, Unreadable

logger = logging.getLogger(__name__)

MAX_FAILURES: Final = 3  # errors of ours while it was processed
MAX_TRIES: Final = 12  # claims that ended without a word: the process was killed, perhaps by the mail
_RETRY = timedelta(seconds=10)

SET_ASIDE = gettext_noop("Reading this mail ended %(number)s times without a result; it is set aside.")
FAILED = gettext_noop("Processing this mail failed: %(error)s.")
NOT_READ = {
    Trouble.TIME: gettext_noop("Reading this mail takes too long; it is set aside."),
    Trouble.MEMORY: gettext_noop("Reading this mail takes too much memory; it is set aside."),
    Trouble.BROKEN: gettext_noop("This mail breaks the program that reads mails; it is set aside."),
}
NOBODYS = gettext_noop("Nobody here takes mails of this kind.")
TAKEN_ALREADY = gettext_noop("The same mail has come by another way already.")
DISCARDED = gettext_noop("Discarded by %(person)s.")

# A person may have these processed anew: no effect of theirs stands.
REPLAYABLE: Final = frozenset({Outcome.FAILED, Outcome.REJECTED, Outcome.IGNORED, Outcome.HELD})
_EXCERPT: Final = 400  # characters of a held mail that the list shows


@dataclass(frozen=True)
class _Claim:
    """A right to process a mail: good as long as nobody has counted another attempt."""

    received_id: int
    attempt: int


class _Lost(Exception):
    """The claim is no longer good: another one has it, or the mail has its outcome."""


def process_waiting(limit: int = 100, *, stop: threading.Event | None = None) -> int:
    """Process mails that wait; returns how many got an outcome. Ends early when `stop` is set."""
    now = timezone.now()
    _take_back_from_the_dead(now)
    waiting = ReceivedMessage.objects.filter(_free(now), processed_at=None)
    done = 0
    for received_id in list(waiting.order_by("id").values_list("id", flat=True)[:limit]):
        if stop is not None and stop.is_set():
            break
        done += process(received_id).outcome != Outcome.WAITING
    return done


def process(received_id: int, *, claim: int = 0) -> Handled:
    """Process one stored mail; `claim` comes from intake.store. One that has its outcome already keeps it.

    Never raises for a bad mail. Raises OperationalError or InterfaceError when the database fails: the mail
    then waits for another try.
    """
    now = timezone.now()
    row = _row_claimed(received_id, claim, now)
    if row is None:
        return recorded(received_id)
    held = _Claim(row.pk, row.attempts)
    if row.tries > MAX_TRIES:
        return _settle(held, Handled(Outcome.FAILED, Sentence(SET_ASIDE, number=MAX_TRIES)), row)
    try:
        reading = reader.read(bytes(row.raw))
    except Unreadable as error:
        logger.warning("received mail %s cannot be read: %s", row.pk, error.trouble.value)
        return _settle(held, Handled(Outcome.FAILED, Sentence(NOT_READ[error.trouble])), row)
    try:
        return _handle(held, row, incoming(row, reading))
    except _Lost:
        return recorded(received_id)
    except (OperationalError, InterfaceError):
        # Locked, full, restarted: no fault of the mail. Others go before it, for the case that it is.
        _give_back(held)
        raise
    except Exception as error:
        logger.exception("received mail %s could not be processed (attempt %s)", row.pk, row.attempts)
        return _failed(held, row, error)


# --- claims -------------------------------------------------------------------------------------------------


def _free(now: datetime) -> Q:
    return Q(lease_until=None) | Q(lease_until__lt=now)


def _row_claimed(received_id: int, claim: int, now: datetime) -> ReceivedMessage | None:
    """The row, if nobody else works on it. The attempt counts before the work begins."""
    rows = ReceivedMessage.objects.filter(pk=received_id, processed_at=None)
    if claim:
        return rows.filter(attempts=claim).first()
    claimed = rows.filter(_free(now)).update(
        lease_until=now + LEASE,
        lease_owner=identity.new_owner(),
        attempts=F("attempts") + 1,
        tries=F("tries") + 1,
    )
    return ReceivedMessage.objects.get(pk=received_id) if claimed else None


def _take_back_from_the_dead(now: datetime) -> None:
    """What a process of this machine held when it was killed waits for no lease to run out."""
    leased = ReceivedMessage.objects.filter(processed_at=None, lease_until__gt=now).exclude(lease_owner="")
    owners = list(leased.values_list("lease_owner", flat=True).order_by().distinct()[:1000])
    dead = identity.dead_among(owners) if owners else []
    if dead:
        leased.filter(lease_owner__in=dead).update(lease_until=None, lease_owner="")


def _give_back(held: _Claim) -> None:
    try:
        ReceivedMessage.objects.filter(pk=held.received_id, attempts=held.attempt, processed_at=None).update(
            lease_until=timezone.now() + _RETRY, lease_owner="", tries=F("tries") - 1
        )
    except (OperationalError, InterfaceError):
        logger.warning("received mail %s stays leased for %s", held.received_id, LEASE)


# --- effects ------------------------------------------------------------------------------------------------


def incoming(row: ReceivedMessage, reading: Reading) -> IncomingMail:
    """A stored row as handlers get it."""
    return IncomingMail(
        received_id=row.pk,
        raw=bytes(row.raw),
        reading=reading,
        envelope_sender=row.envelope_sender,
        envelope_recipient=row.envelope_recipient,
        received_at=row.received_at,
        mailbox=row.mailbox,
    )


def meaning(reading: Reading) -> str:
    """The same for a mail that was encoded anew on one of its ways. Only for mails with a Message-ID."""
    mail = reading.mail
    if not mail.message_id:
        return ""
    digest = hashlib.sha256()
    people = (*mail.from_, *mail.to, *mail.cc)
    words = (mail.message_id, *(one.addr_spec for one in people), *mail.in_reply_to, *mail.references)
    for text in (*words, " ".join(reading.text.split()), " ".join(reading.cut.split())):
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    for file in mail.attachments:
        digest.update(hashlib.sha256(file.data).digest())
    for report in reading.reports:
        digest.update(f"{report.recipient} {report.action.value} {report.status}\0".encode())
    return digest.hexdigest()


def _handle(held: _Claim, row: ReceivedMessage, mail: IncomingMail) -> Handled:
    parsed = mail.reading.mail
    author = next(iter(parsed.from_), None)
    row.kind = mail.reading.kind.value
    row.from_address = author.addr_spec[:320] if author else ""
    row.subject = parsed.subject[:400]
    row.message_id = (parsed.message_id or "")[:998]
    mark = meaning(mail.reading) or row.fingerprint
    with transaction.atomic():
        if not _hold_as_first(held, mark):
            handled = Handled(Outcome.IGNORED, Sentence(TAKEN_ALREADY))
            _record(row, "", handled)
            return handled
        row.meaning = mark
        for path, handler in handlers():
            answered = handler.handle(mail)
            if answered is not None:
                _record(row, path, answered)
                return answered
        handled = Handled(Outcome.IGNORED, Sentence(NOBODYS))
        _record(row, "", handled)
        return handled


def _hold(held: _Claim) -> None:
    """Lock the row for this transaction. Raises _Lost where the claim is no longer good."""
    mine = ReceivedMessage.objects.filter(pk=held.received_id, attempts=held.attempt, processed_at=None)
    if not mine.update(lease_until=timezone.now() + LEASE):
        raise _Lost


def _hold_as_first(held: _Claim, mark: str) -> bool:
    """The same, and whether no other mail of the same meaning has had its effect. Waits for one that is just
    having it."""
    mine = ReceivedMessage.objects.filter(pk=held.received_id, attempts=held.attempt, processed_at=None)
    try:
        with transaction.atomic():
            if not mine.update(lease_until=timezone.now() + LEASE, meaning=mark):
                raise _Lost
    except IntegrityError:
        _hold(held)
        return False
    return True


def _settle(held: _Claim, handled: Handled, row: ReceivedMessage) -> Handled:
    """Record an outcome without any effect."""
    if not row.subject and not row.from_address:
        seen = headlines.of(bytes(row.raw))
        row.from_address, row.subject, row.message_id = seen.author, seen.subject, seen.message_id
    try:
        with transaction.atomic():
            _hold(held)
            _record(row, "", handled)
    except _Lost:
        return recorded(row.pk)
    return handled


def _failed(held: _Claim, row: ReceivedMessage, error: Exception) -> Handled:
    failures = row.failures + 1
    reason = Sentence(FAILED, error=type(error).__name__)  # what Python says besides is for the log
    row.failures = failures
    # A value that the database does not take will not be taken later either.
    if failures >= MAX_FAILURES or isinstance(error, DataError):
        return _settle(held, Handled(Outcome.FAILED, reason), row)
    ReceivedMessage.objects.filter(pk=row.pk, attempts=held.attempt, processed_at=None).update(
        lease_until=timezone.now() + _RETRY * 6 ** (failures - 1),
        lease_owner="",
        failures=failures,
        reason=str(reason),
        reason_said=_said(reason),
    )
    return Handled(Outcome.WAITING, reason)


_WRITTEN = (
    "processed_at", "lease_until", "lease_owner", "failures", "handler", "outcome", "reason", "reason_said",
    "kind", "from_address", "subject", "message_id", "meaning", "item", "comment", "proposal", "decided_by",
)  # fmt: skip


def _record(row: ReceivedMessage, handler: str, handled: Handled) -> None:
    row.processed_at = timezone.now()
    row.lease_until, row.lease_owner = None, ""
    row.handler = handler
    row.outcome = handled.outcome
    row.reason, row.reason_said = str(handled.reason), _said(handled.reason)
    row.item = handled.item[:40]
    row.comment = handled.comment
    row.proposal = dict(handled.proposal)
    if handled.outcome == Outcome.HELD and handled.text:
        row.proposal["excerpt"] = handled.text[:_EXCERPT].replace("\x00", "")
    row.save(update_fields=_WRITTEN)


def _said(reason: str) -> dict[str, Any]:
    if isinstance(reason, Sentence):
        return {"message": reason.message, "values": dict(reason.values)}
    return {}


def recorded(received_id: int) -> Handled:
    """What became of a mail, as it is written down. Raises ReceivedMessage.DoesNotExist."""
    row = ReceivedMessage.objects.defer("raw").get(pk=received_id)
    reason = sentence(row.reason, row.reason_said)
    return Handled(Outcome(row.outcome), reason, row.item, row.comment, proposal=row.proposal)


def sentence(reason: str, reason_said: Mapping[str, Any]) -> str:
    """A stored reason: a `Sentence` where its message is known."""
    message = reason_said.get("message")
    return Sentence(message, **reason_said.get("values", {})) if message else reason


# --- persons decide -----------------------------------------------------------------------------------------


class NotHeld(Exception):
    """The mail is not, or no longer, held: somebody else has decided."""


def choices(handler: str, proposal: Mapping[str, Any]) -> Sequence[Choice]:
    """What a held mail may become; nothing where its handler is not installed any more."""
    try:
        return handler_named(handler).choices(proposal)
    except LookupError:
        return ()


def accept_held(received_id: int, *, by: str, choice: str = "") -> Handled:
    """A person decides what becomes of a held mail; without a choice what its handler thinks likeliest.
    Raises NotHeld, Unreadable, LookupError."""
    row = ReceivedMessage.objects.filter(pk=received_id, outcome=Outcome.HELD).first()
    if row is None:
        raise NotHeld
    mail = incoming(row, reader.read(bytes(row.raw)))  # outside the transaction: it may take its time
    with transaction.atomic():
        held = _locked_held(received_id)
        handled = handler_named(held.handler).accept_held(mail, held.proposal, choice=choice, by=by)
        held.decided_by = "" if handled.outcome == Outcome.HELD else by[:200]
        _record(held, held.handler, handled)
        return handled


def discard_held(received_id: int, *, by: str) -> Handled:
    """A person decides against a held mail. Its raw form stays. Raises NotHeld."""
    with transaction.atomic():
        held = _locked_held(received_id)
        held.decided_by = by[:200]
        before = Handled(Outcome.HELD, held.reason, held.item, held.comment, proposal=held.proposal)
        handled = replace(before, outcome=Outcome.IGNORED, reason=Sentence(DISCARDED, person=by))
        _record(held, held.handler, handled)
        return handled


def _locked_held(received_id: int) -> ReceivedMessage:
    # The update comes first: it takes the lock on SQLite too.
    if not ReceivedMessage.objects.filter(pk=received_id, outcome=Outcome.HELD).update(lease_until=None):
        raise NotHeld
    return ReceivedMessage.objects.defer("raw").get(pk=received_id)


class NotReplayable(Exception):
    """The mail has had its effect, is held, or waits."""


def replay(received_id: int, *, by: str) -> Handled:
    """Process a mail anew that failed, was rejected or ignored: settings and people may have changed since.

    Raises NotReplayable; OperationalError as `process` does.
    """
    rows = ReceivedMessage.objects.filter(pk=received_id, outcome__in=REPLAYABLE)
    again = rows.update(
        processed_at=None, outcome=Outcome.WAITING, lease_until=None, lease_owner="", failures=0,
        tries=0, meaning=None, decided_by=by[:200],
    )  # fmt: skip
    if not again:
        raise NotReplayable
    return process(received_id)


class ProcessMails:
    """The worker's task: every mail that waits gets its outcome."""

    name = "mails"
    pause = 0.5  # where a database cannot tell of a change
    wakes_on_change = True

    def run(self, now: datetime, stop: threading.Event) -> int:
        return process_waiting(stop=stop)
