"""When the desk looks at the database, and when it sleeps."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from django.db import OperationalError

from depesche.mailroom.connections.actions import save_outgoing
from depesche.mailroom.outbox import desk
from depesche.mailroom.outbox.desk import Desk
from depesche.mailroom.outbox.models import OutboxRecipient
from depesche.mailroom.outbox.orders import Fault, Orders, Parcel
from depesche.mailroom.outbox.queue import Recorded
from depesche.mailroom.outbox.states import State
from tests.mailroom.outbox.working import put


class _Nobody:
    """A loop that takes nothing."""

    def take(self, parcels: Sequence[Parcel]) -> None:
        raise AssertionError("nothing was due")

    def order(self, orders: Orders) -> None:
        pass

    def recorded(self) -> None:
        pass

    def hold_still(self) -> tuple[int, frozenset[int]]:
        return 1, frozenset()


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


class _Taker(_Nobody):
    def __init__(self) -> None:
        self.taken: list[int] = []

    def take(self, parcels: Sequence[Parcel]) -> None:
        self.taken += [parcel.claimed.id for parcel in parcels]


def _at_work(taker: _Taker) -> Desk:
    """A desk with a server, whose loop could take mails."""
    save_outgoing({"host": "smtp.example.org", "auth": "none", "system_address": "a@example.org"})
    one = Desk("somebody", taker)
    one.wish(wanted=1, capacity=100)
    one._turn()
    return one


@pytest.mark.contract
@pytest.mark.django_db(transaction=True)
def test_what_could_not_be_handed_over_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    taker = _Taker()
    one = _at_work(taker)
    ids = put(3)

    def away(_ids: object) -> dict[int, bytes]:
        raise OperationalError("the connection was closed")

    with monkeypatch.context() as patch:
        patch.setattr(desk.queue, "contents", away)
        one.changed()
        with pytest.raises(OperationalError):
            one._turn()
    assert not taker.taken
    for _ in range(3):
        one.changed()
        one._turn()
    assert sorted(taker.taken) == sorted(ids)


@pytest.mark.contract
@pytest.mark.django_db(transaction=True)
def test_what_was_the_connections_fault_is_queued_again_though_its_result_is_long_written() -> None:
    one = _at_work(_Taker())
    (pk,) = put()
    OutboxRecipient.objects.filter(pk=pk).update(state=State.FAILED)
    one.fault(Fault("relay-denied", "rcpt", "550 no", (pk,)))
    one._turn()
    assert OutboxRecipient.objects.get(pk=pk).state == State.QUEUED


@pytest.mark.contract
@pytest.mark.django_db(transaction=True)
def test_so_it_is_though_the_fault_is_the_last_that_a_desk_hears() -> None:
    one = _at_work(_Taker())
    (pk,) = put()
    OutboxRecipient.objects.filter(pk=pk).update(state=State.FAILED)
    one.fault(Fault("relay-denied", "rcpt", "550 no", (pk,)))
    one._stop.set()
    one._run()
    assert OutboxRecipient.objects.get(pk=pk).state == State.QUEUED
