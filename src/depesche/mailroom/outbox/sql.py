"""What differs between the two databases, in one place; and the few helpers that raw statements need.

The queue speaks SQL itself: an ORM row costs more than the whole submission of a mail. Table names come from
the models, values are always bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.db import connection, transaction
from django.utils import timezone

from depesche.mailroom.outbox.models import (
    OutboxAttempt,
    OutboxMessage,
    OutboxRecipient,
    SlotLease,
)

MESSAGE = OutboxMessage._meta.db_table
RECIPIENT = OutboxRecipient._meta.db_table
ATTEMPT = OutboxAttempt._meta.db_table
SLOT = SlotLease._meta.db_table

DUE = "state IN ('queued', 'deferred')"
"""The condition of the index that claims go by; bound values in its place would not be recognised."""

T = TypeVar("T")
CHANNEL = "depesche"
_OURS = 0x0DE9E5C4  # the first half of our advisory locks
SLOTS = 1


def is_sqlite() -> bool:
    return connection.vendor == "sqlite"


def moment(value: datetime | None) -> Any:
    """A time as the database takes it in a raw statement."""
    if value is None or connection.vendor != "sqlite":
        return value
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def read_moment(value: Any) -> datetime | None:
    """A time as a raw statement gave it."""
    if value is None or value == "":
        return None
    moment: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@contextmanager
def writing() -> Iterator[Any]:
    """A cursor inside a write transaction; joins the caller's where there is one.

    On SQLite the write lock is taken at the start: a transaction that reads first and writes later fails at
    once when another one wrote between, whatever the timeout.
    """
    outermost = not connection.in_atomic_block
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        if outermost and connection.vendor == "sqlite" and not _begins_with_the_lock():
            cursor.execute(f"DELETE FROM {SLOT} WHERE 0")  # noqa: S608  our names
        yield cursor


def _begins_with_the_lock() -> bool:
    return getattr(connection, "transaction_mode", None) in ("IMMEDIATE", "EXCLUSIVE")


def one_at_a_time(cursor: Any, what: int) -> None:
    """Let only one transaction at a time pass here. On SQLite there is only ever one that writes."""
    if connection.vendor == "postgresql":
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_OURS, what])


def notify(cursor: Any) -> None:
    """Wake the workers once this transaction is committed. On SQLite they watch its data_version."""
    if connection.vendor == "postgresql":
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


def clock_offset() -> timedelta:
    """How far the database's clock is ahead of ours. With SQLite both are one."""
    if connection.vendor != "postgresql":
        return timedelta(0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        told: datetime = cursor.fetchone()[0]
    return told - timezone.now()


def placeholders(count: int) -> str:
    return ",".join(["%s"] * count)


def in_chunks(values: Sequence[T], size: int = 500) -> Iterator[Sequence[T]]:
    """Pieces small enough for one statement's parameters."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def reserve_ids(cursor: Any, table: str, count: int) -> range | list[int]:
    """`count` new primary keys, to be inserted in this transaction.

    PostgreSQL hands them out of the sequence. On SQLite the transaction already holds the write lock, so that
    nobody else can take the numbers behind the highest ever used.
    """
    if connection.vendor == "postgresql":
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count]
        )
        return [row[0] for row in cursor.fetchall()]
    cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
    row = cursor.fetchone()
    first = (row[0] if row else 0) + 1
    return range(first, first + count)
