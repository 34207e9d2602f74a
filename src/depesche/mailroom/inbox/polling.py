"""Fetching from the mailbox: store, remember how far, mark at the server.

A cut at any point leaves mails unmarked or unremembered, never unstored; what is fetched twice is recognised
by its fingerprint. What became of the mails is for processing.ProcessMails, in a thread of its own, so that a
server that hangs holds nothing up.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import close_old_connections, connection
from django.db.models import Q
from django.utils import timezone

from depesche.mailroom.connections import access, identity, queries
from depesche.mailroom.connections.actions import note_polled
from depesche.mailroom.connections.queries import IncomingSettings
from depesche.mailroom.inbox import intake, processing
from depesche.mailroom.inbox.models import MailboxCursor
from depesche.mailroom.mailboxes import (
    Cursor,
    Mailbox,
    MailboxConfig,
    MailboxError,
    Position,
    Stop,
    open_mailbox,
)

logger = logging.getLogger(__name__)

BATCH = 20  # mails remembered and marked together …
BATCH_SECONDS = 2.0  # … or what came in so long
SESSION = {"imap": 1000, "pop3": 100}  # mails of one look; over POP3 deletions count only once it has ended
LEASE = timedelta(seconds=30)
IDLE_STEP = 10.0  # seconds of waiting before the lease is renewed
SETTINGS_STEP = 2.0  # seconds between looks whether the settings changed
PAUSE = 60.0  # seconds between looks where the server cannot tell that something arrived
_FIRST_PAUSE, _LONGEST_PAUSE = 15, 600  # seconds after a failure
_AFTER_FAILURE = 5.0
_LAST_WORDS = 5.0  # seconds for the log-out of a mailbox when the worker ends


@dataclass(frozen=True)
class Polled:
    """What a look into the mailbox brought: mails fetched, and how many of them were new to us. `more`: the
    look was ended before the mailbox was."""

    fetched: int = 0
    stored: int = 0
    more: bool = False


class MailboxBusy(Exception):
    """Another process reads this mailbox at the moment."""


def poll_once(settings: IncomingSettings | None = None) -> Polled:
    """Look into a mailbox (that of the system address) until nothing new is there, and process it.

    Raises access.NotConfigured, MailboxBusy, MailboxError.
    """
    settings = settings or queries.incoming()
    config = access.mailbox_config(settings)
    fetched = stored = 0
    more = True
    while more:
        with _Reader(config, settings.place) as reader:
            polled = reader.fetch(threading.Event())
        fetched, stored, more = fetched + polled.fetched, stored + polled.stored, polled.more
    while processing.process_waiting():
        pass
    return Polled(fetched, stored)


class _Reader:
    """The mailbox opened under its lease."""

    def __init__(self, config: MailboxConfig, place: int = 0) -> None:
        self.config = config
        self._place = place
        self._owner = identity.new_owner()
        self._mailbox: Mailbox | None = None

    def __enter__(self) -> _Reader:
        self.renew()
        try:
            self._mailbox = open_mailbox(self.config)
        except BaseException as error:
            if isinstance(error, MailboxError):
                note_polled(timezone.now(), error=str(error), place=self._place)
            self._release()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        try:
            if self._mailbox is not None:
                self._mailbox.__exit__(None, None, None)
                self._mailbox = None
        finally:
            self._release()

    def renew(self) -> None:
        """Take or keep the lease. Raises MailboxBusy."""
        now = timezone.now()
        row, _ = MailboxCursor.objects.get_or_create(source=self.config.name)
        free = Q(lease_owner=self._owner) | Q(lease_until=None) | Q(lease_until__lt=now)
        if identity.dead_among([row.lease_owner]):  # killed on this machine: nobody waits for its lease
            free |= Q(lease_owner=row.lease_owner)
        taken = MailboxCursor.objects.filter(free, source=self.config.name).update(
            lease_owner=self._owner, lease_until=now + LEASE
        )
        if not taken:
            raise MailboxBusy
        self._renewed_at = now

    def keep(self) -> None:
        """Renew the lease when a third of it is over. Every write wakes every waiting task."""
        if timezone.now() - self._renewed_at > LEASE / 3:
            self.renew()

    def _release(self) -> None:
        MailboxCursor.objects.filter(source=self.config.name, lease_owner=self._owner).update(
            lease_owner="", lease_until=None
        )

    def fetch(self, stop: Stop) -> Polled:
        """Store what is new, remember it, mark it. Raises MailboxError, MailboxBusy; the reader is closed
        after any exception."""
        assert self._mailbox is not None
        try:
            polled = self._fetch(self._mailbox, stop)
        except BaseException as error:
            if isinstance(error, MailboxError):
                note_polled(timezone.now(), error=str(error), place=self._place)
            self.close()
            raise
        note_polled(timezone.now(), error=_about(self._mailbox.unreadable), place=self._place)
        return polled

    def _fetch(self, mailbox: Mailbox, stop: Stop) -> Polled:
        fetched = stored = 0
        row = MailboxCursor.objects.get(source=self.config.name)
        taken: list[Position] = []
        began = time.monotonic()
        mailbox.unreadable = 0
        for mail in mailbox.new_mails(_cursor(row)):
            fetched += 1
            stored += intake.store(
                mail.raw,
                source=self.config.protocol,
                source_ref=str(mail.position),
                mailbox=self._place,
                now=timezone.now(),
            ).new
            taken.append(mail.position)
            if len(taken) >= BATCH or time.monotonic() - began > BATCH_SECONDS:
                self._settle(mailbox, row, taken)
                taken, began = [], time.monotonic()
            self.keep()
            if stop.is_set() or fetched >= SESSION.get(self.config.protocol, BATCH):
                self._settle(mailbox, row, taken)
                return Polled(fetched, stored, more=True)
        self._settle(mailbox, row, taken)
        _remember(row, mailbox.caught_up(_cursor(row), today=timezone.now().date()))
        return Polled(fetched, stored)

    def _settle(self, mailbox: Mailbox, row: MailboxCursor, taken: list[Position]) -> None:
        """Remember before marking: over POP3 a deletion may stand though its answer was lost."""
        if taken:
            _remember(row, mailbox.advanced(_cursor(row), taken))
            mailbox.mark_taken(taken)

    def wait(self, seconds: float, stop: Stop) -> bool:
        """Whether something arrived; False at once where the server cannot tell."""
        assert self._mailbox is not None
        try:
            return self._mailbox.wait(seconds, stop)
        except MailboxError:
            self.close()
            raise


def _about(unreadable: int) -> str:
    if not unreadable:
        return ""
    return f"fetch: the server names {unreadable} mails that it does not hand over; they are left there."


def _cursor(row: MailboxCursor) -> Cursor:
    return Cursor(row.uidvalidity, row.last_uid, row.boundary, row.since, frozenset(row.seen))


def _remember(row: MailboxCursor, cursor: Cursor) -> None:
    if cursor == _cursor(row):
        return
    row.uidvalidity, row.last_uid, row.since = cursor.uidvalidity, cursor.last_uid, cursor.since
    row.boundary = cursor.boundary
    row.seen = sorted(cursor.seen)
    row.save(update_fields=["uidvalidity", "last_uid", "boundary", "since", "seen", "updated_at"])


class _SettingsChanged:
    """A Stop: the given one, or that somebody saved other settings."""

    def __init__(self, stop: Stop, revision: tuple[int, int] | None) -> None:
        self._stop, self._revision = stop, revision
        self._next = time.monotonic() + SETTINGS_STEP

    def is_set(self) -> bool:
        if self._stop.is_set():
            return True
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + SETTINGS_STEP
        return queries.revision() != self._revision


class _Poller:
    """One mailbox: reads it when it is time, and sleeps in IDLE where there is one."""

    def __init__(self, place: int) -> None:
        self.place = place
        self._reader: _Reader | None = None
        self._settings = IncomingSettings()
        self._revision: tuple[int, int] | None = None
        self._next_look = timezone.now()
        self._failures = 0

    def run(self, now: datetime, stop: threading.Event) -> int:
        revision = queries.revision()
        if revision != self._revision:
            self._revision, self._next_look, self._failures = revision, now, 0
            self.close()
            self._settings = queries.incoming(self.place)
        if now < self._next_look or not self._settings.is_mailbox:
            return 0
        return self._look(now, stop)

    def _look(self, now: datetime, stop: threading.Event) -> int:
        try:
            if self._reader is None:
                reader = _Reader(access.mailbox_config(self._settings), self.place)
                self._reader = reader.__enter__()
            else:
                self._reader.renew()
            polled = self._reader.fetch(stop)
        except MailboxBusy:
            self.close()
            self._next_look = now + LEASE / 3
            return 0
        except (MailboxError, access.NotConfigured) as error:
            self._failed(now, error)
            return 0
        except BaseException:
            self.close()
            raise
        self._failures = 0
        if self._reader.config.protocol == "pop3":
            self.close()  # an open session would lock the mailbox, and deletions count once it has ended
        self._next_look = now if polled.more else timezone.now() + timedelta(seconds=PAUSE)
        return polled.fetched

    def _failed(self, now: datetime, error: Exception) -> None:
        if not self._failures:
            logger.warning("The mailbox %s cannot be read: %s", self._settings.title, error)
        self._failures += 1
        self._reader = None
        note_polled(now, error=str(error), place=self.place)
        seconds = min(_FIRST_PAUSE * 2 ** min(self._failures - 1, 10), _LONGEST_PAUSE)
        self._next_look = now + timedelta(seconds=seconds)

    def wait(self, stop: Stop) -> bool:
        """In place of a pause: IDLE until something arrives. False where there is nothing to wait on."""
        if self._reader is None:
            return False
        try:
            arrived = self._reader.wait(IDLE_STEP, _SettingsChanged(stop, self._revision))
            if not arrived:
                self._reader.keep()
                return False
        except MailboxError as error:
            # A connection that broke while nothing went on is no failure yet: log in again and look.
            logger.info("IDLE ended: %s", error)
            self._reader = None
        except MailboxBusy:
            self.close()
            return False
        self._next_look = timezone.now()
        return True

    def close(self) -> None:
        """Log out and give the lease back."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()


