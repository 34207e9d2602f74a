"""Addresses that fail: noted, suppressed, and tried again (suppression.py decides).

a report says "failed"       -> apply_report -> failed
a server refuses at once     -> OutboxAttempt -> WatchRefusals -> failed
a report says "delivered"    -> apply_report -> arrived
a person vouches for it      -> lift
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_noop

from depesche.mailroom.outbox import sql, suppression
from depesche.mailroom.outbox.categories import Category
from depesche.mailroom.outbox.models import AddressRecord, AddressWatch, OutboxAttempt, OutboxRecipient
from depesche.mailroom.outbox.states import State
from depesche.mailroom.outbox.suppression import Failure, Kind, Reason

DELIVERED: Final = "delivered"
_WORDS = 1000
_MOST_ATTEMPTS = 2000  # that are looked at in one turn

NOT_TRIED = gettext_noop("Not tried: earlier mails to this address came back.")


@dataclass(frozen=True)
class AddressRow:
    """What is known of an address that failed. `suppressed_at` None: it is tried."""

    address: str
    failures: int
    failed_at: datetime
    status: str
    words: str
    suppressed_at: datetime | None
    reason: str
    lifted_at: datetime | None
    lifted_by: str


# --- asking -------------------------------------------------------------------------------------------------


def suppressed_among(addresses: Iterable[str]) -> set[str]:
    """Which of these addresses (in any case) are not tried, in lower case."""
    suppressed = AddressRecord.objects.filter(suppressed_at__isnull=False)
    if not suppressed.exists():
        return set()
    wanted = sorted({address.lower() for address in addresses})
    found: set[str] = set()
    for start in range(0, len(wanted), 500):
        some = suppressed.filter(address__in=wanted[start : start + 500])
        found.update(some.values_list("address", flat=True))
    return found


def record_of(address: str) -> AddressRow | None:
    """What is known of an address; None where nothing failed."""
    row = AddressRecord.objects.filter(address=address.lower()).first()
    return _row(row) if row is not None else None


def suppressed_reason(address: str) -> AddressRow | None:
    """Why an address is not tried; None while it is."""
    row = record_of(address)
    return row if row is not None and row.suppressed_at is not None else None


def listed(*, text: str = "", only_suppressed: bool = True, limit: int = 200) -> list[AddressRow]:
    """Addresses that failed, the latest first."""
    rows = AddressRecord.objects.order_by("-failed_at", "id")
    if only_suppressed:
        rows = rows.filter(suppressed_at__isnull=False)
    if text:
        rows = rows.filter(Q(address__icontains=text) | Q(words__icontains=text))
    return [_row(row) for row in rows[:limit]]


def suppressed_count() -> int:
    return AddressRecord.objects.filter(suppressed_at__isnull=False).count()


def _row(row: AddressRecord) -> AddressRow:
    return AddressRow(
        address=row.address,
        failures=len(row.failures),
        failed_at=row.failed_at,
        status=row.status,
        words=row.words,
        suppressed_at=row.suppressed_at,
        reason=row.reason,
        lifted_at=row.lifted_at,
        lifted_by=row.lifted_by,
    )


# --- writing ------------------------------------------------------------------------------------------------


def failed(address: str, *, recipient_id: int, status: str, words: str, now: datetime) -> Reason | None:
    """A mail to this address failed for good. The reason when it is from now on not tried any more.

    What waits for it is suppressed in the same transaction, but for account mails.
    """
    kind = suppression.kind_of(status, words)
    if kind is Kind.OTHER:
        return None
    address = address.lower()
    domain = address.rpartition("@")[2][:253]
    with sql.writing() as cursor:
        row, _made = AddressRecord.objects.select_for_update().get_or_create(
            address=address, defaults={"domain": domain, "failed_at": now}
        )
        known = _failures(row.failures)
        after = suppression.with_failure(known, Failure(now, kind, recipient_id))
        if after == tuple(known):
            return None
        if kind is Kind.DEAD and row.died_at is None:
            row.died_at = now
        row.failures = [[one.at.isoformat(), one.kind.value, one.mail] for one in after]
        row.failed_at, row.status, row.words = now, status[:12], words[:_WORDS]
        reason = suppression.decide(after, now, dying_beside=_dying_beside(row, now))
        begins = reason is not None and row.suppressed_at is None
        if reason is not None and begins:
            row.suppressed_at, row.reason = now, reason.value
            row.lifted_at, row.lifted_by = None, ""
        row.save()
        if begins:
            hold_back(cursor, address, now)
        return reason if begins else None


def arrived(address: str, *, now: datetime) -> bool:
    """A report says that a mail was delivered there: whatever failed before counts no longer."""
    return _clear(address, by=DELIVERED, now=now)


def lift(address: str, *, by: str, now: datetime) -> bool:
    """A person says that the address works: it is tried again. Whether it had failed at all.

    What was suppressed stays so until somebody sends it again.
    """
    return _clear(address, by=by, now=now)


def _clear(address: str, *, by: str, now: datetime) -> bool:
    with sql.writing():
        row = AddressRecord.objects.select_for_update().filter(address=address.lower()).first()
        if row is None or (not row.failures and row.suppressed_at is None):
            return False
        if row.suppressed_at is not None:
            row.lifted_at, row.lifted_by = now, by[:200]
        row.failures, row.died_at, row.suppressed_at, row.reason = [], None, None, ""
        row.save()
        return True


def hold_back(cursor: Any, address: str, now: datetime) -> int:
    """Suppress what waits for this address. Returns how many."""
    cursor.execute(
        f"UPDATE {sql.RECIPIENT} SET state = 'suppressed', reply = %s, updated_at = %s"  # noqa: S608  our names
        f" WHERE {sql.DUE} AND LOWER(address) = %s AND message_id IN"
        f" (SELECT id FROM {sql.MESSAGE} WHERE category <> %s)",
        [NOT_TRIED, sql.moment(now), address, Category.ACCOUNT.value],
    )
    return int(cursor.rowcount)


def _failures(stored: Sequence[Sequence[Any]]) -> list[Failure]:
    return [Failure(datetime.fromisoformat(at), Kind(kind), int(mail)) for at, kind, mail in stored]


def _dying_beside(row: AddressRecord, now: datetime) -> int:
    others = AddressRecord.objects.filter(domain=row.domain, died_at__gt=now - suppression.CROWD_WINDOW)
    return others.exclude(address=row.address).count()


# --- refusals that servers gave at once ---------------------------------------------------------------------


class WatchRefusals:
    """The worker's task: what a server refused for good at once says as much about an address as a report."""

    name = "addresses"
    pause = 5.0
    wakes_on_change = False

    def run(self, now: datetime, stop: threading.Event) -> int:
        if not OutboxAttempt.objects.filter(pk__gt=self._seen()).exists():
            return 0
        with transaction.atomic(), sql.writing():
            watch = AddressWatch.objects.select_for_update().get(pk=1)
            tries = list(
                OutboxAttempt.objects.filter(pk__gt=watch.last_attempt)
                .order_by("pk")
                .values_list("pk", "recipient_id", "outcome", "stage", "reply")[:_MOST_ATTEMPTS]
            )
            if not tries:
                return 0
            refused = {
                recipient: reply
                for _pk, recipient, outcome, stage, reply in tries
                if outcome == State.FAILED.value and stage == "rcpt"
            }
            for pk, address in self._still_failed(refused):
                failed(address, recipient_id=pk, status="", words=refused[pk], now=now)
            AddressWatch.objects.filter(pk=1).update(last_attempt=tries[-1][0])
        return len(tries)

    def _seen(self) -> int:
        row, made = AddressWatch.objects.get_or_create(pk=1)
        if made:  # what lies before our time is the past
            last = OutboxAttempt.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
            AddressWatch.objects.filter(pk=1).update(last_attempt=last)
            return last
        return row.last_attempt

    def _still_failed(self, refused: dict[int, str]) -> list[tuple[int, str]]:
        """Those that the worker has not taken back since, because the connection was at fault."""
        rows: list[tuple[int, str]] = []
        for chunk in sql.in_chunks(sorted(refused)):
            some = OutboxRecipient.objects.filter(pk__in=chunk, state=State.FAILED)
            rows += some.values_list("pk", "address")
        return rows
