"""Fetching from the mailbox: store, then mark at the server, then remember how far, then process.

A cut at any point leaves mails unmarked or unremembered, never unstored; what is fetched twice is recognised
by its fingerprint.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.db.models import Q
from django.utils import timezone

from depesche.mailroom.connections import access, queries
from depesche.mailroom.connections.actions import note_polled
from depesche.mailroom.inbox import intake, processing
from depesche.mailroom.inbox.models import MailboxCursor
from depesche.mailroom.mailboxes import Cursor, Fetched, Mailbox, MailboxConfig, MailboxError, open_mailbox

logger = logging.getLogger(__name__)

BATCH = 20  # mails stored and marked together
LEASE = timedelta(seconds=90)
IDLE_STEP = 30.0  # seconds of waiting before the lease is renewed and the settings are looked at again
PAUSE = 60.0  # seconds between looks where the server cannot tell that something arrived
_OWNER = f"{socket.gethostname()[:12]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


@dataclass(frozen=True)
class Polled:
    """What a look into the mailbox brought: mails fetched, and how many of them were new to us."""

    fetched: int = 0
    stored: int = 0


class MailboxBusy(Exception):
    """Another process reads this mailbox at the moment."""


def poll_once() -> Polled:
    """Look into the configured mailbox once and process what is there.

    Raises access.NotConfigured, MailboxBusy, MailboxError.
    """
    config = access.mailbox_config(queries.incoming())
    with _Reader(config) as reader:
        polled = reader.fetch(threading.Event())
    processing.process_waiting()
    return polled


class _Reader:
    """The mailbox opened under its lease."""

    def __init__(self, config: MailboxConfig) -> None:
        self.config = config
        self._mailbox: Mailbox | None = None

    def __enter__(self) -> _Reader:
        self.renew()
        try:
            self._mailbox = open_mailbox(self.config)
        except MailboxError as error:
            note_polled(timezone.now(), error=str(error))
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
        MailboxCursor.objects.get_or_create(source=self.config.name)
        free = Q(lease_owner=_OWNER) | Q(lease_until=None) | Q(lease_until__lt=now)
        taken = MailboxCursor.objects.filter(free, source=self.config.name).update(
            lease_owner=_OWNER, lease_until=now + LEASE
        )
        if not taken:
            raise MailboxBusy
        self._renewed_at = now

    def keep(self) -> None:
        """Renew the lease when a third of it is over. Every write wakes every waiting task."""
        if timezone.now() - self._renewed_at > LEASE / 3:
            self.renew()

    def _release(self) -> None:
        MailboxCursor.objects.filter(source=self.config.name, lease_owner=_OWNER).update(
            lease_owner="", lease_until=None
        )

    def fetch(self, stop: threading.Event) -> Polled:
        """Store what is new, mark it, remember it. Raises MailboxError, after which the reader is closed."""
        assert self._mailbox is not None
        fetched = stored = 0
        try:
            row = MailboxCursor.objects.get(source=self.config.name)
            mails = self._mailbox.new_mails(_cursor(row))
            for batch in _batches(mails, BATCH):
                now = timezone.now()
                fetched += len(batch)
                stored += sum(self._store(mail, now) for mail in batch)
                taken = [mail.position for mail in batch]
                self._mailbox.mark_taken(taken)
                _remember(row, self._mailbox.advanced(_cursor(row), taken, today=now.date()))
                self.renew()
                if stop.is_set():
                    break
            if not fetched and row.since is None:
                # A mailbox that was empty: from here on everything in it is ours.
                _remember(row, self._mailbox.advanced(_cursor(row), [], today=timezone.now().date()))
        except MailboxError as error:
            note_polled(timezone.now(), error=str(error))
            self.close()
            raise
        note_polled(timezone.now())
        return Polled(fetched, stored)

    def _store(self, mail: Fetched, now: datetime) -> bool:
        return intake.store(mail.raw, source=self.config.protocol, source_ref=str(mail.position), now=now).new

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Whether something arrived; False at once where the server cannot tell."""
        assert self._mailbox is not None
        try:
            return self._mailbox.wait(seconds, stop)
        except MailboxError:
            self.close()
            raise


def _batches(mails: Iterator[Fetched], size: int) -> Iterator[Sequence[Fetched]]:
    while batch := list(islice(mails, size)):
        yield batch


def _cursor(row: MailboxCursor) -> Cursor:
    return Cursor(
        uidvalidity=row.uidvalidity, last_uid=row.last_uid, since=row.since, seen=frozenset(row.seen)
    )


def _remember(row: MailboxCursor, cursor: Cursor) -> None:
    row.uidvalidity, row.last_uid, row.since = cursor.uidvalidity, cursor.last_uid, cursor.since
    row.seen = sorted(cursor.seen)
    row.save(update_fields=["uidvalidity", "last_uid", "since", "seen", "updated_at"])


class PollMailboxes:
    """The worker's task: processes what waits, reads the mailbox, and sleeps in IDLE where there is one."""

    name = "mailbox"
    pause = 1.0
    wakes_on_change = True  # a mail that was piped in waits in the database

    def __init__(self) -> None:
        self._reader: _Reader | None = None
        self._revision: tuple[int, int] | None = None
        self._next_look = timezone.now()
        self._failures = 0

    def run(self, now: datetime, stop: threading.Event) -> int:
        done = processing.process_waiting()
        revision = queries.revision()
        if revision != self._revision:
            self._revision, self._next_look, self._failures = revision, now, 0
            self._close()
        if now >= self._next_look and queries.incoming().is_mailbox:
            done += self._look(now, stop)
        return done

    def _look(self, now: datetime, stop: threading.Event) -> int:
        try:
            if self._reader is None:
                reader = _Reader(access.mailbox_config(queries.incoming()))
                self._reader = reader.__enter__()
            else:
                self._reader.renew()
            polled = self._reader.fetch(stop)
        except MailboxBusy:
            self._close()
            self._next_look = now + LEASE / 3
            return 0
        except (MailboxError, access.NotConfigured) as error:
            self._failed(now, error)
            return 0
        self._failures = 0
        if self._reader.config.protocol == "pop3":
            self._close()  # an open session would lock the mailbox
        self._next_look = timezone.now() + timedelta(seconds=PAUSE)
        if polled.stored:
            processing.process_waiting()
        return polled.fetched

    def _failed(self, now: datetime, error: Exception) -> None:
        if not self._failures:
            logger.warning("the mailbox cannot be read: %s", error)
        self._failures += 1
        self._reader = None
        note_polled(now, error=str(error))
        self._next_look = now + timedelta(seconds=min(15 * 2**self._failures, 600))

    def wait(self, stop: threading.Event) -> bool:
        """In place of a pause: IDLE until something arrives. False where there is nothing to wait on."""
        if self._reader is None:
            return False
        try:
            if not self._reader.wait(IDLE_STEP, stop):
                self._reader.keep()
                return False
        except (MailboxError, MailboxBusy) as error:
            self._reader = None
            self._failed(timezone.now(), error)
            return False
        self._next_look = timezone.now()
        return True

    def close(self) -> None:
        """The worker ends: log out and give the lease back."""
        self._close()

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
