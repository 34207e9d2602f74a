"""The worker: everything that goes on by itself, in one process or as a thread of another one.

    run_worker(stop)     until `stop` is set; then it drains for 10 s and cuts
    drain()              until nothing is due

Threads: the event loop (submission), the desk (the database), the watch (what changed), one for each task.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import close_old_connections, connection
from django.utils import timezone

from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections.diagnosis.pauses import reason_of_pause
from depesche.mailroom.connections.queries import Flow
from depesche.mailroom.outbox import identity, queries, queue, tasks
from depesche.mailroom.outbox.delivery import Delivery
from depesche.mailroom.outbox.desk import Desk
from depesche.mailroom.outbox.suspects import STEPS_BACK
from depesche.mailroom.outbox.watch import ChangeWatch

log = logging.getLogger(__name__)
DRAIN_SECONDS = 10.0
_STEP = 0.01
_LAST_STEP = 0.002  # when nothing is in hand, and it is only to be made sure
_SWITCH_SECONDS = 0.0005
_QUIET_TURNS = 3
_SENT_BACK = STEPS_BACK
_AWAY_SECONDS = 15.0  # so long a drain waits for a database that does not do its work


@dataclass(frozen=True)
class Progress:
    """How far a drain has come."""

    accepted: int
    remaining: int
    rate: float


@dataclass(frozen=True)
class Drained:
    """How a drain ended: `reason` says why mails are left, "" when nothing is due any more."""

    accepted: int
    reason: str = ""


class Worker:
    """One worker. `with_tasks` False: submission alone."""

    def __init__(self, *, with_tasks: bool = True, eager: bool = False) -> None:
        self.owner = identity.new_owner()
        self._with_tasks = with_tasks
        self._eager = eager
        self._stop_tasks = threading.Event()
        self._watch = ChangeWatch()
        self._runners: list[tasks.TaskRunner] = []
        self.desk: Desk
        self.desks: tuple[Desk, ...] = ()  # the connection's, and its failover's
        self._deliveries: tuple[Delivery, ...] = ()

    async def start(self) -> None:
        """Begin, in the running event loop."""
        # The desk needs the interpreter between two statements of a transaction, while all other writers
        # wait.
        sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_SECONDS))
        loop = asyncio.get_running_loop()
        self._deliveries = Delivery(loop), Delivery(loop)
        owners = self.owner, identity.new_owner()
        self.desks = tuple(
            Desk(owners[place], delivery, eager=self._eager, place=place)
            for place, delivery in enumerate(self._deliveries)
        )
        for delivery, desk, other in zip(self._deliveries, self.desks, reversed(self.desks), strict=True):
            delivery.desk, desk.other = desk, other
        self.desk = self.desks[0]
        self._watch.register(self.desk.changed)
        if self._with_tasks:
            for task in tasks.configured():
                runner = tasks.TaskRunner(task, self._stop_tasks, self.desk.changed)
                self._watch.register(runner.changed)
                self._runners.append(runner)
        for delivery, desk in zip(self._deliveries, self.desks, strict=True):
            delivery.start()
            desk.start()
        self._watch.start()
        for runner in self._runners:
            runner.start()

    @property
    def accepted(self) -> int:
        """How many recipients were accepted since the start."""
        return sum(desk.accepted for desk in self.desks)

    @property
    def exchanges(self) -> int:
        """How often a desk has claimed or written down anything."""
        return sum(desk.exchanges for desk in self.desks)

    @property
    def resting(self) -> bool:
        """Whether nothing is in hand, and nothing was found due."""
        first, failover = self.desks
        return first.resting and (failover.resting or not failover.relieves) and not failover.in_hand

    async def end(self, seconds: float = DRAIN_SECONDS) -> None:
        """Claim nothing more, finish what is under way for so long, then cut; write down everything."""
        self._stop_tasks.set()
        self._watch.stop()
        for desk in self.desks:
            desk.drain()
        await asyncio.gather(*(delivery.close(seconds) for delivery in self._deliveries))
        await asyncio.to_thread(self._join)

    def _join(self) -> None:
        for desk in self.desks:
            desk.stop()
        self._watch.join()
        for runner in self._runners:
            if not runner.join(DRAIN_SECONDS):
                log.warning("The task %s did not end in time.", runner.task.name)
        connection.close()


def run_worker(stop: threading.Event) -> None:
    """Work until `stop` is set, then drain for 10 seconds and cut. Blocks; any thread may call it."""
    asyncio.run(_work_until(stop))


async def _work_until(stop: threading.Event) -> None:
    worker = Worker()
    await worker.start()
    log.info("The worker has started.")
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell() -> None:
        stop.wait()
        loop.call_soon_threadsafe(stopped.set)

    threading.Thread(target=tell, name="depesche-stop", daemon=True).start()
    try:
        await stopped.wait()
    finally:
        await worker.end()
        log.info("The worker has ended.")


def drain(stop: threading.Event, *, progress: Callable[[Progress], None] | None = None) -> Drained:
    """Work until nothing is due, the tasks included; then end. Blocks.

    A paused connection is probed once at the start; when that fails, and when nothing is configured, the
    reason is in the answer.
    """
    try:
        return asyncio.run(_drain(stop, progress))
    finally:
        connection.close()


async def _drain(stop: threading.Event, progress: Callable[[Progress], None] | None) -> Drained:
    worker = Worker(with_tasks=False, eager=True)
    await worker.start()
    reason = ""
    try:
        await asyncio.to_thread(_run_tasks, stop)
        while not stop.is_set():
            reason = await _until_quiet(worker, stop, progress)
            # What went out may have made work for the tasks, and that may have made mails.
            if reason or not await asyncio.to_thread(_run_tasks, stop):
                break
    finally:
        await worker.end()
    return Drained(worker.accepted, reason)


def _run_tasks(stop: threading.Event) -> int:
    close_old_connections()
    try:
        return tasks.run_until_idle(tasks.configured(), stop)
    finally:
        connection.close()


async def _until_quiet(
    worker: Worker, stop: threading.Event, progress: Callable[[Progress], None] | None
) -> str:
    """Wait until the desk has nothing in hand and finds nothing due; why mails are left, if so."""
    desk = worker.desk
    turns, asked, shown, looked = desk.turns, desk.turns, 0.0, False
    desk.changed()
    loop = asyncio.get_running_loop()
    worked_at = loop.time()
    while not stop.is_set():
        await asyncio.sleep(_LAST_STEP if worker.resting and not looked else _STEP)
        if not desk.away:
            worked_at = loop.time()
        elif loop.time() > worked_at + _AWAY_SECONDS:
            return f"The database cannot be used: {desk.away}."
        if progress is not None and loop.time() >= shown + 1.0:
            shown = loop.time()
            progress(await asyncio.to_thread(_progress, worker.accepted))
        if desk.turns <= asked:
            continue  # it looks: only when it has looked does it know whether it rests
        if not worker.resting:
            turns, looked = desk.turns, False
            if any(one.in_hand for one in worker.desks):
                continue
        elif desk.turns >= turns + _QUIET_TURNS:
            before, looked = worker.exchanges, True
            reason, more = await asyncio.to_thread(_what_is_left, worker.desks)
            if worker.resting and worker.exchanges == before and (reason or not more):
                return reason
            turns = desk.turns  # more is due, or what was due has just been claimed
        asked = desk.turns
        desk.changed()  # on PostgreSQL nothing else would make it look before its next second
    return ""


def _progress(accepted: int) -> Progress:
    try:
        stats = queries.stats()
        return Progress(accepted, stats.remaining, stats.rate)
    finally:
        connection.close()


def _what_is_left(desks: Sequence[Desk]) -> tuple[str, bool]:
    """Why nothing goes on though mails are due ("" where none are, or they go on); whether to look again."""
    try:
        health = connections.health()
        if health.flow is Flow.FLOWING:
            return "", queue.anything_due(timezone.now())
        relieved = connections.place_in_use() > 0
        if relieved:
            queue.hasten(timezone.now())  # what steps back from the first connection is for the failover now
        # What a fault sent back waits for a moment; it is left because of the pause all the same.
        ahead = _SENT_BACK if health.flow is Flow.PAUSED and not relieved else timedelta(0)
        if not queue.anything_due(timezone.now() + ahead):
            return "", False
        probing = any(desk.orders.paused and desk.orders.probing for desk in desks)
        if relieved or (health.flow is Flow.PAUSED and probing):
            return "", True
        return reason_of_pause(health), False
    finally:
        connection.close()
