"""The cap on simultaneous connections, held over all processes and machines by lease rows (M17).

Strategy. A slot is a number below the cap; a unique row per number makes sure that two workers never hold
one. Every worker beats every few seconds, and at once when it wants more or less: a beat renews its rows,
gives back what is above the cap or above its fair share, and takes what is free. `shares` decides purely who
may hold how many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from depesche.mailroom.outbox import sql
from depesche.mailroom.outbox.models import SlotLease, WorkerPresence

LEASE = timedelta(seconds=20)  # a killed worker's slots are free again after that, at the latest
BEAT_SECONDS = 4.0


def shares(cap: int, wants: Mapping[str, int]) -> dict[str, int]:
    """How many slots each worker may hold: nobody more than wanted, what is left over goes to who wants more.

    The sum never exceeds the cap. Where there are fewer slots than workers, the first by name have one each.
    """
    given = dict.fromkeys(wants, 0)
    left = max(cap, 0)
    hungry = sorted(owner for owner, wanted in wants.items() if wanted > 0)
    while left and hungry:
        portion = max(1, left // len(hungry))
        for owner in list(hungry):
            more = min(portion, wants[owner] - given[owner], left)
            given[owner] += more
            left -= more
            if given[owner] >= wants[owner]:
                hungry.remove(owner)
    return given


@dataclass(frozen=True)
class Grant:
    """What a beat brought: the numbers of the slots that are ours until `until`; how many we may use for work
    (`share`), and how many nobody needs (`spare`), so that idle connections may stay open on them. `part`: of
    what all workers may do together, as much is ours.
    """

    numbers: frozenset[int]
    share: int
    spare: int
    until: datetime
    part: float = 1.0


def beat(
    owner: str,
    *,
    wanted: int,
    held: Sequence[int],
    cap: int,
    now: datetime,
    rate: float = 0.0,
    lease: timedelta = LEASE,
    place: int = 0,
) -> Grant:
    """Say that this worker lives and how many slots it could use; renew, give back and take in one
    transaction.

    `held` are the numbers with a connection on them now: they stay ours while the cap permits, even above the
    share, until their connection has ended. Numbers that are not held and not wanted become free. The slots
    of each place (the connection, its failover) are counted by themselves.
    """
    until = now + lease
    with sql.writing() as cursor:
        sql.one_at_a_time(cursor, sql.SLOTS)
        _clear(now)
        WorkerPresence.objects.update_or_create(
            owner=owner, defaults={"place": place, "seen_until": until, "wanted": wanted, "rate": rate}
        )
        alive = dict(WorkerPresence.objects.filter(place=place).values_list("owner", "wanted"))
        parts = shares(cap, alive)
        share, given = parts[owner], sum(parts.values())
        spare = max(cap, 0) - given
        rows = list(SlotLease.objects.filter(place=place).values_list("number", "owner"))
        mine = {number for number, holder in rows if holder == owner}
        taken = {number for number, _ in rows}
        keep = sorted(mine, key=lambda number: (number not in held, number))
        # A row may outlive its permission (the cap went down), but only while its connection lasts.
        keeping = {number for number in mine if number in held}
        for number in keep:
            if len(keeping) < min(share, wanted) and number < cap:
                keeping.add(number)
        for number in range(cap):
            if len(keeping) >= min(share, wanted):
                break
            if number not in taken and _within_cap(rows, mine, keeping, cap):
                keeping.add(number)
        _store(owner, mine, keeping, until, place)
        if len(keeping) < min(share, wanted):
            sql.notify(cursor)  # somebody holds what is ours by right: let them look
    return Grant(frozenset(keeping), share, spare, until, share / given if share else 1.0 / len(alive))


def others_alive(owner: str, place: int = 0) -> bool:
    """Whether any other worker has said that it lives, and not that it ended. Reads only."""
    return WorkerPresence.objects.filter(place=place).exclude(owner=owner).exists()


def _within_cap(rows: Sequence[tuple[int, str]], mine: set[int], keeping: set[int], cap: int) -> bool:
    """Whether one more connection stays within the cap: rows above a lowered cap still count."""
    return len(rows) - len(mine) + len(keeping) < cap


def _clear(now: datetime) -> None:
    SlotLease.objects.filter(lease_until__lte=now).delete()
    WorkerPresence.objects.filter(seen_until__lte=now).delete()


def _store(owner: str, mine: set[int], keeping: set[int], until: datetime, place: int) -> None:
    if gone := mine - keeping:
        SlotLease.objects.filter(owner=owner, number__in=gone).delete()
    if kept := mine & keeping:
        SlotLease.objects.filter(owner=owner, number__in=kept).update(lease_until=until)
    if new := sorted(keeping - mine):
        SlotLease.objects.bulk_create(
            [SlotLease(place=place, owner=owner, number=number, lease_until=until) for number in new]
        )


def leave(owner: str) -> None:
    """Give everything back: the worker ends."""
    with sql.writing():
        SlotLease.objects.filter(owner=owner).delete()
        WorkerPresence.objects.filter(owner=owner).delete()


def bury(dead: Sequence[str]) -> None:
    """Free the slots of workers that certainly live no more."""
    with sql.writing():
        SlotLease.objects.filter(owner__in=dead).delete()
        WorkerPresence.objects.filter(owner__in=dead).delete()


def owners() -> set[str]:
    """Everybody who holds a slot or a row, or has said that it lives."""
    from depesche.mailroom.outbox.models import OutboxRecipient
    from depesche.mailroom.outbox.states import State

    working = OutboxRecipient.objects.filter(state=State.IN_FLIGHT).values_list("lease_owner", flat=True)
    return {
        *SlotLease.objects.values_list("owner", flat=True),
        *WorkerPresence.objects.values_list("owner", flat=True),
        *working.distinct(),
    }
