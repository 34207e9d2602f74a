"""The pool's slots, out of what the desk has leased in the database (slots.py).

Lives in the event loop; asks nobody: the desk says what is ours and until when. While the desk asks anew, it
may be giving up whatever no connection stands on: until its answer is here, no connection begins.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from time import monotonic

from depesche.smtpclient.slots import Slot


class LeasedSlot:
    """One number below the cap, ours as long as its lease is renewed."""

    __slots__ = ("_slots", "number")

    def __init__(self, number: int, slots: LeasedSlots) -> None:
        self.number = number
        self._slots = slots

    @property
    def held_until(self) -> float:
        return self._slots.deadline if self.number in self._slots.numbers else 0.0


class LeasedSlots:
    """A SlotProvider. `changed` is called when a slot was taken, given back, or is waited for."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.numbers: frozenset[int] = frozenset()
        self.deadline = 0.0
        self._held: set[int] = set()
        self._still = threading.Lock()  # around what `hold_still` reads from the desk's thread
        self._beat = 0  # the last one that was begun
        self._answered = 0  # the last one whose answer is here
        self._asking: deque[asyncio.Future[LeasedSlot]] = deque()
        self._changed = changed

    def hold_still(self) -> tuple[int, frozenset[int]]:
        """From any thread: a beat begins. Its number, and the slots that a connection stands on; no other
        gets one before that beat is `granted`.
        """
        with self._still:
            self._beat += 1
            return self._beat, frozenset(self._held)

    def granted(self, numbers: frozenset[int], deadline: float, beat: int) -> None:
        """What is ours from now on, and until when (`time.monotonic`), as of this beat."""
        self.numbers, self.deadline = numbers, deadline
        self._answered = beat
        self._hand_out()

    def _hand_out(self) -> None:
        if monotonic() >= self.deadline:
            return  # others may have them
        with self._still:
            free = sorted(self.numbers - self._held) if self._answered == self._beat else []
            while free and self._asking:
                asking = self._asking.popleft()
                if not asking.done():
                    number = free.pop(0)
                    self._held.add(number)
                    asking.set_result(LeasedSlot(number, self))

    async def acquire(self) -> Slot:
        """Wait for a slot. When it is cancelled, no slot is lost."""
        asking: asyncio.Future[LeasedSlot] = asyncio.get_running_loop().create_future()
        self._asking.append(asking)
        self._hand_out()
        self._changed()
        try:
            return await asking
        except asyncio.CancelledError:
            if asking.done() and not asking.cancelled():
                self._free(asking.result().number)
            raise

    async def release(self, slot: Slot) -> None:
        assert isinstance(slot, LeasedSlot)
        self._free(slot.number)

    def _free(self, number: int) -> None:
        with self._still:
            self._held.discard(number)
        self._hand_out()
        self._changed()
