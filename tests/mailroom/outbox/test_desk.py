"""When the desk looks at the database, and when it sleeps."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from depesche.mailroom.outbox import desk
from depesche.mailroom.outbox.desk import Desk
from depesche.mailroom.outbox.orders import Orders, Parcel


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