class _Companion:
    """A further mailbox in a thread of its own, so that a server that hangs holds up no other mailbox."""

    def __init__(self, poller: _Poller) -> None:
        self.poller = poller
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"depesche-mailbox-{poller.place}", daemon=True
        )
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    close_old_connections()
                    busy = self.poller.run(timezone.now(), self._stop) > 0 or self.poller.wait(self._stop)
                except Exception:
                    logger.exception("Reading mailbox %s failed; it goes on.", self.poller.place)
                    connection.close()
                    self._stop.wait(_AFTER_FAILURE)
                    continue
                if not busy:
                    self._stop.wait(PollMailboxes.pause)
        finally:
            with contextlib.suppress(Exception):
                self.poller.close()
            connection.close()

    def end(self) -> None:
        """Tell it to end; it does so within the time of one answer of its server."""
        self._stop.set()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)


class PollMailboxes:
    """The worker's task: reads every mailbox. The first in the task's own thread, the others each in one of
    their own where the worker stays; one after the other where it only drains."""

    name = "mailbox"
    pause = 1.0
    wakes_on_change = False  # on a busy day that would end each IDLE at once

    def __init__(self) -> None:
        self._revision: tuple[int, int] | None = None
        self._stays = False
        self._pollers: dict[int, _Poller] = {}
        self._companions: dict[int, _Companion] = {}

    def stays(self) -> None:
        """The worker runs on and on."""
        self._stays = True

    def run(self, now: datetime, stop: threading.Event) -> int:
        revision = queries.revision()
        if revision != self._revision:
            self._take_up([one.place for one in queries.mailboxes() if one.is_mailbox])
            self._revision = revision
        return sum(poller.run(now, stop) for poller in list(self._pollers.values()))

    def _take_up(self, places: list[int]) -> None:
        here = places[:1] if self._stays else places
        for place in self._pollers.keys() - set(here):
            self._pollers.pop(place).close()
        for place in self._companions.keys() - (set(places) - set(here)):
            self._companions.pop(place).end()
        for place in here:
            self._pollers.setdefault(place, _Poller(place))
        for place in places:
            if place not in here and place not in self._companions:
                self._companions[place] = _Companion(_Poller(place))

    def wait(self, stop: Stop) -> bool:
        """In place of a pause: IDLE until something arrives. False where there is nothing to wait on."""
        return any(poller.wait(stop) for poller in list(self._pollers.values())[:1])

    def close(self) -> None:
        """Log out everywhere and give the leases back; also when the worker ends."""
        for companion in self._companions.values():
            companion.end()
        for poller in self._pollers.values():
            poller.close()
        for companion in self._companions.values():
            companion.join(_LAST_WORDS)
        self._companions, self._pollers, self._revision = {}, {}, None
