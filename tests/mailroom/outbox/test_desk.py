"""When the desk looks at the database, and when it sleeps."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from depesche.mailroom.outbox import desk
from depesche.mailroom.outbox.desk import Desk
from depesche.mailroom.outbox.orders import Orders, Parcel
from depesche.mailroom.outbox.queue import Recorded
from depesche.mailroom.outbox.states import State


class _Nobody:
    """A loop that takes nothing."""

    def take(self, parcels: Sequence[Parcel]) -> None:
        raise AssertionError("nothing was due")

    def order(self, orders: Orders) -> None:
        pass

    def recorded(self) -> None:
        pass


@pytest.mark.parametrize("up_for", [10.0, 5_000.0, 10_000_000.0])
@pytest.mark.parametrize("place", [0, 1])
def test_a_desk_without_work_sleeps_however_long_the_machine_is_up(
    place: int, up_for: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.time, "monotonic", lambda: up_for)
    one = Desk("somebody", _Nobody(), place=place)
    one._changed = False
    for what in ("poll", "beat", *(() if place else ("sweep",))):  # the failover's never sweeps
        one._times[what] = up_for
    assert one._patience() == desk.POLL_SECONDS


@pytest.mark.parametrize(("in_hand", "patience"), [(1, 0.0), (2, desk.FLUSH_SECONDS)])
def test_results_wait_for_others_only_while_there_are_others(
    in_hand: int, patience: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.time, "monotonic", lambda: 1000.0)
    one = Desk("somebody", _Nobody())
    one._changed = False
    for what in ("poll", "beat", "sweep"):
        one._times[what] = 1000.0
    one._in_hand = dict.fromkeys(range(in_hand), 1000.0)
    one.put(Recorded(0, 1, State.ACCEPTED))
    assert one._wake.is_set()
    assert one._patience() == pytest.approx(patience)


@pytest.mark.django_db
def test_a_desk_that_is_alone_asks_for_others_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(desk.slots, "others_alive", lambda owner, place: bool(asked.append(owner)))
    one = Desk("somebody", _Nobody())
    for _ in range(20):
        one._changed = True
        one._turn()
    assert asked == ["somebody"]
