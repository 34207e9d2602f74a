"""The one thread that speaks to the database for submission: claims, records, beats, and keeps an eye on
settings.

Strategy. Everything that must be written is collected and goes into one transaction with the next claim: at
most BATCH results, or what has come together in FLUSH_SECONDS or until the loop ran dry. Between two such
batches SQLite gets a pause, so that pages can save. What the event loop hands in (results, wishes) is put
down without a lock; what it needs is handed over by a callback into the loop. Results that could not be
written, because the database is away, are kept and written when it is back.
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.utils import timezone

from depesche.mailroom.connections import access, health_actions, senders
from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections.queries import Flow, OutgoingSettings
from depesche.mailroom.connections.signing.keys import signer_for
from depesche.mailroom.outbox import handing_over, identity, queue, relief, retry, rights, slots, sql
from depesche.mailroom.outbox.ceiling import Ceiling
from depesche.mailroom.outbox.contents import Contents
from depesche.mailroom.outbox.orders import Fault, Loop, Orders, Rewritten
from depesche.mailroom.outbox.queue import Claimed, Recorded
from depesche.mailroom.outbox.states import State
from depesche.mailroom.outbox.suspects import accepted_under
from depesche.mailroom.outbox.tempo import Rate
from depesche.mailroom.outbox.vouching import Vouching

log = logging.getLogger(__name__)

BATCH = 100
MOST_AT_ONCE = 2 * BATCH  # but on SQLite, where BATCH is the most: more would keep the pages from writing
FLUSH_SECONDS = 0.02
SQLITE_PAUSE = 0.002
SQLITE_LONGEST_PAUSE = 0.05
SQLITE_YIELD = 1.0  # times as long as we held the lock
SOON_SECONDS = 0.3
POLL_SECONDS = 1.0  # settings and health; a change works within this, and two beats
SWEEP_SECONDS = 2.0
LOOK_SECONDS = 15.0
EXTEND_SECONDS = 15.0
DEAD_SECONDS = 10.0
_DATABASE_AWAY_SECONDS = 1.0


class Desk:
    """See above. `start` and `stop` from any thread; `put`, `wish`, `fault` from the loop; `changed` from
    anywhere.
    """

    def __init__(self, owner: str, loop: Loop, *, eager: bool = False, place: int = 0) -> None:
        self.owner = owner
        self.place = place
        self.other: Desk | None = None  # of the connection the failover's, of the failover the connection's
        self._relieves = False  # the failover has the mails
        self._knock_after = 0.0  # monotonic
        self.eager = eager
        self.turns = 0  # how often it has looked; with `resting` it tells that there is nothing to do
        self.resting = False
        self.exchanges = 0  # how often it has claimed or written down anything
        self.accepted = 0  # in all, for the rate and for progress
        self.away = ""  # what the database said last, while it does not do its work
        self._loop = loop
        self._results: deque[Recorded] = deque()
        self._writing = 0  # results in the transaction under way
        self._oldest = 0.0  # when the oldest unrecorded result came (monotonic)
        self._faults: deque[Fault] = deque()
        self._rewritten: deque[Rewritten] = deque()
        self._fewer = False
        self._late_revivals: deque[int] = deque()
        self._revive: list[int] = []
        self._stepped_back = False  # from settings that are others by now
        self._held_lock = 0.0
        self._faults_known = 0
        self._works = self._chunking_failed = self._unsatisfied = False
        self._others = False  # other workers live
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._draining = False
        self._changed = True
        self._wanted = 0
        self._asked = 0  # what the last beat asked for
        self._capacity = 0
        self._wish_changed = False
        self._in_hand: dict[int, float] = {}  # recipient ids that the loop works on
        self._done: deque[int] = deque()
        self._orders = Orders()
        self._shown: Orders | None = None
        self._revision: tuple[int, int] | None = None
        self._due_at: float = 0.0  # monotonic: when to look for due rows without being told
        self._ceiling = Ceiling(place)
        self._times = dict.fromkeys(("poll", "sweep", "beat", "others", "extend", "dead"), 0.0)
        self._rate = Rate(time.monotonic())
        self._contents = Contents()
        self._offset = timedelta(0)
        self._vouching = Vouching()
        self._rights = rights.configured()
        self._thread = threading.Thread(target=self._run, name="depesche-outbox", daemon=True)

    # --- called by others

    def start(self) -> None:
        self._thread.start()

    def changed(self) -> None:
        """The database changed: look."""
        self._changed = True
        self._wake.set()
        if self.other is not None and self.other._relieves:
            self.other.look()

    def look(self) -> None:
        """The other connection began to rest, works again, or has what it wanted of the mails."""
        self._times["poll"] = 0.0
        self._changed = True
        self._wake.set()

    @property
    def relieves(self) -> bool:
        """Whether this is the failover's desk, and the mails are its own now."""
        return self._relieves

    @property
    def wants_probe(self) -> bool:
        """Whether one mail is to be left to this connection, which rests."""
        wanted = self._orders.paused and self._orders.probing and self._orders.config is not None
        return wanted and not self._in_hand and not self._draining

    def put(self, *results: Recorded) -> None:
        """Results, to be written down soon. The recipients are no longer in the loop's hands."""
        before = len(self._results)
        if not before:
            self._oldest = time.monotonic()
        self._results.extend(results)
        if not before or before < BATCH <= before + len(results) or self._all_decided:
            self._wake.set()

    def wish(self, *, wanted: int, capacity: int) -> None:
        """How many slots the loop could use, and how many recipients it likes in hand."""
        self._wanted = wanted
        # Only what is missing is asked for at once; what is too much goes back with the next beat.
        if wanted > len(self._orders.numbers) and wanted != self._asked:
            self._wish_changed = True
            self._wake.set()
        self._capacity = capacity

    def fault(self, fault: Fault) -> None:
        self._faults.append(fault)
        self._wake.set()

    def fewer(self) -> None:
        """The server wants fewer connections than we have."""
        self._fewer = True
        self._wake.set()

    def revive(self, ids: Sequence[int]) -> None:
        """These were (or are about to be) written down as failed, but the connection was at fault."""
        self._late_revivals.extend(ids)
        self._wake.set()

    def rewritten(self, one: Rewritten) -> None:
        """A mail went again under the system address: to be noted, and learnt from."""
        self._rewritten.append(one)
        self._wake.set()

    def chunking_failed(self) -> None:
        """The server announced CHUNKING, and does not have it."""
        self._chunking_failed = True
        self._wake.set()

    def works(self) -> None:
        """The server dealt with a mail, whatever it said to it: a connection that was paused works again."""
        self._works = True
        self._wake.set()

    def drain(self) -> None:
        """Claim nothing more; write down what comes."""
        self._draining = True
        self._wake.set()

    def stop(self, seconds: float = 30.0) -> None:
        """Write down what is left, give everything back, end."""
        self._draining = True
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    @property
    def unrecorded(self) -> int:
        """Results that are not on the disk yet: what a worker killed now would submit again."""
        return len(self._results) + self._writing

    @property
    def in_hand(self) -> int:
        """Recipients claimed and not yet written down."""
        return len(self._in_hand)

    @property
    def _all_decided(self) -> bool:
        """Whether the loop has nothing left to do."""
        return len(self._results) >= len(self._in_hand)

    @property
    def orders(self) -> Orders:
        return self._orders

    def now(self) -> datetime:
        """The time as the database has it, so that leases agree between machines."""
        return timezone.now() + self._offset

    # --- the thread

    def _run(self) -> None:
        try:
            while not (self._stop.is_set() and not self._results and not self._rewritten):
                self._wake.wait(self._patience())
                self._wake.clear()
                try:
                    self._turn()
                    self.away = ""
                except DatabaseError as error:
                    self.away = " ".join(str(error).split()) or type(error).__name__
                    log.warning("The database does not answer; nothing is lost, trying again: %s", error)
                    with contextlib.suppress(DatabaseError):
                        connection.close()
                    self._changed = True
                    if self._stop.wait(_DATABASE_AWAY_SECONDS):
                        break  # what could not be written down becomes uncertain by its lost lease
                except Exception:
                    log.exception("The outbox stumbled; it goes on.")
                    self._stop.wait(_DATABASE_AWAY_SECONDS)
            with contextlib.suppress(DatabaseError):
                self._note_faults()  # what the loop said last
                self._revive_failed(self.now())
                slots.leave(self.owner)
        finally:
            connection.close()

    def _patience(self) -> float:
        now = time.monotonic()
        until = min(
            self._times["poll"] + POLL_SECONDS,
            float("inf") if self.place else self._times["sweep"] + SWEEP_SECONDS,
            self._times["beat"] + (SOON_SECONDS if self._unsatisfied else slots.BEAT_SECONDS),
        )
        if self._worth(self._room()):
            until = min(until, self._due_at)
        if self._results:
            until = min(until, self._oldest + FLUSH_SECONDS)
        at_once = self._changed or self._wish_changed or self._faults or self._rewritten
        if at_once or len(self._results) >= BATCH or (self._results and self._all_decided):
            return 0.0
        return max(0.0, until - now)

    def _turn(self) -> None:
        now = time.monotonic()
        changed, self._changed = self._changed, False
        self._note_faults()
        self._note_rewritten()
        if changed:
            self._due_at = 0.0
            if not self.place and connections.revision() == self._revision:
                self._exchange(now)  # what has just come goes before everything that has time
        often = 0.0 if self._relieves else POLL_SECONDS / 4  # is what has just come still the failover's?
        if self._due("poll", now, often if changed else POLL_SECONDS):
            self._poll()
        if not self.place and self._due("sweep", now, SWEEP_SECONDS):
            self._sweep(now)
        # Somebody may have asked for what we do not need, or given back; nobody did where nobody else is.
        if changed and self._due("others", now, SOON_SECONDS):
            self._others = slots.others_alive(self.owner, self.place)
        soon = self._unsatisfied or (changed and self._others)
        if self._wish_changed or self._due("beat", now, SOON_SECONDS if soon else slots.BEAT_SECONDS):
            self._beat()
        if self._due("extend", now, EXTEND_SECONDS) and self._in_hand:
            queue.extend(self.owner, list(self._in_hand), self.now() + queue.LEASE)
        if self._exchange(now):
            self.resting = False
            if sql.is_sqlite():
                # Who waits for SQLite's lock polls at growing intervals: it must be free most of the time.
                time.sleep(min(max(SQLITE_YIELD * self._held_lock, SQLITE_PAUSE), SQLITE_LONGEST_PAUSE))
        else:
            noted = not (self._faults or self._rewritten)
            self.resting = noted and not (self._in_hand or self._results or self._changed)
        self.turns += 1

    def _due(self, what: str, now: float, every: float) -> bool:
        if now - self._times[what] < every:
            return False
        self._times[what] = now
        return True

    # --- results and claims

    def _exchange(self, now: float) -> bool:
        """Write down results and claim anew, in one transaction; whether anything was done."""
        size = len(self._results)
        waited = now - self._oldest >= FLUSH_SECONDS or self._stop.is_set()
        afterwards = self._revive or self._stepped_back
        ripe = size >= BATCH or waited or self._all_decided or afterwards
        room = self._room(size if ripe else 0) if now >= self._due_at else 0
        if not ((size and ripe) or afterwards or self._worth(room)):
            return False
        self.resting = False
        most = BATCH if sql.is_sqlite() else MOST_AT_ONCE
        batch = [self._results.popleft() for _ in range(min(size, most))]
        at = self.now()
        room = min(room, most)
        self._writing = len(batch)
        try:
            taken, self._held_lock = queue.exchange(self.owner, batch, room, at)
        except BaseException:
            self._results.extendleft(reversed(batch))
            raise
        finally:
            self._writing = 0
        self._oldest = time.monotonic()
        self.exchanges += bool(batch or taken)
        marks = [self._in_hand.pop(one.id, 0.0) for one in batch]
        accepted = sum(one.state is State.ACCEPTED for one in batch)
        self.accepted += accepted
        if batch:
            self._loop.recorded()
        if taken:
            self._hand_over(taken)
        if accepted < len(batch) and self.other is not None and self.other.orders.config is not None:
            if self.other.relieves:
                self._hasten()  # it began before these were written down
            self.other.look()  # what went back to the queue may be its own now
        if room:
            self._due_at = 0.0 if len(taken) == room else self._next_look(queue.next_due(at), at)
        elif batch:  # on PostgreSQL nobody tells us of what we have written ourselves
            self._due_at = min(self._due_at, self._next_look(handing_over.soonest(batch), at))
        self._revive_failed(at)
        if accepted:
            self._worked(max(m for m, one in zip(marks, batch, strict=True) if one.state is State.ACCEPTED))
        return bool(batch or taken)

    def _revive_failed(self, at: datetime) -> None:
        """Queue again what was the connection's fault, once all of it is written down."""
        if (self._revive or self._stepped_back) and not self._results:
            queue.revive(self._revive, at)
            if self._stepped_back:
                self._hasten()
            self._revive, self._stepped_back = [], False

    def _worth(self, room: int) -> bool:
        """Whether a claim alone is worth a transaction: when much can be taken, or the loop runs dry."""
        return room > 0 and (room >= min(BATCH, max(1, self._capacity // 4)) or not self._in_hand)

    def _room(self, leaving: int = 0) -> int:
        """How many more may be claimed, when so many are written down at the same time."""
        orders = self._orders
        if self._draining or orders.config is None:
            return 0
        if self.place and not (self._relieves and not (self.other is not None and self.other.wants_probe)):
            return 0
        if orders.paused:
            return 1 if orders.probing and not self._in_hand else 0
        return max(0, self._capacity - len(self._in_hand) + leaving) if self._capacity else 0

    def _next_look(self, due: datetime | None, at: datetime) -> float:
        """When to look for work (monotonic): at `due`, and soon even so, for what other workers put off."""
        wait = (due - at).total_seconds() if due is not None else LOOK_SECONDS
        return time.monotonic() + min(max(0.0, wait), LOOK_SECONDS)

    def _hand_over(self, taken: list[Claimed]) -> None:
        mark = time.monotonic()
        for one in taken:
            self._in_hand[one.id] = mark
        try:
            parcels, settled = handing_over.parcels(taken, self._rights, self._contents, self.now())
        except BaseException:  # the database is away: nobody works on them, and their leases would be renewed
            self.put(*handing_over.given_back(taken, self.now()))
            raise
        if settled:
            self.put(*settled)
        if parcels:
            self._loop.take(parcels)
        if self._orders.paused and self.other is not None:
            self.other.look()  # the rest is for the failover

    def _worked(self, begun: float) -> None:
        """Something was accepted: the connection works."""
        self._recovered()
        current = self._orders.settings.revision
        revision = self._vouching.to_note(current, begun, always=self._orders.paused)
        if revision is not None:
            health_actions.note_accepted(self.place, now=self.now(), revision=revision)

    # --- settings, health, slots

    def _poll(self) -> None:
        revision, orders = connections.revision(), self._orders
        if self.place and not orders.settings.configured and self._still_nothing(revision):
            return  # there is no failover
        self._offset = sql.clock_offset()
        health = connections.health(self.place)
        if revision != self._revision:
            settings = connections.outgoing(self.place)
            orders = replace(orders, settings=settings, config=None, senders=senders.facts_for(settings))
            if settings.configured:
                try:
                    signer = signer_for(settings.system_address)
                    config = access.smtp_config(settings, chunking=not health.chunking_rests)
                    orders = replace(orders, config=config, signer=signer)
                except access.NotConfigured as error:
                    self._pause(Fault("not-configured", "", str(error)))
                    health = connections.health(self.place)
            if self._revision is not None:
                self._changed = True
            self._hasten()
            self._revision = revision
            self._vouching.ordered()
        paused = health.flow is Flow.PAUSED
        now = self.now()
        probable = paused and orders.config is not None  # what is missing in the settings, no probe finds
        due = probable and (health.next_probe_at is None or health.next_probe_at <= now or self.impatient())
        relieved = self.place == 0 and self.other is not None and relief.can_relieve(self.other.orders)
        knock = orders.knock
        if self.place:
            self._stand_by_or_relieve(orders.settings)
        mailless = relieved or (self.place > 0 and not self._relieves)  # mails go another way meanwhile
        if due and mailless and relief.session_tells(health.stage):
            due = False
            if time.monotonic() >= self._knock_after:
                self._knock_after = time.monotonic() + relief.KNOCK_SECONDS
                knock += 1
        self._ceiling.effective = health.effective_cap if orders.settings.configured else None
        if orders.paused and not paused:
            self._changed = True
        if due and not orders.probing:
            self._due_at = 0.0
        self._orders = replace(
            orders,
            paused=paused,
            probing=due,
            knock=knock,
            relieved=relieved,
            accepted_at=accepted_under(orders.settings, health.last_accepted_at),
            chunking_rests=health.chunking_rests,
        )
        if self._fewer:
            self._fewer = False
            self._ceiling.lower(self._cap(), now)
        self._ceiling.grow(orders.settings.max_connections)
        self._set(replace(self._orders, cap=self._cap()))

    def _still_nothing(self, revision: tuple[int, int]) -> bool:
        """Whether this place is as unconfigured as it was."""
        if revision != self._revision and connections.outgoing(self.place).configured:
            return False
        self._revision = revision
        return True

    def _stand_by_or_relieve(self, settings: OutgoingSettings) -> None:
        before, self._relieves = self._relieves, False
        if settings.configured:
            self._relieves = relief.relieves(settings, connections.health())
        if self._relieves != before:
            self._due_at = 0.0
            self._changed = True
            log.warning("The failover %s.", "has the mails" if self._relieves else "stands by")
        if self._relieves:
            self._hasten()  # what steps back from the first need not wait

    def impatient(self) -> bool:
        """Somebody waits for `worker --drain`: a paused connection is probed once at once."""
        return self.eager and not self._faults_known

    def _set(self, orders: Orders) -> None:
        self._orders = orders
        if orders != self._shown:
            self._shown = orders
            self._loop.order(orders)

    def _cap(self) -> int:
        orders = self._orders
        if orders.config is None:
            return 0
        if orders.paused:
            return 1
        return self._ceiling.cap(orders.settings.max_connections)

    def _beat(self) -> None:
        self._wish_changed = False
        needed = self._relieves or self._wanted or self._orders.numbers or self._in_hand
        if self.place and not needed:
            return  # it stands by: nobody has to know
        self._asked = self._wanted
        before = self._times["beat"] = time.monotonic()
        number, held = self._loop.hold_still()
        try:
            grant = slots.beat(
                self.owner,
                wanted=self._wanted,
                held=sorted(held),
                cap=self._cap(),
                now=self.now(),
                rate=self._rate.of(self.accepted, before),
                place=self.place,
            )
        except BaseException:  # was it written? Then what no connection stands on may be another's
            self._set(replace(self._orders, beat=number, numbers=self._orders.numbers & held))
            self._times["beat"] = 0.0
            raise
        # Counted from before the question, and a little less: the row must outlive our belief in it.
        deadline = before + slots.LEASE.total_seconds() - 1.0
        self._unsatisfied = len(grant.numbers) < min(grant.share, self._wanted)
        self._set(self._orders.granted(grant, number, deadline))

    def _note_rewritten(self) -> None:
        while self._rewritten:
            one, now = self._rewritten[0], self.now()
            if one.fresh:
                queue.note_rewritten(one.recipient_id, one.attempt, one.refused, now)
            if one.certain and senders.learn(self._orders.settings, one.refused, now=now):
                log.warning("%s takes no From of %s.", self._orders.settings.host, one.refused.domain)
                self._times["poll"] = 0.0
            self._rewritten.popleft()

    def _note_faults(self) -> None:
        while self._faults:
            self._faults_known += 1
            self._pause(self._faults[0])
            self._faults.popleft()
        while self._late_revivals:
            self._revive.append(self._late_revivals.popleft())
        if self._chunking_failed:
            self._chunking_failed = False
            settings = self._orders.settings
            log.warning("%s announces CHUNKING and fails it; it is not used for now.", settings.host)
            server = f"{settings.host}:{settings.port}"
            health_actions.note_chunking_failed(settings.place, server, now=self.now())
        if self._works:
            self._works = False
            self._recovered()
        if self._fewer:
            self._times["poll"] = 0.0

    def _recovered(self) -> None:
        if self._orders.paused:
            health_actions.resume(self.place, now=self.now())
            self._hasten()
            self._times["poll"] = self._knock_after = 0.0
            if self.other is not None:
                self.other.look()
            self._changed = True

    def _hasten(self) -> None:
        """What stepped back from a connection at fault is due at once: it may be in order now."""
        if queue.hasten(self.now()):
            self._due_at = 0.0

    def _pause(self, fault: Fault) -> None:
        now = self.now()
        health = connections.health(self.place)
        probes = health.probes + 1 if health.flow is Flow.PAUSED else 0
        rest = retry.probe_after(probes + 1, random.random)
        self._revive += fault.revive
        rests = health_actions.pause(
            self.place,
            cause=fault.cause,
            stage=fault.stage,
            reply=fault.reply,
            next_probe_at=now + rest,
            now=now,
            revision=fault.revision,
        )
        if not rests:  # the settings have changed since: with those of now it may work
            self._orders = replace(self._orders, faults=self._faults_known)
            self._stepped_back, self._times["poll"] = True, 0.0
            return
        log.warning("Submission rests: %s %s %s", fault.cause, fault.stage, fault.reply)
        self._set(replace(self._orders, paused=True, probing=False, faults=self._faults_known))
        self._knock_after = 0.0
        if self.other is not None:
            self.other.look()

    def _sweep(self, now: float) -> None:
        dead: list[str] = []
        if self._due("dead", now, DEAD_SECONDS):
            dead = identity.dead_among(slots.owners() - {self.owner})
            if dead:
                slots.bury(dead)
        if queue.sweep(self.now(), dead=dead):
            self._due_at = 0.0
            self.changed()
