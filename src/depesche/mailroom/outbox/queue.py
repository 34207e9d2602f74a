"""Claiming and recording: the two statements everything hangs on. Private to the outbox, used by its worker.

Strategy. A claim takes due rows for one owner under a lease, in one transaction; nobody else can take them
until the lease ends (PostgreSQL: FOR UPDATE SKIP LOCKED; SQLite: the transaction holds the only write lock).
Each claim counts up `attempts`, and (id, attempts) names that attempt for good: a result is recorded only
while no other attempt has begun, so that a worker that lost its lease cannot overwrite what a later one found
out, while its late 250 still saves everybody from a duplicate.

Nothing here submits, renders or sleeps: transactions stay as short as their statements.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from depesche.mailroom.connections.sender_policy import Refused
from depesche.mailroom.outbox import sql
from depesche.mailroom.outbox.actions import erase_settled
from depesche.mailroom.outbox.categories import POLICIES, PRIORITIES
from depesche.mailroom.outbox.models import OutboxAttempt, OutboxMessage, OutboxRecipient
from depesche.mailroom.outbox.states import State

LEASE = timedelta(seconds=60)
MOST_BYTES = 48 * 1024 * 1024  # of content under way in one worker: a batch of large mails is cut short


class Claimed(NamedTuple):
    """One recipient taken for submission, with what the worker needs of its message but the content."""

    id: int
    attempt: int
    address: str
    header: bytes
    person: str
    waited: int  # attempts since a person last said "try again": the step of the back-off
    deferred_since: datetime | None
    message_id: int
    category: str
    sender: str
    author_name: str
    author_address: str
    item: str
    sensitive: bool
    expires_at: datetime | None
    size: int


class Recorded(NamedTuple):
    """What is to be written down about one attempt.

    `counts` False gives the attempt back: the server never heard of this mail. `try_at` is set for QUEUED,
    DEFERRED and UNCERTAIN. `outcome` names the attempt in the history where it is not the state (EXPIRED
    after a deferral).
    """

    id: int
    attempt: int
    state: State
    code: int | None = None
    reply: str = ""
    stage: str = ""
    started_at: datetime | None = None
    try_at: datetime | None = None
    counts: bool = True
    outcome: str = ""
    message_id: int = 0
    sensitive: bool = False


# The states are literals so that both databases see that the partial index applies.
_DUE = sql.DUE
_STILL = "state || '' IN ('queued', 'deferred')"  # the same, but by no index: the rows are known by their ids
_COLUMNS = (
    "r.id, r.attempts, r.address, r.header, r.person, r.patience_from, r.deferred_since, r.message_id,"
    " m.category, m.sender, m.author_name, m.author_address, m.item, m.sensitive, m.expires_at, m.size"
)


def anything_due(now: datetime) -> bool:
    """Whether a claim would find a row. Reads only."""
    with connection.cursor() as cursor:
        return any(_due_ids(cursor, priority, 1, sql.moment(now)) for priority in PRIORITIES)


def _due_ids(cursor: Any, priority: int, limit: int, at: Any) -> list[int]:
    # One range of the index per priority: rows deferred into the future are never stepped over.
    cursor.execute(
        f"SELECT id FROM {sql.RECIPIENT} WHERE {_DUE} AND priority = %s AND next_attempt_at <= %s"  # noqa: S608  our names
        " ORDER BY next_attempt_at, id LIMIT %s",
        [priority, at, limit],
    )
    return [row[0] for row in cursor.fetchall()]


def claim(owner: str, limit: int, now: datetime, lease: timedelta = LEASE) -> list[Claimed]:
    """Take up to `limit` due recipients until `now + lease`: urgent ones first, then the longest waiting.

    Fewer come where their contents would exceed MOST_BYTES (one always comes).
    """
    return exchange(owner, (), limit, now, lease).taken


class Exchanged(NamedTuple):
    """What was claimed, and for how many seconds the transaction kept others from writing (SQLite)."""

    taken: list[Claimed]
    held: float = 0.0


def exchange(
    owner: str, batch: Sequence[Recorded], limit: int, now: datetime, lease: timedelta = LEASE
) -> Exchanged:
    """`record` and `claim` in one transaction.

    On SQLite, where all others wait while somebody writes, what to take is looked up before the transaction
    begins; in it only those are taken that are still to be had.
    """
    taken: list[Claimed] = []
    looks_before = sql.is_sqlite()
    if looks_before and limit > 0:
        with connection.cursor() as cursor:
            taken = _due(cursor, limit, now)
    if not batch and (limit < 1 or (looks_before and not taken)):
        return Exchanged([])
    prepared = _prepared(batch)
    with sql.writing() as cursor:
        began = time.monotonic()
        _record(cursor, owner, prepared, now)
        if limit > 0 and not looks_before:
            taken = _due(cursor, limit, now)
        if taken:
            taken = _take(cursor, taken, owner, sql.moment(now + lease), sql.moment(now))
    return Exchanged(taken, time.monotonic() - began)


def _due(cursor: Any, limit: int, now: datetime) -> list[Claimed]:
    taken: list[Claimed] = []
    for priority in PRIORITIES:
        if limit > len(taken):
            taken += _candidates(cursor, priority, limit - len(taken), sql.moment(now))
    return _within(taken, MOST_BYTES)


_CANDIDATES = (
    f"SELECT {_COLUMNS} FROM {sql.RECIPIENT} r JOIN {sql.MESSAGE} m ON m.id = r.message_id"  # noqa: S608  our names
    f" WHERE r.{_DUE} AND r.priority = %s AND r.next_attempt_at <= %s"
    " ORDER BY r.next_attempt_at, r.id LIMIT %s"
)
# All rows as one: for each row that it fetches, Python's sqlite3 gives up the interpreter's lock, and waits
# for it as long as the event loop has something to do.
_CANDIDATES_SQLITE = (
    "SELECT json_group_array(json_array(id, attempts, address, hex(header), person, patience_from,"  # noqa: S608  our names
    " deferred_since, message_id, category, sender, author_name, author_address, item, sensitive,"
    f" expires_at, size)) FROM ({_CANDIDATES})"
)


def _candidates(cursor: Any, priority: int, limit: int, at: Any) -> list[Claimed]:
    if sql.is_sqlite():
        cursor.execute(_CANDIDATES_SQLITE, [priority, at, limit])
        return [_claimed(row, bytes.fromhex(row[3])) for row in json.loads(cursor.fetchone()[0])]
    cursor.execute(f"{_CANDIDATES} FOR UPDATE OF r SKIP LOCKED", [priority, at, limit])
    return [_claimed(row, bytes(row[3])) for row in cursor.fetchall()]


def _claimed(row: Sequence[Any], header: bytes) -> Claimed:
    (
        recipient_id, attempts, address, _, person, patience_from, deferred_since, message_id, category,
        sender, author_name, author_address, item, sensitive, expires_at, size,
    ) = row  # fmt: skip
    return Claimed(
        recipient_id,
        attempts + 1,
        address,
        header,
        person,
        attempts + 1 - patience_from,
        sql.read_moment(deferred_since) if deferred_since is not None else None,
        message_id,
        category,
        sender,
        author_name,
        author_address,
        item,
        bool(sensitive),
        sql.read_moment(expires_at) if expires_at is not None else None,
        size,
    )


def _within(taken: list[Claimed], most: int) -> list[Claimed]:
    """As many from the front as fit; content shared by several counts once."""
    seen: set[int] = set()
    total = 0
    for index, one in enumerate(taken):
        if one.message_id not in seen:
            seen.add(one.message_id)
            total += one.size
            if total > most and index:
                return taken[:index]
    return taken


_TAKE = (
    f"UPDATE {sql.RECIPIENT} AS r SET state = 'in_flight', attempts = attempts + 1, lease_owner = %s,"  # noqa: S608  our names
    f" lease_until = %s, updated_at = %s WHERE {{these}} AND {_STILL} AND next_attempt_at <= %s"
)


def _take(cursor: Any, taken: list[Claimed], owner: str, until: Any, at: Any) -> list[Claimed]:
    """Make them ours; those that could still be had."""
    ids, these = _ids([one.id for one in taken])
    cursor.execute(_TAKE.format(these=these), [owner, until, at, ids, at])
    if cursor.rowcount == len(taken):
        return taken
    cursor.execute(
        f"SELECT id FROM {sql.RECIPIENT} AS r WHERE {these} AND state = 'in_flight' AND lease_owner = %s",  # noqa: S608  our names
        [ids, owner],
    )
    got = {row[0] for row in cursor.fetchall()}
    return [one for one in taken if one.id in got]


def _ids(ids: list[int]) -> tuple[Any, str]:
    """Ids as one value, and the condition for `r.id` that takes it: one statement whatever their number."""
    if sql.is_sqlite():
        return json.dumps(ids), "r.id IN (SELECT value FROM json_each(%s))"
    return ids, "r.id = ANY(%s)"


# Still this attempt, under our lease. An acceptance counts too when the lease was lost and nobody has begun
# another.
_MINE = "id = %s AND attempts = %s AND state = 'in_flight' AND lease_owner = %s"


def record(owner: str, batch: Sequence[Recorded], now: datetime) -> None:
    """Write down results in one transaction. Those of an attempt that is no longer ours are dropped, but for
    a late acceptance, which counts unless another attempt has begun.
    """
    exchange(owner, batch, 0, now)


@dataclass(frozen=True)
class _Prepared:
    """A batch as the statements want it, made before the transaction begins."""

    accepted: list[tuple[int, int, int | None, str]]
    others: list[Recorded]
    erasable: list[int]
    packed: str  # the accepted ones as JSON, for SQLite


def _prepared(batch: Sequence[Recorded]) -> _Prepared:
    accepted = [(one.id, one.attempt, one.code, one.reply) for one in batch if one.state is State.ACCEPTED]
    return _Prepared(
        accepted=accepted,
        others=[one for one in batch if one.state is not State.ACCEPTED],
        erasable=sorted({one.message_id for one in batch if one.sensitive and one.state in _ERASING}),
        packed=json.dumps(accepted) if sql.is_sqlite() else "",
    )


def _record(cursor: Any, owner: str, batch: _Prepared, now: datetime) -> None:
    if batch.accepted:
        _accept(cursor, owner, batch, sql.moment(now))
    for one in batch.others:
        _record_other(cursor, owner, one, now)
    if batch.erasable:
        erase_settled(batch.erasable)


_ERASING = (State.ACCEPTED, State.CANCELLED, State.EXPIRED)
# One statement for the batch: row by row, each would wait for the interpreter's lock that the event loop
# holds.
_ACCEPT_SQLITE = (
    f"UPDATE {sql.RECIPIENT} AS r SET state = 'accepted', stage = '', reply_code = v.code, reply = v.reply,"  # noqa: S608  our names
    " accepted_at = %s, updated_at = %s, lease_owner = '', lease_until = NULL"
    " FROM (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS attempt,"
    " json_extract(value, '$[2]') AS code, json_extract(value, '$[3]') AS reply FROM json_each(%s)) AS v"
    " WHERE r.id = v.id AND r.attempts = v.attempt"
    " AND (+r.state = 'in_flight' AND r.lease_owner = %s OR +r.state IN ('queued', 'held', 'uncertain'))"
)
_ACCEPT_POSTGRESQL = (
    f"UPDATE {sql.RECIPIENT} r SET state = 'accepted', stage = '', reply_code = v.code, reply = v.reply,"  # noqa: S608  our names
    " accepted_at = %s, updated_at = %s, lease_owner = '', lease_until = NULL"
    " FROM unnest(%s::bigint[], %s::int[], %s::smallint[], %s::text[]) AS v(id, attempt, code, reply)"
    # By their ids alone: without figures about a table that has grown quickly, PostgreSQL takes the index of
    # the states and looks at all that wait.
    " WHERE r.id = ANY(%s) AND r.id = v.id AND r.attempts = v.attempt AND (r.state || '' = 'in_flight'"
    " AND r.lease_owner = %s OR r.state || '' IN ('queued', 'held', 'uncertain'))"
)


def _accept(cursor: Any, owner: str, batch: _Prepared, at: Any) -> None:
    if sql.is_sqlite():
        cursor.execute(_ACCEPT_SQLITE, [at, at, batch.packed, owner])
        return
    ids, *others = (list(column) for column in zip(*batch.accepted, strict=True))
    cursor.execute(_ACCEPT_POSTGRESQL, [at, at, ids, *others, ids, owner])


def _record_other(cursor: Any, owner: str, one: Recorded, now: datetime) -> None:
    at = sql.moment(now)
    deferred = at if one.state is State.DEFERRED else None
    cursor.execute(
        f"UPDATE {sql.RECIPIENT} SET state = %s, stage = %s, reply_code = %s, reply = %s, updated_at = %s,"  # noqa: S608  our names
        " next_attempt_at = COALESCE(%s, next_attempt_at), deferred_since = COALESCE(deferred_since, %s),"
        f" attempts = attempts - %s, lease_owner = '', lease_until = NULL WHERE {_MINE}",
        [
            one.state.value,
            one.stage,
            one.code,
            one.reply,
            at,
            sql.moment(one.try_at),
            deferred,
            0 if one.counts else 1,
            one.id,
            one.attempt,
            owner,
        ],
    )
    if cursor.rowcount and one.counts:
        _note_attempt(cursor, one, at)


def _note_attempt(cursor: Any, one: Recorded, at: Any) -> None:
    cursor.execute(
        f"INSERT INTO {sql.ATTEMPT} (recipient_id, number, started_at, ended_at, outcome, stage,"  # noqa: S608  our names
        " reply_code, reply) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        [
            one.id,
            one.attempt,
            sql.moment(one.started_at),
            at,
            one.outcome or one.state.value,
            one.stage,
            one.code,
            one.reply,
        ],
    )


def extend(owner: str, ids: Sequence[int], until: datetime) -> None:
    """The heartbeat: what this owner still works on stays its own until then."""
    with sql.writing() as cursor:
        for chunk in sql.in_chunks(ids):
            cursor.execute(
                f"UPDATE {sql.RECIPIENT} SET lease_until = %s WHERE lease_owner = %s AND state = 'in_flight'"  # noqa: S608  our names
                f" AND id IN ({sql.placeholders(len(chunk))})",
                [sql.moment(until), owner, *chunk],
            )


@dataclass(frozen=True)
class Swept:
    """What a sweep did: leases lost, uncertain ones due again, expired ones."""

    abandoned: int = 0
    requeued: int = 0
    expired: int = 0

    def __bool__(self) -> bool:
        return bool(self.abandoned or self.requeued or self.expired)


def sweep(now: datetime, *, dead: Iterable[str] = (), limit: int = 500) -> Swept:
    """Bring back what nobody works on any more, and end what has become pointless.

    Lost leases (and those of owners known to be `dead`) go back to the queue, or are held where the category
    wants a person to decide; the attempt is noted as abandoned. Uncertain ones that are due are queued again.
    Queued and deferred ones past their message's own expiry are expired.
    """
    lost, doubtful, late = _lost(now, list(dead), limit), _doubtful(now, limit), _late(now, limit)
    if not (lost or doubtful or late):
        return Swept()
    with sql.writing() as cursor:
        return Swept(
            abandoned=sum(_abandon(cursor, row, now) for row in lost),
            requeued=_move(cursor, doubtful, "uncertain", State.QUEUED, "", now),
            expired=_expire(cursor, late, now),
        )


def _rows(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _lost(now: datetime, dead: Sequence[str], limit: int) -> list[tuple[Any, ...]]:
    known_dead = f" OR r.lease_owner IN ({sql.placeholders(len(dead))})" if dead else ""
    return _rows(
        f"SELECT r.id, r.attempts, r.lease_owner, m.category FROM {sql.RECIPIENT} r"  # noqa: S608  our names
        f" JOIN {sql.MESSAGE} m ON m.id = r.message_id"
        f" WHERE r.state = 'in_flight' AND (r.lease_until < %s{known_dead}) LIMIT %s",
        [sql.moment(now), *dead, limit],
    )


def _doubtful(now: datetime, limit: int) -> list[int]:
    rows = _rows(
        f"SELECT id FROM {sql.RECIPIENT} WHERE state = 'uncertain' AND next_attempt_at <= %s LIMIT %s",  # noqa: S608  our names
        [sql.moment(now), limit],
    )
    return [row[0] for row in rows]


def _late(now: datetime, limit: int) -> list[tuple[Any, ...]]:
    """From the few messages that end at a time to their recipients, never the other way: SQLite would take
    the index of what is due, and look at a million rows every two seconds."""
    return _rows(
        f"SELECT r.id, r.message_id FROM {sql.MESSAGE} m JOIN {sql.RECIPIENT} r ON r.message_id = m.id"  # noqa: S608  our names
        f" WHERE m.expires_at <= %s AND r.{_STILL} LIMIT %s",
        [sql.moment(now), limit],
    )


def _abandon(cursor: Any, row: tuple[Any, ...], now: datetime) -> int:
    recipient_id, attempt, owner, category = row
    state = State.HELD if holds_uncertain(category) else State.QUEUED
    cursor.execute(
        f"UPDATE {sql.RECIPIENT} SET state = %s, lease_owner = '', lease_until = NULL, next_attempt_at = %s,"  # noqa: S608  our names
        f" updated_at = %s WHERE {_MINE}",
        [state.value, sql.moment(now), sql.moment(now), recipient_id, attempt, owner],
    )
    if not cursor.rowcount:
        return 0
    _note_attempt(cursor, Recorded(recipient_id, attempt, state, outcome="abandoned"), sql.moment(now))
    return 1


def _move(cursor: Any, ids: Sequence[int], before: str, after: State, reply: str, now: datetime) -> int:
    count = 0
    for chunk in sql.in_chunks(ids):
        cursor.execute(
            f"UPDATE {sql.RECIPIENT} SET state = %s, updated_at = %s{', reply = %s' if reply else ''}"  # noqa: S608  our names
            f" WHERE state = %s AND id IN ({sql.placeholders(len(chunk))})",
            [after.value, sql.moment(now), *([reply] if reply else []), before, *chunk],
        )
        count += cursor.rowcount
    return count


def _expire(cursor: Any, rows: Sequence[tuple[Any, ...]], now: datetime) -> int:
    ids = [row[0] for row in rows]
    words = "The mail had become pointless before the server took it: its own time had passed."
    count = sum(_move(cursor, ids, state, State.EXPIRED, words, now) for state in ("queued", "deferred"))
    if count:
        erase_settled(sorted({row[1] for row in rows}))
    return count


def revive(ids: Sequence[int], now: datetime) -> int:
    """Queue again what was recorded as failed although the connection was at fault. Returns how many."""
    count = 0
    with sql.writing() as cursor:
        for chunk in sql.in_chunks(ids):
            cursor.execute(
                f"UPDATE {sql.RECIPIENT} SET state = 'queued', next_attempt_at = %s, updated_at = %s,"  # noqa: S608  our names
                " patience_from = attempts"
                f" WHERE state = 'failed' AND id IN ({sql.placeholders(len(chunk))})",
                [sql.moment(now), sql.moment(now), *chunk],
            )
            count += cursor.rowcount
    return count


def note_rewritten(recipient_id: int, number: int, refused: Refused, now: datetime) -> None:
    """Into the history of this recipient: its From was refused, and it went again under the system address.
    Once for each attempt.
    """
    known = OutboxAttempt.objects.filter(recipient_id=recipient_id, number=number, outcome="rewritten")
    if known.exists() or not OutboxRecipient.objects.filter(pk=recipient_id).exists():
        return
    code = refused.reply[:3]
    OutboxAttempt.objects.create(
        recipient_id=recipient_id,
        number=number,
        ended_at=now,
        outcome="rewritten",
        stage=refused.stage,
        reply_code=int(code) if code.isdigit() else None,
        reply=refused.reply,
    )


def rewritten_before(taken: Sequence[Claimed]) -> dict[int, Refused]:
    """Those that went under the system address in an earlier attempt, with the server's words: they go so
    again, and are rewritten once. What came before a person said "try again" does not count.

    Address, domain and cause are left open: the history has the words alone.
    """
    since = {one.id: one.attempt - one.waited for one in taken if one.waited > 1}
    if not since:
        return {}
    rows = OutboxAttempt.objects.filter(outcome="rewritten", recipient_id__in=since)
    return {
        row.recipient_id: Refused("", "", "", row.stage, row.reply)
        for row in rows
        if row.number > since[row.recipient_id]
    }


def hasten(now: datetime) -> int:
    """Whatever stepped back after a refusal that was the connection's fault is due now. Returns how many."""
    at, ids = sql.moment(now), []
    for priority in PRIORITIES:  # along the index of the claim: what is due already is not looked at
        rows = _rows(
            f"SELECT id FROM {sql.RECIPIENT} WHERE {sql.DUE} AND priority = %s AND next_attempt_at > %s"  # noqa: S608  our names
            " AND state || '' = 'queued' AND reply_code IS NOT NULL",
            [priority, at],
        )
        ids += [row[0] for row in rows]
    for chunk in sql.in_chunks(ids):
        OutboxRecipient.objects.filter(pk__in=chunk, state=State.QUEUED).update(next_attempt_at=now)
    return len(ids)


