"""How many connections: pure decisions, for any numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.smtpclient.planning import Cap, Pace, Situation, connections_to_open

NUMBERS = st.integers(0, 50)


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.integers(1, 20), st.booleans(), st.integers(0, 20))
def test_never_more_than_the_cap(
    waiting: int, under_way: int, ready: int, opening: int, effective: int, proven: bool, leaving: int
) -> None:
    more = connections_to_open(Situation(waiting, under_way, ready, opening, effective, proven, leaving))
    assert more >= 0
    if more:
        assert waiting
        assert ready + opening + leaving + more <= effective
    if waiting and not ready and not opening and leaving < effective:
        assert more >= 1, "nobody may wait for ever"


@pytest.mark.parametrize(
    ("waiting", "under_way", "ready", "opening", "proven", "more"),
    [
        (0, 0, 0, 0, True, 0),
        (1, 0, 0, 0, False, 1),
        (1000, 0, 0, 0, False, 1),  # one wrong password, not ten
        (1000, 0, 0, 1, False, 0),
        (1000, 2, 1, 0, True, 9),
        (1000, 2, 1, 4, True, 5),
        (2, 2, 1, 0, True, 1),
        (1, 1, 1, 0, True, 0),
    ],
)
def test_connections_are_opened_as_needed(
    waiting: int, under_way: int, ready: int, opening: int, proven: bool, more: int
) -> None:
    assert connections_to_open(Situation(waiting, under_way, ready, opening, 10, proven)) == more


def test_the_cap_shrinks_and_grows_back() -> None:
    cap = Cap(10, pause=60)
    assert cap.effective(0) == 10
    assert cap.next_growth(0) is None
    cap.shrink(4, now=100)
    assert [cap.effective(now) for now in (100, 159, 160, 220)] == [4, 4, 5, 6]
    assert cap.next_growth(110) == 50
    cap.shrink(5, now=220)  # again: it was too early
    assert [cap.effective(now) for now in (220, 339, 340)] == [5, 5, 6]
    assert cap.effective(10_000) == 10
    cap.shrink(9, now=20_000)
    assert cap.effective(20_060) == 10


@given(st.integers(1, 20), st.lists(st.tuples(st.integers(-2, 25), st.floats(0, 500)), max_size=10))
def test_the_cap_stays_between_one_and_the_configured(
    configured: int, shrinks: list[tuple[int, float]]
) -> None:
    cap, now = Cap(configured, pause=60), 0.0
    for to, pause in shrinks:
        now += pause
        before = cap.effective(now)
        cap.shrink(to, now)
        assert 1 <= cap.effective(now) <= before <= configured
    assert cap.effective(now + 60 * 16 * 25) == configured


def test_a_cap_that_is_set_anew() -> None:
    cap = Cap(10)
    cap.shrink(2, 0)
    cap.configured = 1
    assert cap.effective(0) == 1
    cap.configured = 5
    assert cap.effective(10**6) == 5


def test_without_a_limit_there_is_no_pace() -> None:
    assert Pace(None).wait(0) == 0


@given(st.floats(0.1, 50), st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_the_pace_is_kept_over_time(per_second: float, pauses: list[float]) -> None:
    pace, now, begun = Pace(per_second), 1000.0, []
    for pause in pauses:
        now += pause
        wait = pace.wait(now)
        if wait == 0:
            begun.append(now)
        else:
            assert wait <= 1 / per_second + 1e-6
            assert pace.wait(now + wait + 1e-6) == 0, "after the pause it may begin"
            now += wait + 1e-6
            begun.append(now)
    for start in begun:
        within = sum(start <= at <= start + 1 for at in begun)
        assert within <= per_second + max(1.0, per_second) + 1
