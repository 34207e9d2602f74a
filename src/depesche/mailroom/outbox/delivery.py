"""Submission: parcels in, results out, through the pool of smtpclient. Lives in one event loop.

Strategy. The pool gets a few messages more than its sessions can take at a time; the rest waits here, where
urgent ones can pass and all can be given back when the connection must rest. What a result means is decided
in retry.py; what has to be written goes to the desk.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from depesche.mailroom.connections import access
from depesche.mailroom.connections.choices import Auth
from depesche.mailroom.connections.diagnosis.replies import SAYS_LITTLE, Refusal, refusal_of
from depesche.mailroom.connections.sender_policy import NoSystemAddress
from depesche.mailroom.mailboxes import MailboxError
from depesche.mailroom.outbox import findings, mailbox_first, queue, retry, sender_repair
from depesche.mailroom.outbox.categories import URGENT
from depesche.mailroom.outbox.desk import Desk
from depesche.mailroom.outbox.froms import Froms
from depesche.mailroom.outbox.handed import Handed
from depesche.mailroom.outbox.login_turn import LoginGuard
from depesche.mailroom.outbox.orders import Fault, Orders, Parcel, Rewritten
from depesche.mailroom.outbox.queue import Recorded
from depesche.mailroom.outbox.retry import Disposition, Losses, Streak, Treatment, Try
from depesche.mailroom.outbox.slot_provider import LeasedSlots
from depesche.mailroom.outbox.states import State
from depesche.mailroom.outbox.suspects import Suspects
from depesche.mailroom.outbox.tempo import Tempo
from depesche.smtpclient.config import ConnectionConfig
from depesche.smtpclient.errors import Cause, Stage, SubmissionError
from depesche.smtpclient.pool import Pool
from depesche.smtpclient.reply import Reply
from depesche.smtpclient.session import Session
from depesche.smtpclient.transaction import Envelope, Outcome, RecipientResult
from depesche.smtpclient.wire.content import SharedContent

log = logging.getLogger(__name__)

PER_SESSION = 4  # messages given to the pool for each session it may have
PER_CONNECTION = 2  # messages in hand that make one more connection worth its handshake
MOST_IN_HAND = 600
MOST_UNRECORDED = 200  # one batch on its way to the disk and one that comes together: nothing more is begun
_AHEAD_SECONDS = 0.4  # how much work to have in hand at the present rate
_TICK = 0.25
_KNOCK_SLOT_SECONDS = 10.0
_LOSSES_UNDER_ONE = 4  # sessions lost under the same mail before the mail itself is suspected
_AFTER_LOSS = timedelta(seconds=2)
_AFTER_MISTAKE = timedelta(minutes=1)


class Delivery:
    """See above. `take` and `order` are for the desk's thread; all else runs in the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.desk: Desk
        self._orders = Orders()
        self._slots = LeasedSlots(self._wish)
        self._pool: Pool | None = None
        self._waiting: deque[Parcel] = deque()
        self._outstanding = 0
        self._settled: list[Handed] = []
        self._size = 1
        self._effective = 0  # connections that the pool thinks the server permits
        self._tasks: set[asyncio.Task[None]] = set()
        self._froms = Froms()
        self._suspects = Suspects()
        self._accepted_lately = False
        self._accepted_at: datetime | None = None  # under the present settings
        self._streak = Streak()
        self._losses = Losses()
        self._lost_under: dict[int, int] = {}
        self._resting = False
        self._faults = 0  # told to the desk; its orders say how many it knew of
        self._closing = False
        self._knocks = 0
        self._knocking = False
        impatient = lambda: self.desk.impatient()  # noqa: E731, PLW0108  the desk is known only later
        self._guard = LoginGuard(lambda: self._orders.settings, impatient)
        self._login_at = 0.0
        self._logged_in_again = False
        self._tempo = Tempo()
        self._ticker: asyncio.TimerHandle | None = None

    # --- from the desk's thread

    def take(self, parcels: Sequence[Parcel]) -> None:
        self._loop.call_soon_threadsafe(self._take, parcels)

    def order(self, orders: Orders) -> None:
        self._loop.call_soon_threadsafe(self._order, orders)

    def recorded(self) -> None:
        self._loop.call_soon_threadsafe(self._feed)

    def hold_still(self) -> tuple[int, frozenset[int]]:
        return self._slots.hold_still()

    # --- in the loop: work and orders come in

    def start(self) -> None:
        self._tick()

    def _take(self, parcels: Sequence[Parcel]) -> None:
        if self._closing or self._resting or self._pool is None:
            for parcel in parcels:
                self._give_back(parcel)
            return
        urgent = [one for one in parcels if one.claimed.category in URGENT]
        if urgent:
            self._waiting.extendleft(reversed(urgent))
            parcels = [one for one in parcels if one.claimed.category not in URGENT]
        self._waiting.extend(parcels)
        self._feed()
        self._wish()

    def _order(self, orders: Orders) -> None:
        if self._closing:
            return
        before, self._orders = self._orders, orders
        if orders.config != before.config or orders.settings != before.settings:
            self._froms.follow(orders.settings, orders.senders)
            self._suspects.forget()
            self._accepted_lately, self._accepted_at = False, None
            self._streak.forget()
            self._losses.accepted()
            self._reconfigure(orders.config)
        if self._resting and orders.faults >= self._faults and (not orders.paused or orders.probing):
            self._resting = False
        size = 1 if orders.paused else max(1, min(orders.cap, orders.share + orders.spare))
        if size != self._size and self._pool is not None:
            self._pool.resize(size)
            self._effective = min(self._effective, size)
        self._size = size
        if orders.knock > self._knocks and orders.config is not None and not self._knocking:
            self._knocking = True
            self._spawn(self._knock(orders.config))
        self._knocks = orders.knock
        if self._pool is not None:
            self._pool.pace(orders.settings.volume.per_second(orders.part))
        self._slots.granted(orders.usable, orders.deadline, orders.beat)
        self._feed()
        self._wish()

    def _reconfigure(self, config: ConnectionConfig | None) -> None:
        if config is None:
            pool, self._pool = self._pool, None
            self._clear()
            if pool is not None:
                self._spawn(pool.close(grace=30.0))
        elif self._pool is None:
            self._pool = Pool(
                config, size=self._size, slots=self._slots, prepare=self._prepare, guard=self._guard
            )
        else:
            self._pool.reconfigure(config)

    def _wish(self) -> None:
        """Tell the desk how many slots and how much work we would like."""
        orders = self._orders
        idle = self._pool is None or self._resting or self._closing
        in_hand = len(self._waiting) + self._outstanding
        most = 1 if orders.paused else orders.cap
        wanted = 0 if idle else min(most, -(-in_hand // PER_CONNECTION))
        wanted = max(wanted, int(self._knocking))
        ahead = int(self._tempo.rate * _AHEAD_SECONDS)
        capacity = 0 if idle else min(MOST_IN_HAND, ahead + 4 * orders.cap)
        self.desk.wish(wanted=wanted, capacity=capacity)

    # --- handing over

    def _feed(self) -> None:
        """Give the pool what it can take at a time."""
        pool = self._pool
        if pool is None or self._resting or self._closing:
            return
        if self.desk.unrecorded >= MOST_UNRECORDED:
            return  # until the desk says that they are on the disk
        most = 1 if self._orders.paused else PER_SESSION * self._size
        waiting, now, revision = self._waiting, time.monotonic(), self._orders.settings.revision
        while waiting and self._outstanding < most:
            parcel = waiting.popleft()
            try:
                envelope, own, shared = self._addressed(parcel)
            except NoSystemAddress:
                self._give_back(parcel)
                continue
            except ValueError as error:
                one = parcel.claimed
                words = f"This address cannot stand in an envelope: {error}"[: findings.MOST_WORDS]
                self.desk.put(Recorded(one.id, one.attempt, State.FAILED, reply=words, stage="rcpt"))
                continue
            except Exception:  # a mistake of ours must not keep the mail for ever
                log.exception("A mail could not be joined; it goes again later.")
                self._give_back(parcel, _AFTER_MISTAKE)
                continue
            self._outstanding += 1
            pool.submit_then(envelope, own, Handed(parcel, now, revision, self.settled), shared)

    def _addressed(self, parcel: Parcel) -> tuple[Envelope, bytes, SharedContent | None]:
        """A mail for the pool: its envelope, its own octets, and those that it shares with others."""
        one = parcel.claimed
        made = self._froms.of(parcel)
        block = made.block
        if made.reply_to and not sender_repair.has_reply_to(one.header, parcel.content.octets):
            block += made.reply_to
        envelope = Envelope(self._froms.reverse_path(made, one.id), (one.address,))
        if (signer := self._orders.signer) is not None:
            signed = signer.joined(block, one.header, parcel.content.octets, self.desk.now())
            return envelope, signed, None
        return envelope, block + one.header, parcel.content

    # --- results

    def settled(self, one: Handed) -> None:
        """The pool has finished with a parcel: looked at with the others of this turn of the loop."""
        if not self._settled:
            self._loop.call_soon(self._settle)
        self._settled.append(one)

    def _settle(self) -> None:
        settled, self._settled = self._settled, []
        self._outstanding -= len(settled)
        accepted: list[Recorded] = []
        proven, revision = False, self._orders.settings.revision  # by an acceptance since the last refusal
        for then in settled:
            parcel, outcome = then.parcel, then.outcome
            former = then.revision != revision  # what failed with settings of before says nothing
            try:
                if isinstance(outcome, SubmissionError):
                    proven = False
                    if former:
                        self._give_back(parcel)
                    else:
                        self._not_submitted(parcel, then.started, outcome)
                    continue
                one = outcome.recipients[0]
                if one.outcome is Outcome.ACCEPTED and one.reply is not None:
                    if not (proven or former):
                        proven = True
                        self._proven()
                    accepted.append(self._accepted(parcel, one.reply))
                elif former and retry.may_be_the_settings(one, outcome.error):
                    self._give_back(parcel)
                else:
                    proven = False
                    self._refused(parcel, then.started, one, outcome.error)
            except Exception:  # a mistake of ours about one mail must not keep it, nor the others
                log.exception("Submission stumbled over a result; the mail goes again later.")
                self._give_back(parcel, _AFTER_MISTAKE)
        if accepted:
            self.desk.put(*accepted)
        if self._tempo.decided(len(settled), time.monotonic()):
            self._wish()
        if self._waiting:
            self._feed()
        elif not self._outstanding:
            self._wish()

    def _proven(self) -> None:
        """A mail was accepted: what the server refused before was no fault of the connection."""
        self._streak.accepted()
        self._losses.accepted()
        self._logged_in_again = False
        self._accepted_lately = True

    def _accepted(self, parcel: Parcel, reply: Reply) -> Recorded:
        claimed = parcel.claimed
        if parcel.refused is not None:
            self._note_rewritten(parcel, accepted=True)
        if self._lost_under:
            self._lost_under.pop(claimed.id, None)
        return Recorded(
            claimed.id,
            claimed.attempt,
            State.ACCEPTED,
            reply.code,
            f"{reply.code} {' '.join(reply.lines)}"[: findings.MOST_WORDS],
            message_id=claimed.message_id,
            sensitive=claimed.sensitive,
        )

    def _refused(
        self, parcel: Parcel, started: float, one: RecipientResult, error: SubmissionError | None
    ) -> None:
        """The server said no, or nobody knows what it would have said."""
        if self._froms.refuses_tags(one, started):
            self._give_back(parcel)
            return
        again = self._wants_login(one) and self._log_in_again(parcel)
        if again or self._goes_again_rewritten(parcel, one):
            return
        made = self._decide(parcel, one, error)
        if made.treatment is Treatment.GIVE_BACK:  # such as 421: about the session, not about the mail
            self._lost(parcel, started, one, error, findings.fault_of_result(one, error))
            return
        signature = retry.blames_connection(one) if made.treatment is Treatment.FAIL else ""
        revive = self._streak.refused(parcel.claimed.id, signature)
        self._put(parcel, started, made, one, error)
        if revive and one.reply is not None:
            meaning = refusal_of(one.stage, one.reply)
            cause = meaning.value if meaning and meaning not in SAYS_LITTLE else "refused-alike"
            self._rest(Fault(cause, one.stage.value, str(one.reply)[: findings.MOST_WORDS], revive))
        elif made.treatment is Treatment.PAUSE:
            self._rest(findings.fault_of_result(one, error))
        elif made.treatment in (Treatment.FAIL, Treatment.DEFER) and self._orders.paused:
            self.desk.works()  # the server answered about this mail: the connection itself is fine

    def _goes_again_rewritten(self, parcel: Parcel, one: RecipientResult) -> bool:
        """Once, under the system address, where the server refuses whom the mail is from (M13).

        Under the same lease and attempt: the server has refused it, so that a worker killed now loses nothing
        and doubles nothing.
        """
        if one.outcome is not Outcome.REFUSED or parcel.refused is not None:
            return False
        if self._closing or self._resting or self._pool is None:
            return False
        intended = self._froms.intended(parcel)
        if intended is None:
            return False
        refused = sender_repair.rewrites(one, intended, self._orders.settings.system_address)
        if refused is None:
            return False
        self._waiting.appendleft(replace(parcel, refused=refused))
        return True

    def _note_rewritten(self, parcel: Parcel, *, accepted: bool = False) -> None:
        refused, one = parcel.refused, parcel.claimed
        fresh = refused is not None and bool(refused.domain)
        if refused is not None and not fresh:
            intended = self._froms.intended(replace(parcel, refused=None))
            refused = sender_repair.recalled(refused, intended) if intended is not None else None
        if refused is not None:
            certain = accepted and self._froms.learn(refused)
            self.desk.rewritten(Rewritten(one.id, one.attempt, refused, certain, fresh))

    def _not_submitted(self, parcel: Parcel, started: float, error: SubmissionError) -> None:
        """No session could be had, or it was lost before the content went out."""
        if error.cause is Cause.ABORTED and not error.__cause__:
            self._give_back(parcel)
        elif retry.concerns_set_up(error):
            self._give_back(parcel)
            self._rest(findings.fault_of(error))
        else:
            one = RecipientResult(parcel.claimed.address, Outcome.DEFERRED, None, Stage.RCPT)
            self._lost(parcel, started, one, error, findings.fault_of(error))

    def _lost(
        self,
        parcel: Parcel,
        started: float,
        one: RecipientResult,
        error: SubmissionError | None,
        fault: Fault,
    ) -> None:
        """The server broke the session off under this mail: it goes again after a moment."""
        claimed = parcel.claimed
        count = self._lost_under[claimed.id] = self._lost_under.get(claimed.id, 0) + 1
        if len(self._lost_under) > 10_000:
            self._lost_under.clear()
        if count < _LOSSES_UNDER_ONE:
            self._give_back(parcel, _AFTER_LOSS * count)
        else:  # perhaps it is this mail that the server cannot bear: it waits like one that was deferred
            suspected = RecipientResult(claimed.address, Outcome.DEFERRED, None, Stage.RCPT)
            made = self._decide(parcel, suspected, None)
            self._put(parcel, started, made, one, error)
        if self._losses.lost():
            self._rest(fault)

    def _decide(self, parcel: Parcel, one: RecipientResult, error: SubmissionError | None) -> Disposition:
        claimed, now = parcel.claimed, self.desk.now()
        known = Try(
            attempts=claimed.waited,
            category=claimed.category,
            age=now - claimed.deferred_since if claimed.deferred_since else None,
            left=claimed.expires_at - now if claimed.expires_at else None,
            hold_uncertain=queue.holds_uncertain(claimed.category),
        )
        made = retry.decide(one, known, random.random, error, suspect=self._is_suspect(parcel, one, now))
        if made.treatment is Treatment.PAUSE and self._orders.relieved:
            return replace(made, after=None)  # the failover tries it at once
        return made

    def _is_suspect(self, parcel: Parcel, one: RecipientResult, now: datetime) -> bool:
        if one.outcome is not Outcome.REFUSED or one.reply is None:
            return False
        if self._accepted_lately:
            self._accepted_lately, self._accepted_at = False, now
        intended = self._froms.intended(parcel)
        known = [at for at in (self._accepted_at, self._orders.accepted_at) if at is not None]
        return self._suspects.blames(
            parcel.claimed.id,
            one,
            from_system=intended is not None
            and sender_repair.is_systems(one.stage, intended, self._orders.settings.system_address),
            accepted_at=max(known, default=None),
            now=now,
        )

    def _put(
        self,
        parcel: Parcel,
        started: float,
        made: Disposition,
        one: RecipientResult,
        error: SubmissionError | None,
    ) -> None:
        claimed, now = parcel.claimed, self.desk.now()
        if parcel.refused is not None and made.counts:
            self._note_rewritten(parcel)
        self.desk.put(
            Recorded(
                id=claimed.id,
                attempt=claimed.attempt,
                state=made.state,
                code=one.reply.code if one.reply is not None else None,
                reply=findings.words_of(one, error),
                stage=one.stage.value,
                started_at=now - timedelta(seconds=time.monotonic() - started),
                try_at=now + (made.after or timedelta(0)),
                counts=made.counts,
                outcome=made.outcome,
                message_id=claimed.message_id,
                sensitive=claimed.sensitive,
            )
        )

    # --- rest

    def _rest(self, fault: Fault) -> None:
        """The connection is at fault: begin nothing more, give back what has not begun, tell the desk."""
        if self._closing or self._resting:
            if fault.revive:
                self.desk.revive(fault.revive)
            return
        self._resting = True
        self._faults += 1
        self._losses.accepted()
        self.desk.fault(replace(fault, revision=self._orders.settings.revision))
        self._clear()
        self._wish()

    def _clear(self) -> None:
        while self._waiting:
            self._give_back(self._waiting.popleft())

    def _give_back(self, parcel: Parcel, after: timedelta = timedelta(0)) -> None:
        one = parcel.claimed
        at = self.desk.now() + after
        self.desk.put(Recorded(one.id, one.attempt, State.QUEUED, try_at=at, counts=False))

    async def _knock(self, config: ConnectionConfig) -> None:
        """See whether a session can be opened again, without any mail: the failover has those."""
        session, revision = None, self._orders.settings.revision
        try:
            async with asyncio.timeout(_KNOCK_SLOT_SECONDS):
                slot = await self._slots.acquire()
            try:
                session = Session(await self._prepare(config), guard=self._guard)
                await session.start()
                await session.quit()
            finally:
                if session is not None:
                    await session.abort()
                await self._slots.release(slot)
        except TimeoutError:
            pass  # another worker has the only slot: it knocks
        except SubmissionError as error:
            if error.cause is not Cause.ABORTED:  # else: another worker has the login, or we end
                self._faults += 1
                self.desk.fault(replace(findings.fault_of(error), revision=revision))
        else:
            self.desk.works()
        finally:
            self._knocking = False
            self._wish()

    # --- the mailbox first

    async def _prepare(self, config: ConnectionConfig) -> ConnectionConfig:
        """Before each connection: the login to the mailbox where the settings want it."""
        if self._orders.settings.auth != Auth.MAILBOX_FIRST:
            return config
        seconds = await self._log_in(None)
        # What the login permits ends with its window: so does the session.
        return replace(config, limits=replace(config.limits, max_age=max(1.0, seconds)))

    async def _log_in(self, again_after: float | None) -> float:
        """Raises SubmissionError: as far as submission goes, no session can be had."""
        try:
            seconds = await asyncio.to_thread(mailbox_first.log_in, again_after=again_after)
        except (MailboxError, access.NotConfigured) as error:
            failure = SubmissionError(
                Stage.AUTH, Cause.POP_LOGIN_NEEDED, detail=str(error)[: findings.MOST_WORDS]
            )
            raise failure from error
        self._login_at = time.monotonic()
        return seconds

    def _wants_login(self, one: RecipientResult) -> bool:
        if self._orders.settings.auth != Auth.MAILBOX_FIRST or one.reply is None:
            return False
        refusals = (Refusal.RELAY_DENIED, Refusal.POP_LOGIN_NEEDED, Refusal.AUTH_REQUIRED)
        return refusal_of(one.stage, one.reply) in refusals

    def _log_in_again(self, parcel: Parcel) -> bool:
        """Log in once more, since the server has forgotten the last time; False where that did not help
        already.
        """
        if self._logged_in_again or self._closing or self._resting:
            return False
        self._logged_in_again = True
        self._spawn(self._repeat_after_login(parcel, time.monotonic() - self._login_at))
        return True

    async def _repeat_after_login(self, parcel: Parcel, again_after: float) -> None:
        try:
            await self._log_in(again_after)
        except SubmissionError as error:
            self._give_back(parcel)
            self._rest(findings.fault_of(error))
            return
        if self._resting or self._closing or self._pool is None:
            self._give_back(parcel)
            return
        self._waiting.appendleft(parcel)
        self._feed()

    # --- time

    def _tick(self) -> None:
        self._ticker = self._loop.call_later(_TICK, self._tick)
        self._tempo.tick(time.monotonic())
        if self._accepted_lately:
            self._accepted_lately, self._accepted_at = False, self.desk.now()
        if self._pool is not None:
            effective = self._pool.stats.effective
            if effective < self._effective:
                self.desk.fewer()
            self._effective = effective
            self._note_chunking()
        self._wish()

    def _note_chunking(self) -> None:
        if self._pool is not None and self._pool.learnt.chunking_refused and not self._orders.chunking_rests:
            self.desk.chunking_failed()  # for all workers, and for the next start

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("Submission stumbled; it goes on.", exc_info=error)

    # --- the end

    async def close(self, seconds: float = 10.0) -> None:
        """Begin nothing more; wait for what is under way, then cut: what was cut after its content is
        uncertain.
        """
        self._closing = True
        self._clear()
        if self._ticker is not None:
            self._ticker.cancel()
        if self._pool is not None:
            await self._pool.close(grace=seconds)
            self._note_chunking()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._settle()
        self._clear()
