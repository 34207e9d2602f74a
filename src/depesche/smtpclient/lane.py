"""One connection of a pool: from the slot to QUIT. One task for each; messages have none."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from depesche.smtpclient.config import ConnectionConfig
from depesche.smtpclient.errors import Cause, Stage, SubmissionError
from depesche.smtpclient.session import Guard, Session
from depesche.smtpclient.slots import Slot, SlotProvider
from depesche.smtpclient.wire.plan import ToSevenBit
from depesche.smtpclient.wire.protocol import Tap
from depesche.smtpclient.wire.under_way import Learnt, Transaction

_LOOK_EVERY = 1.0  # seconds within which a lost lease ends an idle session
_TURN = 3.0  # seconds that a busy session keeps a slot which others wait for
_OPENING = 2.0  # seconds that one given up may take to open, so that it can say QUIT

Prepare = Callable[[ConnectionConfig], Awaitable[ConnectionConfig]]


@dataclass(frozen=True, slots=True)
class Equipment:
    """What every connection of a pool is opened with (see Pool)."""

    slots: SlotProvider
    prepare: Prepare | None = None
    observer: Callable[[], Tap | None] | None = None
    to_seven_bit: ToSevenBit | None = None
    guard: Guard = contextlib.nullcontext


class Feeder(Protocol):
    """What a connection asks of its pool, and tells it."""

    @property
    def learnt(self) -> Learnt: ...

    def needs(self, lane: Lane) -> bool:
        """Whether a connection is still wanted, before it is opened."""

    def opened(self, lane: Lane) -> None:
        """It is ready for transactions."""

    def next_for(self, lane: Lane) -> Transaction | None:
        """The next message for it, if any."""

    def decided(self, lane: Lane, transaction: Transaction) -> None: ...

    def ended(self, lane: Lane, error: SubmissionError) -> None:
        """Its session is over, for whatever reason."""

    def failed(self, lane: Lane, error: SubmissionError) -> None:
        """It could not be opened."""

    def leaves(self, lane: Lane) -> None:
        """It takes no more messages."""

    def gone(self, lane: Lane) -> None:
        """Its slot is free again."""


class Lane:
    """One connection. `retire` from outside; the rest goes by itself once `start` was called."""

    __slots__ = (
        "_equipment",
        "_feeder",
        "_wake",
        "config",
        "idle_since",
        "old_at",
        "ready",
        "retiring",
        "returned",
        "session",
        "slot",
        "task",
        "turn_ends",
        "useful",
    )

    def __init__(self, config: ConnectionConfig, feeder: Feeder, equipment: Equipment) -> None:
        self.config = config
        self.slot: Slot | None = None
        self.session: Session | None = None
        self.task: asyncio.Task[None] | None = None
        self.ready = False
        self.retiring = False
        self.returned = 0  # messages that the server would not have over this connection
        self.useful = False  # it has brought a decision
        self.idle_since = 0.0
        self.old_at = float("inf")
        self.turn_ends = float("inf")
        self._feeder = feeder
        self._equipment = equipment
        self._wake = asyncio.Event()

    def start(self) -> None:
        self.task = asyncio.ensure_future(self._run())
        # Also for a task that was cancelled before its first step.
        self.task.add_done_callback(lambda _: self._feeder.gone(self))

    def retire(self) -> None:
        """Take no more; say QUIT once the rest is answered."""
        self.retiring = True
        self._wake.set()

    def give_up(self) -> None:
        """Retire it. What is still being opened may come to its end, for a moment: a server counts a
        connection that was cut until it notices, and the slot must not be another's before that.
        """
        if self.session is not None and not self.ready:
            asyncio.get_running_loop().call_later(_OPENING, self.end)
            self.retire()
        else:
            self.end()

    def end(self) -> None:
        """Retire it, and do not wait for what is still being opened."""
        if not self.ready and self.task is not None:
            self.task.cancel()
        self.retire()

    @property
    def held_until(self) -> float:
        """When the slot's lease ends; 0 without a slot."""
        return self.slot.held_until if self.slot is not None else 0.0

    @property
    def wanted(self) -> bool:
        """Whether others wait for the slot."""
        return bool(getattr(self.slot, "wanted", False))

    @property
    def idle(self) -> bool:
        return self.session is None or self.session.idle

    @property
    def under_way(self) -> int:
        """Messages begun and not decided."""
        return self.session.under_way if self.session is not None else 0

    # ---- its life

    async def _run(self) -> None:
        try:
            await self._open_and_serve()
        except SubmissionError as error:
            self._feeder.failed(self, error)
        except Exception as error:
            # A mistake of ours, or of `prepare` or `slots`: nobody may wait for ever because of it.
            failure = SubmissionError(Stage.CONNECT, Cause.ABORTED, detail=type(error).__name__)
            failure.__cause__ = error
            self._feeder.failed(self, failure)
            raise
        finally:
            try:
                if self.session is not None:
                    await self.session.abort()
            finally:
                await self._give_slot_back()

    async def _open_and_serve(self) -> None:
        equipment, feeder = self._equipment, self._feeder
        self.slot = await equipment.slots.acquire()
        config = self.config
        if equipment.prepare is not None:
            config = await equipment.prepare(config)
        if self.retiring or not feeder.needs(self):
            return
        session = self.session = Session(
            config,
            observer=equipment.observer() if equipment.observer is not None else None,
            to_seven_bit=equipment.to_seven_bit,
            guard=equipment.guard,
            learnt=feeder.learnt,
            source=lambda: feeder.next_for(self),
            decided=lambda transaction: feeder.decided(self, transaction),
            ended=lambda error: feeder.ended(self, error),
        )
        self.old_at = monotonic() + config.limits.max_age
        self.turn_ends = monotonic() + _TURN
        await session.start(ready=False)
        self.ready = True
        self.idle_since = monotonic()
        feeder.opened(self)
        await self._until_retired(session)
        if session.error is not None and not self.useful and session.error.cause is not Cause.CHUNKING_FAILED:
            raise session.error.again()  # it could not be used at all: as bad as one that cannot be opened
        await session.quit()

    async def _until_retired(self, session: Session) -> None:
        max_idle = session.config.limits.max_idle
        while session.error is None:
            if self.retiring and session.idle:
                return
            now = monotonic()
            if session.idle and (
                now >= self.idle_since + max_idle
                or now >= self.old_at
                or now >= self.held_until
                or self.wanted
            ):
                self.retiring = True
                return
            if now >= self.turn_ends and self.wanted:
                self.retiring = True
                continue
            wait = _LOOK_EVERY
            if session.idle:
                wait = min(wait, self.idle_since + max_idle - now, self.old_at - now)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(wait, 0.01)):
                    await self._wake.wait()
            self._wake.clear()

    async def _give_slot_back(self) -> None:
        """Whatever happened: the slot goes back, exactly once, also when we are cancelled meanwhile."""
        slot, self.slot = self.slot, None
        self.ready = False
        self._feeder.leaves(self)
        try:
            if slot is not None:
                await asyncio.shield(asyncio.ensure_future(self._equipment.slots.release(slot)))
        finally:
            self._feeder.gone(self)
