"""The cap over all workers: never more rows than the cap, fair shares, quick recovery."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.mailroom.outbox import identity, slots
from depesche.mailroom.outbox.models import SlotLease
from depesche.mailroom.outbox.queries import slots_used
from tests.mailroom.outbox.helpers import later
from tests.support.threads import at_once


@given(st.integers(-1, 40), st.dictionaries(st.text("abcdefgh", min_size=1), st.integers(0, 30), max_size=8))
def test_shares(cap: int, wants: dict[str, int]) -> None:
    given_ = slots.shares(cap, wants)
    assert sum(given_.values()) == min(max(cap, 0), sum(wants.values()))
    assert all(0 <= given_[owner] <= wants[owner] for owner in wants)
    # Fair: who got less than wanted has at most one less than anybody else.
    starved = [given_[owner] for owner in wants if given_[owner] < wants[owner]]
    assert all(max(given_.values()) - less <= 1 for less in starved)


pytestmark = [pytest.mark.contract]


def beat(
    owner: str, wanted: int, held: list[int] | None = None, cap: int = 4, seconds: float = 0
) -> slots.Grant:
    return slots.beat(owner, wanted=wanted, held=held or [], cap=cap, now=later(seconds))


@pytest.mark.django_db
def test_one_worker_takes_what_it_wants_within_the_cap() -> None:
    assert beat("a", 2).numbers == {0, 1}
    assert beat("a", 9, [0, 1]).numbers == {0, 1, 2, 3}
    assert beat("a", 0).numbers == frozenset()


@pytest.mark.django_db
def test_the_failover_has_slots_of_its_own() -> None:
    assert len(beat("a", 9).numbers) == 4
    assert slots.beat("a2", wanted=9, held=[], cap=2, now=later(0), place=1).numbers == {0, 1}
    assert slots.beat("b2", wanted=9, held=[], cap=2, now=later(0), place=1).share == 1
    assert (slots_used(later(1)), slots_used(later(1), place=1)) == (4, 2)
    slots.leave("a2")
    assert slots.beat("b2", wanted=9, held=[], cap=2, now=later(0), place=1).numbers == {0, 1}
    assert beat("a", 9, [0, 1, 2, 3]).numbers == {0, 1, 2, 3}


@pytest.mark.django_db
def test_two_workers_share() -> None:
    assert len(beat("a", 10).numbers) == 4
    grant = beat("b", 10)
    assert (grant.numbers, grant.share) == (frozenset(), 2)
    held = beat("a", 10, [0, 1, 2, 3])
    assert (held.numbers, held.share) == ({0, 1, 2, 3}, 2)  # connections under way are not cut
    assert len(beat("a", 10, [0, 1]).numbers) == 2
    assert beat("b", 10).numbers == {2, 3}


@pytest.mark.django_db
def test_the_parts_of_all_workers_make_the_whole() -> None:
    assert beat("a", 10).part == 1.0
    beat("b", 2), beat("c", 1)
    parts = [beat(owner, wanted, cap=3).part for owner, wanted in (("a", 10), ("b", 2), ("c", 1))]
    assert sum(parts) == pytest.approx(1.0)


@pytest.mark.django_db
def test_a_cap_of_one() -> None:
    assert beat("a", 5, cap=1).numbers == {0}
    assert beat("b", 5, cap=1).numbers == frozenset()
    beat("a", 0, cap=1)
    assert beat("b", 5, cap=1).numbers == {0}


@pytest.mark.django_db
def test_a_lowered_cap_counts_the_connections_that_still_last() -> None:
    beat("a", 4)
    assert beat("a", 4, [0, 1, 2, 3], cap=2).numbers == {0, 1, 2, 3}
    assert beat("a", 4, [2, 3], cap=2).numbers == {2, 3}
    assert beat("b", 1, cap=2).numbers == frozenset()
    beat("a", 4, [3], cap=2)
    assert SlotLease.objects.count() <= 2
    assert len(beat("a", 4, [0], cap=3).numbers) <= 3


@pytest.mark.django_db
def test_a_killed_worker_blocks_nobody_for_long() -> None:
    beat("a", 4)
    assert beat("b", 4, seconds=19).numbers == frozenset()
    assert beat("b", 4, seconds=20).numbers == {0, 1, 2, 3}


@pytest.mark.django_db
def test_leaving_frees_at_once() -> None:
    beat("a", 4)
    slots.leave("a")
    assert slots.owners() == set()
    assert len(beat("b", 4).numbers) == 4


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_never_exceed_the_cap() -> None:
    cap, most = 5, list[int]()

    def work(owner: str) -> None:
        held: list[int] = []
        for round_ in range(12):
            grant = slots.beat(owner, wanted=round_ % 4, held=held, cap=cap, now=later(round_))
            held = sorted(grant.numbers)[: grant.share]
            most.append(SlotLease.objects.count())

    at_once(work)
    assert max(most) <= cap


def test_owners_of_dead_processes_are_known() -> None:
    mine = identity.new_owner()
    assert len(mine) <= 40
    code = "from depesche.mailroom.outbox import identity; print(identity.new_owner())"
    gone = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    ).stdout.strip()
    elsewhere = "0123456789.1.1.abcdef"
    assert identity.dead_among([mine, gone, elsewhere, "odd", ""]) == [gone]
