"""The right to hold a connection. The port through which an outbox enforces one cap over all its
processes."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Slot(Protocol):
    """One permission. `held_until` is a time of `time.monotonic`: after it no transaction may begin. Whoever
    gave the slot moves it on as long as its lease is renewed.

    A slot may have an attribute `wanted`: whether others wait for one. Then an idle session ends within a
    second, and a busy one after its turn, so that nobody starves.
    """

    @property
    def held_until(self) -> float: ...


class SlotProvider(Protocol):
    """Gives and takes back slots. `acquire` waits until one is free; when it is cancelled, no slot is
    lost."""

    async def acquire(self) -> Slot: ...

    async def release(self, slot: Slot) -> None: ...


class LocalSlot:
    """A slot of this process: held as long as the process lives."""

    __slots__ = ("_all", "held_until")

    def __init__(self, all_of_them: LocalSlots | None = None) -> None:
        self.held_until = float("inf")
        self._all = all_of_them

    @property
    def wanted(self) -> bool:
        return self._all is not None and self._all.waiting > 0


class LocalSlots:
    """A cap for several pools of one event loop. Who waited longest is served first."""

    def __init__(self, size: int) -> None:
        self._free = asyncio.Semaphore(size)
        self.size = size
        self.held = 0
        self.waiting = 0

    async def acquire(self) -> LocalSlot:
        self.waiting += 1
        try:
            await self._free.acquire()
        finally:
            self.waiting -= 1
        self.held += 1
        return LocalSlot(self)

    async def release(self, slot: Slot) -> None:
        self.held -= 1
        self._free.release()


class NoLimit:
    """The pool's own size is the only limit."""

    async def acquire(self) -> LocalSlot:
        return LocalSlot()

    async def release(self, slot: Slot) -> None:
        return None
