"""The policy for addresses that keep failing. Pure."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.mailroom.outbox.suppression import (
    CROWD,
    KEPT,
    SECOND_LOOK,
    SOFT_DAYS,
    SOFT_TIMES,
    Failure,
    Kind,
    Reason,
    decide,
    kind_of,
    with_failure,
)
from tests.mailroom.outbox.helpers import NOW

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        ("5.1.1", "", Kind.DEAD),
        ("5.1.2", "host not found", Kind.DEAD),
        ("5.1.10", "recipient has a null MX", Kind.DEAD),
        ("5.2.1", "mailbox disabled", Kind.DEAD),
        ("", "550 5.1.1 <x@example.net>: Recipient address rejected: User unknown in table", Kind.DEAD),
        ("", "550 No such user here", Kind.DEAD),
        ("5.0.0", "550 sorry, no mailbox here: user x@example.net does not exist", Kind.DEAD),
        ("5.2.2", "", Kind.FULL),
        ("", "552 Quota exceeded", Kind.FULL),
        ("5.4.7", "delivery time expired", Kind.FULL),
        ("5.7.1", "blocked by policy", Kind.OTHER),
        ("", "550 relaying denied", Kind.OTHER),
        ("", "550 blocked: user unknown to our reputation list", Kind.OTHER),
        ("5.3.4", "too large", Kind.OTHER),
        ("5.1.8", "bad sender's system", Kind.OTHER),
        ("5.1.0", "sender rejected", Kind.OTHER),
        ("5.1.0", "address unknown", Kind.DEAD),
        ("5.6.0", "", Kind.OTHER),
        ("", "", Kind.OTHER),
    ],
)
def test_what_a_failure_says_about_the_address(status: str, words: str, kind: Kind) -> None:
    assert kind_of(status, words) is kind


def failures(kind: Kind, *days: float) -> list[Failure]:
    return [Failure(NOW - day * DAY, kind, number) for number, day in enumerate(days)]


def test_one_unknown_user_is_enough() -> None:
    assert decide(failures(Kind.DEAD, 0), NOW) is Reason.DEAD


def test_a_whole_domain_that_dies_at_once_is_looked_at_twice() -> None:
    assert decide(failures(Kind.DEAD, 0), NOW, dying_beside=CROWD) is None
    assert decide(failures(Kind.DEAD, 0.1, 0), NOW, dying_beside=CROWD) is None
    twice = failures(Kind.DEAD, SECOND_LOOK / DAY, 0)
    assert decide(twice, NOW, dying_beside=CROWD) is Reason.DEAD


def test_a_full_mailbox_takes_many_mails_and_days() -> None:
    assert decide(failures(Kind.FULL, *[0.0] * 20), NOW) is None
    spread = [number % SOFT_DAYS for number in range(SOFT_TIMES)]
    assert decide(failures(Kind.FULL, *spread), NOW) is Reason.FAILING
    assert decide(failures(Kind.FULL, *spread[:-1]), NOW) is None
    assert decide(failures(Kind.FULL, *(day + 40 for day in spread)), NOW) is None


@given(st.lists(st.tuples(st.sampled_from(Kind), st.integers(0, 50), st.integers(0, 90)), max_size=60))
def test_policy_never_counts_what_says_nothing(seen: list[tuple[Kind, int, int]]) -> None:
    known: tuple[Failure, ...] = ()
    for kind, mail, days in seen:
        known = with_failure(known, Failure(NOW - days * DAY, kind, mail))
    assert len(known) <= KEPT
    assert all(one.kind is not Kind.OTHER for one in known)
    assert len({one.mail for one in known}) == len(known)
    assert [one.at for one in known] == sorted(one.at for one in known)
    verdict = decide(known, NOW)
    assert (verdict is Reason.DEAD) == any(one.kind is Kind.DEAD for one in known)
