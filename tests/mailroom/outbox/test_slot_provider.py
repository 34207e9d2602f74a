"""No connection begins on a slot that may just be going to somebody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from time import monotonic

from depesche.mailroom.outbox.slot_provider import LeasedSlot, LeasedSlots


def of(slots: LeasedSlots) -> asyncio.Task[LeasedSlot]:
    async def acquire() -> LeasedSlot:
        slot = await slots.acquire()
        assert isinstance(slot, LeasedSlot)
        return slot

    return asyncio.ensure_future(acquire())


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def soon() -> float:
    return monotonic() + 60


def in_loop(test: Callable[[LeasedSlots], Coroutine[None, None, None]]) -> None:
    asyncio.run(test(LeasedSlots(lambda: None)))


def test_nothing_begins_while_a_beat_is_under_way() -> None:
    async def test(slots: LeasedSlots) -> None:
        beat, held = slots.hold_still()
        assert held == frozenset()
        slots.granted(frozenset({0, 1}), soon(), beat)
        assert (await of(slots)).number == 0
        beat, held = slots.hold_still()
        assert held == {0}  # 1 is given up in this beat
        waits = of(slots)
        await turns()
        assert not waits.done()
        slots.granted(frozenset({0}), soon(), beat)
        await turns()
        assert not waits.done()
        beat, _ = slots.hold_still()
        slots.granted(frozenset({0, 3}), soon(), beat)
        assert (await waits).number == 3

    in_loop(test)


def test_orders_from_before_the_beat_let_nothing_begin() -> None:
    async def test(slots: LeasedSlots) -> None:
        before, _ = slots.hold_still()
        beat, _ = slots.hold_still()
        slots.granted(frozenset({0, 1}), soon(), before)
        waits = of(slots)
        await turns()
        assert not waits.done()
        slots.granted(frozenset({1}), soon(), beat)
        assert (await waits).number == 1

    in_loop(test)


def test_nothing_begins_once_the_lease_is_over() -> None:
    async def test(slots: LeasedSlots) -> None:
        slots.granted(frozenset({0}), monotonic(), 0)
        waits = of(slots)
        await turns()
        assert not waits.done()
        slots.granted(frozenset({0}), soon(), 0)
        assert (await waits).number == 0

    in_loop(test)


def test_a_slot_given_back_during_a_beat_waits_for_its_end() -> None:
    async def test(slots: LeasedSlots) -> None:
        slots.granted(frozenset({0}), soon(), 0)
        first = await slots.acquire()
        waits = of(slots)
        beat, held = slots.hold_still()
        assert held == {0}
        await slots.release(first)
        await turns()
        assert not waits.done()
        slots.granted(frozenset({0}), soon(), beat)
        assert (await waits).number == 0

    in_loop(test)
