"""How much work is held ready follows from how fast it goes."""

from __future__ import annotations

import pytest

from depesche.mailroom.outbox.tempo import Rate, Tempo


def test_it_rises_at_once() -> None:
    tempo = Tempo()
    assert not tempo.decided(8, 100.0)  # the first after a rest: nothing to measure from
    assert not tempo.decided(8, 100.01)
    assert tempo.decided(8, 100.021)
    assert tempo.rate == pytest.approx(800, rel=0.1)
    assert not tempo.decided(8, 100.03)
    assert not tempo.decided(8, 100.04), "no faster than before"
    assert tempo.decided(80, 100.06)
    assert tempo.rate > 2000


def test_it_falls_slowly_and_to_nothing() -> None:
    tempo = Tempo()
    for step in range(10):
        tempo.decided(100, 50 + step / 100)
    before = tempo.rate
    assert before >= 5000
    tempo.tick(50.3)
    assert before / 2 <= tempo.rate < before
    for step in range(60):
        tempo.tick(51 + step / 4)
    assert tempo.rate < 1


def test_a_rest_does_not_count() -> None:
    tempo = Tempo()
    tempo.decided(1, 10.0)
    assert not tempo.decided(50, 20.0)
    assert not tempo.decided(1, 20.01)
    assert tempo.decided(49, 20.025)
    assert tempo.rate == pytest.approx(2000)


def test_the_rate_for_people_follows_and_ends() -> None:
    rate = Rate(100.0)
    assert rate.of(50, 100.5) == 0.0, "not a second yet"
    assert rate.of(100, 101.0) == pytest.approx(100)
    assert rate.of(400, 102.0) == pytest.approx((100 + 2 * 300) / 3), "smoothed"
    assert rate.of(400, 102.5) == pytest.approx((100 + 2 * 300) / 3)
    assert rate.of(400, 103.1) == 0.0, "nothing came: it stands still"
