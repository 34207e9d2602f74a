"""Several sessions with one server, fed from one queue.

Each connection (`lane`) is one task from the slot to QUIT; messages have no tasks. A session that can take a
message pulls it from the queue itself, in the very moment when it writes the end of the one before, so that
sessions work ahead of each other without any turn of the event loop in between. How many connections there
should be is decided in `planning`, from numbers.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import Self

from depesche.smtpclient.config import ConnectionConfig
from depesche.smtpclient.errors import (
    Cause,
    Stage,
    SubmissionError,
    asks_for_another_connection,
    asks_for_fewer_connections,
)
from depesche.smtpclient.job import AwaitedJob, Job, Then, Told
from depesche.smtpclient.lane import Equipment, Lane, Prepare
from depesche.smtpclient.planning import Cap, Pace, Situation, connections_to_open
from depesche.smtpclient.reply import Reply
from depesche.smtpclient.session import Guard
from depesche.smtpclient.slots import NoLimit, SlotProvider
from depesche.smtpclient.transaction import Envelope, Outcome, Result
from depesche.smtpclient.wire.content import SharedContent
from depesche.smtpclient.wire.plan import ToSevenBit
from depesche.smtpclient.wire.protocol import Tap
from depesche.smtpclient.wire.under_way import Learnt, Transaction

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
_ANY_NUMBER = 1 << 62
_MOST_HOLDS = 3600.0  # seconds for which a server's own limit of messages a connection is remembered

# A session that ended in one of these ways, before the message's content went out, says nothing about the
# message: it is handed to another session, once.
_SESSION_ONLY = frozenset(
    {
        Cause.CONNECTION_LOST,
        Cause.SERVICE_CLOSING,
        Cause.TOO_MANY_CONNECTIONS,
        Cause.CHUNKING_FAILED,
    }
)


@dataclass(frozen=True, slots=True)
class PoolStats:
    """Numbers of the moment. `connections` = ready + opening; `busy` of the ready ones have work."""

    configured: int
    effective: int
    connections: int
    ready: int
    busy: int
    opening: int
    waiting: int
    under_way: int
    decided: int
    last_error: SubmissionError | None


class Pool:
    """Submit through at most `size` connections at a time. Use as an asynchronous context manager.

    `slots` puts that number under a cap shared with others. `prepare` is called before each connection and
    may return another config (a fresh token) or log in to a mailbox first; a SubmissionError that it raises
    counts as a failure to connect. `observer` makes a transcript for each session. `guard` stands around each
    login: it may wait, so that several processes do not try a wrong password all at once, or raise.
    """

    def __init__(
        self,
        config: ConnectionConfig,
        *,
        size: int = 10,
        slots: SlotProvider | None = None,
        prepare: Prepare | None = None,
        observer: Callable[[], Tap | None] | None = None,
        to_seven_bit: ToSevenBit | None = None,
        regrow_seconds: float = 60.0,
        guard: Guard = contextlib.nullcontext,
    ) -> None:
        if size < 1:
            raise ValueError("a pool has at least one connection")
        self._config = config
        self._cap = Cap(size, regrow_seconds)
        self._pace = Pace(config.limits.messages_per_second)
        self._equipment = Equipment(slots or NoLimit(), prepare, observer, to_seven_bit, guard)
        self._waiting: deque[Job] = deque()
        self._lanes: list[Lane] = []
        self._hungry: dict[Lane, None] = {}  # sessions that could take a message and found none
        self.learnt = Learnt()  # of the server
        self._most = _ANY_NUMBER  # messages that the server takes over one connection, once it said so
        self._most_until = 0.0
        self._proven = False
        self._pause = _FIRST_PAUSE
        self._open_after = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self._planned = False
        self._decided_count = 0
        self._last_error: SubmissionError | None = None
        self._quiet: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close(grace=None if kind is None else 0.0)

    # ---- submitting

    async def submit(self, envelope: Envelope, content: bytes, shared: SharedContent | None = None) -> Result:
        """Hand over one message; waits for a free session as long as it takes. Its content is `content`, and
        `shared` behind it where many messages end alike.

        Raises SubmissionError when no session can be had, or when it was lost before anything was decided and
        a second one too. Cancelled before its turn, the message is not submitted; later, its result is
        dropped.
        """
        return await self.submit_nowait(envelope, content, shared)

    def submit_nowait(
        self, envelope: Envelope, content: bytes, shared: SharedContent | None = None
    ) -> asyncio.Future[Result]:
        """Like `submit`, as a future: thousands may wait without a task for each."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._submit(AwaitedJob(envelope, content, Told(future), shared))
        return future

    def submit_then(
        self, envelope: Envelope, content: bytes, then: Then, shared: SharedContent | None = None
    ) -> None:
        """Like `submit`, for whom a future for each message is too much: `then` is called once, from the
        event loop (at once where the pool is closed), with the Result or the SubmissionError. It must not
        raise."""
        self._submit(Job(envelope, content, then, shared))

    def _submit(self, job: Job) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        if self._closing:
            job.then(SubmissionError(Stage.CONNECT, Cause.ABORTED, detail="the pool is closed"))
            return
        self._waiting.append(job)
        if self._hungry:
            self._feed()
        if self._waiting and not self._planned and len(self._lanes) < self._cap.configured:
            self._plan_soon()

    # ---- steering

    def resize(self, size: int) -> None:
        """From now on at most so many connections. Surplus ones end after what they have under way."""
        if size < 1:
            raise ValueError("a pool has at least one connection")
        self._cap.configured = size
        self._retire_surplus()
        self._plan()

    def pace(self, messages_per_second: float | None) -> None:
        """From now on at most so many messages a second, whatever the config says; None: no limit."""
        if messages_per_second != self._pace.per_second:
            self._pace = Pace(messages_per_second)
            self._plan()

    def reconfigure(self, config: ConnectionConfig) -> None:
        """Use other settings from the next transaction on. Sessions with the old ones end."""
        if config == self._config:
            return
        before, self._config = self._config, config
        self._cap = Cap(self._cap.configured, self._cap.pause)
        if config.limits.messages_per_second != before.limits.messages_per_second:
            self.pace(config.limits.messages_per_second)
        self.learnt = Learnt()
        self._most = _ANY_NUMBER
        self._proven = False
        self._forget_failures()
        for lane in self._lanes:
            lane.give_up()
        self._plan()

    @property
    def config(self) -> ConnectionConfig:
        return self._config

    @property
    def stats(self) -> PoolStats:
        ready = [lane for lane in self._lanes if lane.ready]
        return PoolStats(
            configured=self._cap.configured,
            effective=self._cap.effective(monotonic()),
            connections=len(self._lanes),
            ready=len(ready),
            busy=sum(not lane.idle for lane in ready),
            opening=len(self._lanes) - len(ready),
            waiting=len(self._waiting),
            under_way=self._under_way(),
            decided=self._decided_count,
            last_error=self._last_error,
        )

    async def close(self, *, grace: float | None = None) -> None:
        """End it: finish what was submitted, for at most `grace` seconds (None: as long as the timeouts
        allow), then cut. What is cut is uncertain or not tried, and its waiters are told."""
        self._closing = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                while self._under_way() or not all(job.forsaken for job in self._waiting):
                    if self._quiet is None or self._quiet.done():
                        self._quiet = asyncio.get_running_loop().create_future()
                    await asyncio.shield(self._quiet)
        tasks = [lane.task for lane in self._lanes if lane.task is not None]
        aborted = SubmissionError(Stage.CONNECT, Cause.ABORTED)
        self._fail_waiting(aborted)
        for lane in list(self._lanes):
            if lane.session is not None and not lane.session.idle:
                lane.session.channel.fail(aborted.again())
            lane.end()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # ---- planning

    def _under_way(self) -> int:
        return sum(lane.under_way for lane in self._lanes)

    def _plan_soon(self) -> None:
        """Plan once for all messages that come in this turn of the event loop."""
        if not self._planned:
            self._planned = True
            assert self._loop is not None
            self._loop.call_soon(self._plan)

    def _plan(self) -> None:
        """Let sessions take what waits; open what is missing."""
        self._planned = False
        self._feed()
        now = monotonic()
        while self._waiting and self._waiting[0].forsaken:
            self._waiting.popleft()
        self._tell_if_quiet()
        ready = sum(lane.ready and not lane.retiring for lane in self._lanes)
        leaving = sum(lane.retiring for lane in self._lanes)
        if now < self._open_after and self._lanes:
            self._look_again(self._open_after - now)
            return
        situation = Situation(
            waiting=len(self._waiting),
            under_way=self._under_way(),
            ready=ready,
            opening=len(self._lanes) - ready - leaving,
            effective=self._cap.effective(now),
            proven=self._proven,
            leaving=leaving,
        )
        for _ in range(connections_to_open(situation)):
            lane = Lane(self._config, self, self._equipment)
            self._lanes.append(lane)
            lane.start()
        growth = self._cap.next_growth(now)
        if self._waiting and growth is not None:
            self._look_again(growth)

    def _look_again(self, seconds: float) -> None:
        assert self._loop is not None
        at = self._loop.time() + max(seconds, 0.001)
        if self._timer is not None:
            if self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._timer_fired)

    def _timer_fired(self) -> None:
        self._timer = None
        self._plan()

    def _retire_surplus(self) -> None:
        """Down to the cap: idle sessions first, then those that are still opening, then busy ones."""

        def worth(lane: Lane) -> int:
            if not lane.ready:
                return 1
            return 0 if lane.idle else 2

        staying = [lane for lane in self._lanes if not lane.retiring]
        surplus = len(staying) - self._cap.effective(monotonic())
        for lane in sorted(staying, key=worth)[: max(0, surplus)]:
            lane.give_up()

    def _forget_failures(self) -> None:
        self._pause = _FIRST_PAUSE
        self._open_after = 0.0

    # ---- what connections ask and tell (lane.Feeder)

    def needs(self, lane: Lane) -> bool:
        return bool(self._waiting)

    def opened(self, lane: Lane) -> None:
        self._proven = True
        if monotonic() >= self._most_until:
            self._most = _ANY_NUMBER
        assert lane.session is not None
        lane.session.ready()
        self._plan()

    def leaves(self, lane: Lane) -> None:
        self._hungry.pop(lane, None)

    def gone(self, lane: Lane) -> None:
        if lane in self._lanes:
            self._lanes.remove(lane)
            if self._waiting:
                self._plan()
            self._tell_if_quiet()

    def failed(self, lane: Lane, error: SubmissionError) -> None:
        self._last_error = error
        others = [other for other in self._lanes if other is not lane and not other.retiring]
        ready = [other for other in others if other.ready]
        crowded = error.cause is Cause.TOO_MANY_CONNECTIONS or (
            error.stage is Stage.GREETING and error.reply is not None and error.transient
        )
        now = monotonic()
        if ready and crowded:
            self._cap.shrink(len(ready), now)
        elif error.cause is Cause.TOO_MANY_CONNECTIONS:
            self._cap.shrink(1, now)
        self._open_after = now + self._pause
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        if lane.config is not self._config:
            self._open_after = 0.0  # it failed with settings that nobody uses any more
        elif not others:
            self._proven = False
            self._open_after = 0.0  # who submits next decides when to try again
            self._fail_waiting(error)

    def ended(self, lane: Lane, error: SubmissionError) -> None:
        self._hungry.pop(lane, None)
        if lane.ready and not lane.retiring and error.cause not in (Cause.ABORTED, Cause.SERVICE_CLOSING):
            self._last_error = error
        if lane.ready and error.cause is Cause.TOO_MANY_CONNECTIONS:
            self._too_many()
        if error.reply is not None and asks_for_another_connection(error.reply):
            self._enough_for(lane)
        lane.retire()

    def _enough_for(self, lane: Lane) -> None:
        """The server takes no more over this connection: the next ones say QUIT before they are told."""
        lane.retire()
        if lane.session is not None:
            self._most = max(1, min(self._most, lane.session.taken - lane.returned))
            self._most_until = monotonic() + _MOST_HOLDS

    def _too_many(self) -> None:
        ready = sum(lane.ready and not lane.retiring for lane in self._lanes)
        self._cap.shrink(ready - 1, monotonic())
        self._retire_surplus()

    def _fail_waiting(self, error: SubmissionError) -> None:
        waiting, self._waiting = self._waiting, deque()
        for job in waiting:
            job.then(error.again())
        self._tell_if_quiet()

    # ---- the hot path

    def _feed(self) -> None:
        """Let sessions that found nothing look again: one that is idle, and used last, before the others."""
        for _ in range(len(self._hungry)):
            if not (self._waiting and self._hungry):
                return
            chosen = None
            for lane in reversed(self._hungry):
                if lane.idle:
                    chosen = lane
                    break
            else:
                chosen = next(reversed(self._hungry))
            del self._hungry[chosen]
            if chosen.session is not None:
                chosen.session.channel.pump()

    def next_for(self, lane: Lane) -> Transaction | None:
        """The next message for this session. Each check that forbids one more ends the session."""
        session = lane.session
        if lane.retiring or session is None:
            return None
        waiting, limits, pace = self._waiting, session.config.limits, self._pace
        while waiting:
            now = monotonic()
            if (
                now >= lane.held_until
                or now >= lane.old_at
                or session.taken >= limits.messages_per_connection
                or session.taken >= self._most
                or session.dialogue.refusals_in_a_row >= limits.refusals_in_a_row
                or session.dialogue.spoilt >= limits.spoilt
            ):
                lane.retire()
                return None
            if waiting[0].forsaken:
                waiting.popleft()
                continue
            if pace.per_second is not None and (pause := pace.wait(now)):
                self._look_again(pause)
                break
            return waiting.popleft()
        self._hungry[lane] = None
        self._tell_if_quiet()
        return None

    def decided(self, lane: Lane, transaction: Transaction) -> None:
        assert isinstance(transaction, Job)
        session, result = lane.session, transaction.result
        assert session is not None
        assert result is not None
        if not result.accepted and self._takes_another_session(lane, transaction, result):
            return
        self._decided_count += 1
        if not lane.useful and result.error is None:
            lane.useful = True
            self._forget_failures()
        if not result.accepted:
            self._look_for_crowding(result)
        transaction.settle()
        if session.idle:
            lane.idle_since = monotonic()
            if lane.retiring:
                lane.retire()
        self._tell_if_quiet()

    def _takes_another_session(self, lane: Lane, job: Job, result: Result) -> bool:
        """Whether this was the session's fault alone; then the message waits for another one."""
        error = result.error
        said = error.reply if error is not None else _enough(result)
        if said is None and error is None:
            return False
        if error is not None and error.cause not in _SESSION_ONLY:
            return False
        before_content = all(
            one.outcome is Outcome.NOT_TRIED or (one.outcome is Outcome.DEFERRED and one.reply is said)
            for one in result.recipients
        )
        if not before_content or any(one.stage is Stage.CONTENT and one.reply for one in result.recipients):
            return False
        lane.returned += 1
        if error is None:
            self._enough_for(lane)
        if job.again or self._closing or job.forsaken:
            return False
        self._waiting.appendleft(job.anew())
        self._plan_soon()  # another session may be idle
        return True

    def _look_for_crowding(self, result: Result) -> None:
        for one in result.recipients:
            if (
                one.reply is not None
                and one.outcome is Outcome.DEFERRED
                and asks_for_fewer_connections(one.reply)
            ):
                self._too_many()
                return

    def _tell_if_quiet(self) -> None:
        """To whoever waits in `close`."""
        if self._quiet is None or self._quiet.done():
            return
        if not self._under_way() and all(job.forsaken for job in self._waiting):
            self._quiet.set_result(None)


def _enough(result: Result) -> Reply | None:
    """The reply that wants the message over another connection, if one does."""
    for one in result.with_outcome(Outcome.DEFERRED):
        if one.reply is not None and asks_for_another_connection(one.reply):
            return one.reply
    return None