def holds_uncertain(category: str) -> bool:
    """Whether mails of this category wait for a person when nobody knows whether the server has them."""
    wanted = getattr(settings, "DEPESCHE_HOLD_UNCERTAIN", ())
    policy = POLICIES.get(category)  # type: ignore[call-overload]  # a StrEnum equals its value
    return category in wanted or bool(policy and policy.hold_uncertain)


def contents(message_ids: Iterable[int]) -> dict[int, bytes]:
    """The shared contents of these messages."""
    found: dict[int, bytes] = {}
    for chunk in sql.in_chunks(sorted(set(message_ids))):
        rows = OutboxMessage.objects.filter(pk__in=chunk).values_list("pk", "content")
        found.update((key, bytes(content)) for key, content in rows)
    return found


def next_due(now: datetime) -> datetime | None:
    """When the next waiting recipient becomes due (queued, deferred or uncertain); None where none waits."""
    earliest: datetime | None = None
    for priority in PRIORITIES:
        rows = _rows(
            f"SELECT MIN(next_attempt_at) FROM {sql.RECIPIENT} WHERE {_DUE} AND priority = %s",  # noqa: S608  our names
            [priority],
        )
        earliest = min(filter(None, (earliest, sql.read_moment(rows[0][0]))), default=None)
    rows = _rows(f"SELECT MIN(next_attempt_at) FROM {sql.RECIPIENT} WHERE state = 'uncertain'", [])  # noqa: S608  our names
    return min(filter(None, (earliest, sql.read_moment(rows[0][0]))), default=None)
