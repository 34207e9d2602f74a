"""What a pool knows of one connection and of one message."""

from __future__ import annotations

import asyncio

from depesche.smtpclient.config import ConnectionConfig
from depesche.smtpclient.session import Session, Submission
from depesche.smtpclient.slots import Slot
from depesche.smtpclient.transaction import Envelope, Result


class Job(Submission):
    """A message in the pool. `again`: a session was lost under it before, and that is enough."""

    __slots__ = ("again",)

    def __init__(self, envelope: Envelope, content: bytes, future: asyncio.Future[Result]) -> None:
        super().__init__(envelope, content, future)
        self.again = False


class Lane:
    """One connection: from the slot to QUIT."""

    __slots__ = (
        "config",
        "idle_since",
        "old_at",
        "ready",
        "retiring",
        "session",
        "slot",
        "task",
        "turn_ends",
        "useful",
        "wake",
    )

    def __init__(self, config: ConnectionConfig) -> None:
        self.config = config
        self.slot: Slot | None = None
        self.session: Session | None = None
        self.task: asyncio.Task[None] | None = None
        self.wake = asyncio.Event()
        self.ready = False
        self.retiring = False
        self.useful = False  # it has brought a decision
        self.idle_since = 0.0
        self.old_at = float("inf")
        self.turn_ends = float("inf")

    def retire(self) -> None:
        """Take no more; say QUIT once the rest is answered."""
        self.retiring = True
        self.wake.set()

    @property
    def held_until(self) -> float:
        """When the slot's lease ends; 0 without a slot."""
        return self.slot.held_until if self.slot is not None else 0.0

    @property
    def wanted(self) -> bool:
        """Whether others wait for the slot."""
        return bool(getattr(self.slot, "wanted", False))
