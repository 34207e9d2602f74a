"""The readers that other packages call. They hand out frozen values, never model instances."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext

from depesche.mailroom.outbox import sql
from depesche.mailroom.outbox.addresses import NOT_TRIED
from depesche.mailroom.outbox.categories import PRIORITIES
from depesche.mailroom.outbox.models import OutboxAttempt, OutboxRecipient, SlotLease, WorkerPresence
from depesche.mailroom.outbox.states import State


@dataclass(frozen=True)
class RecipientRow:
    """One recipient as lists show it. `subject` is empty where the mail is sensitive."""

    id: int
    message_id: str
    recipient: str
    category: str
    state: State
    attempts: int
    next_attempt_at: datetime | None  # None where nothing will be tried
    stage: str
    reply: str
    item: str
    subject: str
    person: str
    created_at: datetime
    updated_at: datetime
    accepted_at: datetime | None


@dataclass(frozen=True)
class Attempt:
    """One try that did not end in acceptance."""

    number: int
    started_at: datetime | None
    ended_at: datetime
    outcome: str
    stage: str
    reply: str


@dataclass(frozen=True)
class RecipientDetail:
    """One recipient with its history; `gives_up_at` is when deferrals end, None before the first one."""

    row: RecipientRow
    attempts: tuple[Attempt, ...]
    sender: str
    author_name: str
    author_address: str
    size: int
    charset: str
    fell_back: bool
    sensitive: bool
    erased: bool
    expires_at: datetime | None
    gives_up_at: datetime | None


@dataclass(frozen=True)
class Stats:
    """How the outbox stands. `rate`: recipients accepted per second by all workers, lately.

    `remaining`: due now or in flight. `finished_at`: when that will be done at this rate, None where unknown.
    """

    states: dict[str, int]
    remaining: int
    rate: float
    finished_at: datetime | None
    workers: int
    slots_used: int
    failover_slots_used: int
    oldest_due_at: datetime | None


_FIELDS = (
    "pk",
    "internet_message_id",
    "address",
    "message__category",
    "state",
    "attempts",
    "next_attempt_at",
    "stage",
    "reply",
    "message__item",
    "message__subject",
    "person",
    "message__created_at",
    "updated_at",
    "accepted_at",
)
_TO_BE_TRIED = frozenset({State.QUEUED, State.DEFERRED, State.UNCERTAIN})


def _row(values: tuple[object, ...]) -> RecipientRow:
    named = dict(zip(RecipientRow.__dataclass_fields__, values, strict=True))
    named["state"] = state = State(str(named["state"]))
    if state not in _TO_BE_TRIED:
        named["next_attempt_at"] = None
    if named["reply"] == NOT_TRIED:
        named["reply"] = gettext(NOT_TRIED)
    return RecipientRow(**named)  # type: ignore[arg-type]  # the fields stand in the order of _FIELDS


def recipients(
    state: str | None = None,
    text: str = "",
    before_id: int | None = None,
    limit: int = 100,
    *,
    item: str = "",
    oldest_first: bool = False,
) -> list[RecipientRow]:
    """The newest recipients first; those in one state, those whose address, subject or item holds the text.

    `before_id` continues a list behind the last row of the one before (`oldest_first`: after it).
    """
    rows = OutboxRecipient.objects.all()
    if state:
        rows = rows.filter(state=state)
    if item:
        rows = rows.filter(message__item=item)
    if text:
        rows = _search(rows, text)
    if before_id is not None:
        rows = rows.filter(pk__gt=before_id) if oldest_first else rows.filter(pk__lt=before_id)
    ordered = rows.order_by("pk" if oldest_first else "-pk")
    return [_row(values) for values in ordered.values_list(*_FIELDS)[:limit]]


def _search(rows: QuerySet[OutboxRecipient], text: str) -> QuerySet[OutboxRecipient]:
    text = text.strip()
    if text.startswith("<") and text.endswith(">"):
        return rows.filter(internet_message_id=text)
    return rows.filter(
        Q(address__icontains=text)
        | Q(message__subject__icontains=text)
        | Q(message__item__iexact=text)
        | Q(reply__icontains=text)
    )


def by_ids(ids: Iterable[int]) -> dict[int, RecipientRow]:
    """The rows that exist among these ids."""
    found: dict[int, RecipientRow] = {}
    for chunk in sql.in_chunks(list(ids)):
        rows = OutboxRecipient.objects.filter(pk__in=chunk).values_list(*_FIELDS)
        found.update((row.id, row) for row in map(_row, rows))
    return found


def recipient(recipient_id: int) -> RecipientDetail | None:
    """One recipient with its whole history, None where there is no such id."""
    from depesche.mailroom.outbox.retry import lifetime

    found = (
        OutboxRecipient.objects.filter(pk=recipient_id)
        .select_related("message")
        .defer("message__content", "header")
        .first()
    )
    if found is None:
        return None
    message = found.message
    row = by_ids([recipient_id])[recipient_id]
    tries = sorted(
        OutboxAttempt.objects.filter(recipient_id=recipient_id).order_by("pk"),
        key=lambda one: (one.number, one.outcome != "rewritten"),
    )
    gives_up = found.deferred_since + lifetime(message.category) if found.deferred_since else None
    return RecipientDetail(
        row=row,
        attempts=tuple(
            Attempt(one.number, one.started_at, one.ended_at, one.outcome, one.stage, one.reply)
            for one in tries
        ),
        sender=message.sender,
        author_name=message.author_name,
        author_address=message.author_address,
        size=message.size,
        charset=message.charset,
        fell_back=message.fell_back,
        sensitive=message.sensitive,
        erased=message.erased,
        expires_at=message.expires_at,
        gives_up_at=min(filter(None, (gives_up, message.expires_at)), default=None),
    )


def stats(now: datetime | None = None) -> Stats:
    """Counts per state, and how fast the workers get on."""
    now = now or timezone.now()
    counted = dict(OutboxRecipient.objects.values_list("state").annotate(count=Count("pk")).order_by("state"))
    later = _later(now)
    going_on = sum(counted.get(state, 0) for state in (State.QUEUED, State.DEFERRED, State.IN_FLIGHT))
    remaining = max(0, going_on - later)
    alive = WorkerPresence.objects.filter(seen_until__gt=now)
    rate = alive.aggregate(rate=Sum("rate"))["rate"] or 0.0
    return Stats(
        states={state.value: counted[state.value] for state in State if state.value in counted},
        remaining=remaining,
        rate=round(rate, 1),
        finished_at=now + timedelta(seconds=remaining / rate) if remaining and rate > 0.05 else None,
        workers=alive.filter(place=0).count(),
        slots_used=slots_used(now),
        failover_slots_used=slots_used(now, place=1),
        oldest_due_at=oldest_due(now),
    )


# Along the index of the claim, and with its condition spelled out, without which SQLite does not use it: a
# million rows are not looked at.
_WAITING = f"FROM {sql.RECIPIENT} WHERE {sql.DUE} AND priority = %s AND next_attempt_at"


def _later(now: datetime) -> int:
    """How many wait for a later moment."""
    later = 0
    with connection.cursor() as cursor:
        for priority in PRIORITIES:
            cursor.execute(f"SELECT COUNT(*) {_WAITING} > %s", [priority, sql.moment(now)])
            later += cursor.fetchone()[0]
    return later


def oldest_due(now: datetime) -> datetime | None:
    """Since when the one that is due longest has been due; None when nothing is."""
    oldest = None
    with connection.cursor() as cursor:
        for priority in PRIORITIES:
            cursor.execute(f"SELECT MIN(next_attempt_at) {_WAITING} <= %s", [priority, sql.moment(now)])
            oldest = min(filter(None, (oldest, sql.read_moment(cursor.fetchone()[0]))), default=None)
    return oldest


def slots_used(now: datetime | None = None, *, place: int = 0) -> int:
    """How many connections the workers hold just now, on all machines; `place` 1: to the failover server."""
    return SlotLease.objects.filter(place=place, lease_until__gt=now or timezone.now()).count()


def raw_mail(recipient_id: int) -> bytes | None:
    """Header lines and content as stored (without From, which is made at submission); None where erased or
    unknown.
    """
    found = OutboxRecipient.objects.filter(pk=recipient_id).select_related("message").first()
    if found is None or found.message.erased:
        return None
    return bytes(found.header) + bytes(found.message.content)


def needs_a_person() -> int:
    """How many wait for somebody's decision, since nobody knows whether the server has them."""
    return OutboxRecipient.objects.filter(state=State.HELD).count()
