"""The right to hold a connection. The port through which an outbox enforces one cap over all its
processes."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Slot(Protocol):
    """One permission. `held_until` is a time of `time.monotonic`: after it no transaction may begin. Whoever
    gave the slot moves it on as long as its lease is renewed."""

    @property
    def held_until(self) -> float: ...


class SlotProvider(Protocol):
    """Gives and takes back slots. `acquire` waits until one is free; when it is cancelled, no slot is
    lost."""

    async def acquire(self) -> Slot: ...

    async def release(self, slot: Slot) -> None: ...


class LocalSlot:
    """A slot of this process: held as long as the process lives."""

    __slots__ = ("held_until",)

    def __init__(self) -> None:
        self.held_until = float("inf")


class LocalSlots:
    """A cap for several pools of one event loop."""

    def __init__(self, size: int) -> None:
        self._free = asyncio.Semaphore(size)
        self.size = size
        self.held = 0

    async def acquire(self) -> LocalSlot:
        await self._free.acquire()
        self.held += 1
        return LocalSlot()

    async def release(self, slot: Slot) -> None:
        self.held -= 1
        self._free.release()


class NoLimit:
    """The pool's own size is the only limit."""

    async def acquire(self) -> LocalSlot:
        return LocalSlot()

    async def release(self, slot: Slot) -> None:
        return None
