"""The writers that other packages call: enqueue, retry, cancel, and what a delivery report changes.

Each works in the caller's transaction where there is one, so that a change and its mails are committed
together or not at all. The worker's own writes are in queue.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet
from django.utils import timezone

from depesche.mailformat.compose import Content
from depesche.mailformat.delivery_report import Action
from depesche.mailroom.outbox import addresses, sql
from depesche.mailroom.outbox.categories import POLICIES, Category, SenderKind
from depesche.mailroom.outbox.models import OutboxMessage, OutboxRecipient
from depesche.mailroom.outbox.states import State, sources_of

__all__ = [
    "Category",
    "NewMessage",
    "NewRecipient",
    "Report",
    "ReportEffect",
    "SenderKind",
    "apply_report",
    "cancel",
    "enqueue",
    "retry",
    "retry_all_failed",
    "wake",
]


@dataclass(frozen=True)
class NewMessage:
    """What all recipients of a mail share.

    `author_name` and `author_address` matter where `sender` is USER or GIVEN. `sensitive` mails (account
    mails are by themselves) show no subject in lists and lose their content once accepted. After `expires_at`
    the mail is pointless and is not submitted any more; without it only deferrals end, after the category's
    lifetime.
    """

    category: Category
    content: Content
    subject: str
    sender: SenderKind = SenderKind.SYSTEM
    author_name: str = ""
    author_address: str = ""
    item: str = ""
    sensitive: bool = False
    expires_at: datetime | None = None


@dataclass(frozen=True)
class NewRecipient:
    """One forward-path, its Message-ID (with angle brackets) and its own header lines, each ended by CRLF."""

    address: str
    message_id: str
    header: bytes
    person: str = ""


def enqueue(message: NewMessage, recipients: Iterable[NewRecipient], *, now: datetime) -> list[int]:
    """Store a mail for its recipients and wake the workers; the recipients' ids, in their order.

    Part of the caller's transaction: the mails go out if and only if it commits. Tens of thousands of
    recipients are fine.
    """
    listed = list(recipients)
    if not listed:
        return []
    policy = POLICIES[message.category]
    sensitive = message.sensitive or policy.sensitive
    content = bytes(message.content.octets)
    with sql.writing() as cursor:
        stored = OutboxMessage.objects.create(
            created_at=now,
            category=message.category,
            sender=message.sender,
            author_name=message.author_name[:200],
            author_address=message.author_address,
            subject="" if sensitive else message.subject[:400],
            item=message.item[:40],
            charset=message.content.charset[:20],
            fell_back=message.content.fell_back,
            sensitive=sensitive,
            expires_at=message.expires_at,
            size=len(content),
            content=content,
        )
        ids = sql.reserve_ids(cursor, sql.RECIPIENT, len(listed))
        at = sql.moment(now)
        _insert(cursor, list(zip(ids, listed, strict=True)), stored.pk, policy.priority, at)
        if message.category is not Category.ACCOUNT:
            _leave_out_suppressed(dict(zip(ids, listed, strict=True)), now)
        sql.notify(cursor)
    return list(ids)


_NEW = (
    "message_id, state, priority, attempts, patience_from, next_attempt_at, lease_owner, stage, reply,"
    " updated_at, id, address, internet_message_id, header, person"
)
# What all have alike stands in the statement: binding it again for each costs a twentieth of queueing.
_INSERT = (
    f"INSERT INTO {sql.RECIPIENT} ({_NEW})"  # noqa: S608  our names, no value
    " VALUES (%s, 'queued', %s, 0, 0, %s, '', '', '', %s, %s, %s, %s, %s, %s)"
)
_COPY = f"COPY {sql.RECIPIENT} ({_NEW}) FROM STDIN"


def _insert(
    cursor: Any, made: Sequence[tuple[int, NewRecipient]], message_id: int, priority: int, at: Any
) -> None:
    own = ((key, one.address, one.message_id, one.header, one.person) for key, one in made)
    if sql.is_sqlite():
        cursor.executemany(_INSERT, [(message_id, priority, at, at, *row) for row in own])
        return
    same = message_id, State.QUEUED.value, priority, 0, 0, at, "", "", "", at
    # There each statement is a round trip, and rows that come by COPY cost half of those of an INSERT.
    with connection.wrap_database_errors, cursor.copy(_COPY) as copy:
        for row in own:
            copy.write_row((*same, *row))


def _leave_out_suppressed(made: Mapping[int, NewRecipient], now: datetime) -> None:
    """Addresses that mails always came back from are not tried; the rows say so."""
    suppressed = addresses.suppressed_among(one.address for one in made.values())
    if suppressed:
        ids = [pk for pk, one in made.items() if one.address.lower() in suppressed]
        for chunk in sql.in_chunks(ids):
            OutboxRecipient.objects.filter(pk__in=chunk, state=State.QUEUED).update(
                state=State.SUPPRESSED, reply=addresses.NOT_TRIED, updated_at=now
            )


def wake() -> None:
    """Wake the workers (their tasks too) once the transaction under way is committed.

    For a writer whose rows a worker task waits for. Only PostgreSQL needs it; elsewhere it does nothing.
    """
    with sql.writing() as cursor:
        sql.notify(cursor)


def retry(ids: Iterable[int], *, now: datetime | None = None) -> int:
    """Try again at once: failed, expired, suppressed, held or uncertain ones, and deferred ones before their
    time.

    The patience for deferrals begins anew. Mails whose content was erased, and those past their own expiry,
    stay. Returns how many it concerned.
    """
    now = now or timezone.now()
    count = 0
    with sql.writing() as cursor:
        for chunk in sql.in_chunks(list(ids)):
            rows = OutboxRecipient.objects.filter(pk__in=chunk)
            count += _requeue(rows.filter(state__in=sources_of(State.QUEUED) - {State.IN_FLIGHT}), now)
            count += _still_good(rows.filter(state=State.DEFERRED), now).update(
                next_attempt_at=now, patience_from=F("attempts"), deferred_since=None, updated_at=now
            )
        if count:
            sql.notify(cursor)
    return count


def retry_all_failed(*, now: datetime | None = None) -> int:
    """Queue every failed recipient again. Returns how many."""
    now = now or timezone.now()
    with sql.writing() as cursor:
        count = _requeue(OutboxRecipient.objects.filter(state=State.FAILED), now)
        if count:
            sql.notify(cursor)
    return count


def cancel(ids: Iterable[int], *, now: datetime | None = None) -> int:
    """Withdraw what has not gone out: queued, deferred, held or uncertain ones. Returns how many."""
    now = now or timezone.now()
    count = 0
    with sql.writing():
        for chunk in sql.in_chunks(list(ids)):
            waiting = OutboxRecipient.objects.filter(pk__in=chunk, state__in=sources_of(State.CANCELLED))
            messages = list(waiting.filter(message__sensitive=True).values_list("message_id", flat=True))
            count += waiting.update(state=State.CANCELLED, lease_owner="", lease_until=None, updated_at=now)
            erase_settled(messages)
    return count


def erase_settled(message_ids: Sequence[int]) -> None:
    """Erase the content of these sensitive messages as far as no recipient can need it any more."""
    settled = (State.ACCEPTED, State.DELIVERED, State.DELAYED, State.BOUNCED, State.CANCELLED, State.EXPIRED)
    for chunk in sql.in_chunks(sorted(set(message_ids))):
        needed = (
            OutboxRecipient.objects.filter(message_id__in=chunk)
            .exclude(state__in=settled)
            .values_list("message_id", flat=True)
        )
        OutboxMessage.objects.filter(pk__in=chunk, sensitive=True, erased=False).exclude(
            pk__in=set(needed)
        ).update(content=b"", size=0, erased=True)


def _still_good(rows: QuerySet[OutboxRecipient], now: datetime) -> QuerySet[OutboxRecipient]:
    return rows.filter(message__erased=False).exclude(message__expires_at__lte=now)


def _requeue(rows: QuerySet[OutboxRecipient], now: datetime) -> int:
    return _still_good(rows, now).update(
        state=State.QUEUED,
        next_attempt_at=now,
        patience_from=F("attempts"),
        deferred_since=None,
        updated_at=now,
        lease_owner="",
        lease_until=None,
    )


@dataclass(frozen=True)
class Report:
    """One recipient's part of a delivery report. `recipient` may be empty where the report names none.

    `recipient_id`: the very recipient, where the report came back by the reverse-path made for it alone.
    """

    message_id: str
    recipient: str
    action: Action
    status: str = ""
    diagnostic: str = ""
    recipient_id: int | None = None


@dataclass(frozen=True)
class ReportEffect:
    """Whom a report concerned and what it changed; `recipient_id` None: no mail of ours, `state` "": no
    change.
    """

    recipient_id: int | None
    state: str = ""
    person: str = ""
    item: str = ""


_AFTER = {Action.FAILED: State.BOUNCED, Action.DELAYED: State.DELAYED, Action.DELIVERED: State.DELIVERED}


def apply_report(report: Report, *, now: datetime) -> ReportEffect:
    """Write down what a delivery report says. It proves acceptance too, where we had been left in doubt.

    A report that arrives late never takes back a final state. An address that fails for good may be
    suppressed by it, and one that takes a mail is tried again (addresses.py).
    """
    after = _AFTER.get(report.action)
    with sql.writing():
        row = _reported(report)
        if row is None:
            return ReportEffect(None)
        doubtful = row.state in (State.UNCERTAIN, State.HELD) or (
            row.state == State.QUEUED and row.attempts > 0
        )
        known = row.state in (State.ACCEPTED, State.DELAYED) or doubtful
        if after is None or not known or row.state == after:
            return ReportEffect(row.pk, "", row.person, row.message.item)
        words = " ".join(f"{report.status} {report.diagnostic}".split())[:1000]
        row.state = after
        row.stage = "report"
        row.reply = words or row.reply
        row.accepted_at = row.accepted_at or now
        row.updated_at = now
        row.save(update_fields=["state", "stage", "reply", "accepted_at", "updated_at"])
        if row.message.sensitive:
            erase_settled([row.message_id])
        if after is State.BOUNCED:
            addresses.failed(
                row.address, recipient_id=row.pk, status=report.status, words=report.diagnostic, now=now
            )
        elif after is State.DELIVERED:
            addresses.arrived(row.address, now=now)
        return ReportEffect(row.pk, after, row.person, row.message.item)


def _reported(report: Report) -> OutboxRecipient | None:
    """The recipient of ours that a report is about: never found by address alone."""
    rows = (
        OutboxRecipient.objects.select_for_update(of=("self",))
        .select_related("message")
        .defer("message__content", "header")
    )
    if report.recipient_id is not None:
        return rows.filter(pk=report.recipient_id).first()
    found = list(rows.filter(internet_message_id=report.message_id)[:1000])
    wanted = report.recipient.casefold()
    matching = [row for row in found if row.address.casefold() == wanted]
    if not matching and len(found) == 1:  # an alias or a forwarding rewrote the address
        matching = found
    return matching[0] if matching else None
