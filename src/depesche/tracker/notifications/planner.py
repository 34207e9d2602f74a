"""From events to notices: each event once, each person once, whatever happens in between.

An event of changes is *frozen* first (they are merged with no others from then on), everything is read,
decided and rendered outside any transaction, and then written in chunks: mails and Notice rows of some
people in one transaction each. Who has a Notice already is passed over. So after a kill -9 the next run
continues where the rows end: nobody is left out (the event stays unplanned until its last chunk) and nobody
gets two mails (a Notice is unique for event and person, and the row of the event is locked while a chunk is
written).

Several workers: the lock is taken with SKIP LOCKED; who does not get it leaves the event to the other. On
SQLite the write transaction itself is the lock.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from depesche.mailformat.addresses import Address, AddressError
from depesche.mailroom.outbox import actions as outbox
from depesche.mailroom.outbox.actions import Category, NewMessage, NewRecipient, SenderKind
from depesche.tracker.accounts import links
from depesche.tracker.accounts import queries as accounts
from depesche.tracker.items import changes as changing
from depesche.tracker.items.models import Attachment, ItemEvent
from depesche.tracker.notifications import compose
from depesche.tracker.notifications.audience import Audience, Card, audience
from depesche.tracker.notifications.compose import Composed, MailSettings
from depesche.tracker.notifications.models import Notice
from depesche.tracker.notifications.notice_letter import EventToTell, File
from depesche.tracker.notifications.recipients import NotTold, Reason, Told, Why

CHUNK: Final = 500  # people in one transaction: 10 to 20 ms on SQLite, where others wait meanwhile
BREATH: Final = 0.002  # seconds between two chunks, so that a waiting web write gets its turn on SQLite
CLOCKS_DIFFER: Final = timedelta(seconds=2)  # between machines: an event is not left lying for that
_EVENTS_A_RUN: Final = 50
_LATE: Final = timedelta(hours=1)  # then reply addresses are as old as the planning, not as the event

_log = logging.getLogger(__name__)


class PlanNotices:
    """Worker task: notices for the events that have none yet."""

    name = "notices"
    pause = 5.0  # events that wait for their time (due_at) come up without a change of the database
    wakes_on_change = True

    def __init__(self) -> None:
        self._set_aside: dict[int, tuple[int, datetime]] = {}  # event: (failures, not before)
        self._warm = False

    def run(self, now: datetime, stop: threading.Event) -> int:
        """Plan what is due; how many events were finished. An event that cannot be told does not stop the
        others."""
        if not self._warm:
            # The first look-up of a page loads every view: not while somebody waits for the first mail.
            self._warm = True
            links.page("me")
        done = 0
        for event_id in waiting(now):
            if stop.is_set():
                break
            failures, not_before = self._set_aside.get(event_id, (0, now))
            if not_before > now:
                continue
            try:
                done += plan(event_id, now=now, stop=stop)
                self._set_aside.pop(event_id, None)
            except Exception:
                if connection.in_atomic_block:
                    raise
                _log.exception("the notices of event %s could not be planned", event_id)
                self._set_aside[event_id] = (
                    failures + 1,
                    now + timedelta(seconds=min(10 * 2**failures, 3600)),
                )
        return done


def waiting(now: datetime) -> list[int]:
    """Events whose notices are due, oldest first."""
    rows = ItemEvent.objects.filter(planned_at=None, due_at__lte=now + CLOCKS_DIFFER).order_by("due_at", "id")
    return list(rows.values_list("pk", flat=True)[:_EVENTS_A_RUN])


def plan(event_id: int, *, now: datetime, stop: threading.Event | None = None) -> bool:
    """The notices of one event. False when another worker is at it, or `stop` came: it stays unplanned
    then."""
    if not _freeze(event_id, now):
        return False
    event = ItemEvent.objects.select_related(
        "actor", "comment", "item__workspace", "item__author", "item__responsible", "item__manager"
    ).get(pk=event_id)
    people = audience(event.item, actor_id=event.actor_id, changes=event.changes)
    told, unreachable = _reachable(people, _noticed(event_id))
    settings = MailSettings.now()
    write_mails = _MailWriter(event, settings)
    batch: list[_Mail] = []
    for chunk in _chunks(told):
        if stop is not None and stop.is_set():
            return False
        batch.append(write_mails.to(chunk))
        if sum(len(mail.who) for mail in batch) >= CHUNK:
            if not _write(event_id, batch, (), now=now, last=False):
                return False
            batch = []
            time.sleep(BREATH)
    return _finish(event_id, batch, [*people.not_told, *unreachable], now)


@dataclass(frozen=True)
class _Mail:
    """One content and those who get it."""

    message: NewMessage
    who: Sequence[Told]
    recipients: Sequence[NewRecipient]


class _MailWriter:
    """Renders the mails of one event: each content once, whatever the number of chunks."""

    def __init__(self, event: ItemEvent, settings: MailSettings) -> None:
        self._event = event
        self._settings = settings
        self._facts = _to_tell(event, settings)
        self._composed: dict[tuple[tuple[Reason, ...], str], Composed] = {}

    def to(self, chunk: Sequence[Recipient]) -> _Mail:
        """The mail to these people, who all get the same content."""
        event = self._event
        mail = self._content(chunk[0][0].reasons, chunk[0][1].language)
        message = NewMessage(
            category=Category.NOTICE,
            content=mail.content,
            subject=mail.subject,
            sender=SenderKind.USER,
            author_name=event.actor.name,
            # Nobody here may write From a guest's address: their servers would call it forged.
            author_address="" if event.actor.is_guest else event.actor.email,
            item=event.item.key,
        )
        recipients = [
            compose.noticed(
                address=address,
                person_id=who.person_id,
                item_id=event.item_id,
                event_id=event.pk,
                settings=self._settings,
                now=event.planning_at or event.at,
            )
            for who, _card, address in chunk
        ]
        return _Mail(message, [who for who, *_ in chunk], recipients)

    def _content(self, reasons: tuple[Reason, ...], language: str) -> Composed:
        mail = self._composed.get((reasons, language))
        if mail is None:
            mail = compose.notice(
                self._facts,
                self._event.item_id,
                reasons,
                language,
                settings=self._settings,
                now=timezone.now(),
            )
            self._composed[reasons, language] = mail
        return mail


def _freeze(event_id: int, now: datetime) -> bool:
    """From now on no other change is merged into the event. False when it is planned already.

    Nothing is ever merged into a comment or a new item: that saves a way to the disk before their mails.
    """
    unplanned = ItemEvent.objects.filter(pk=event_id, planned_at=None)
    found = unplanned.values_list("kind", "planning_at", "at").first()
    if found is None:
        return False
    kind, planning_at, at = found
    if planning_at is not None or (kind != ItemEvent.Kind.CHANGED and now - at < _LATE):
        return True
    return bool(unplanned.filter(planning_at=None).update(planning_at=now)) or unplanned.exists()


Recipient = tuple[Told, Card, Address]


def _noticed(event_id: int) -> set[int]:
    """Who has a Notice from an earlier run that was cut."""
    return set(Notice.objects.filter(event_id=event_id).values_list("person_id", flat=True))


def _reachable(people: Audience, done: set[int]) -> tuple[list[Recipient], list[NotTold]]:
    """Those still to tell whose address can be written, sorted so that equal mails follow each other."""
    reachable: list[Recipient] = []
    unreachable: list[NotTold] = []
    for who in people.told:
        if who.person_id in done:
            continue
        card = people.cards[who.person_id]
        try:
            reachable.append((who, card, Address(card.name, card.email)))
        except AddressError:
            unreachable.append(NotTold(who.person_id, who.reasons, Why.NO_ADDRESS))
    reachable.sort(key=lambda one: (one[1].language, one[0].reasons, one[0].person_id))
    return reachable, unreachable


def _chunks(told: Sequence[Recipient]) -> Iterator[Sequence[Recipient]]:
    """Pieces of at most CHUNK people who get the same content."""
    start = 0
    for index, (who, card, _address) in enumerate(told):
        first = told[start]
        same = (who.reasons, card.language) == (first[0].reasons, first[1].language)
        if not same or index - start >= CHUNK:
            yield told[start:index]
            start = index
    if told:
        yield told[start:]


def _write(
    event_id: int, mails: Sequence[_Mail], not_told: Sequence[NotTold], *, now: datetime, last: bool
) -> bool:
    """One transaction: these mails, these who get none; with the last one the event is planned."""
    ids = [one.person_id for mail in mails for one in mail.who] + [one.person_id for one in not_told]
    with transaction.atomic():
        if not _locked(event_id):
            return False
        done = set(
            Notice.objects.filter(event_id=event_id, person_id__in=ids).values_list("person_id", flat=True)
        )
        rows: list[_Row] = [
            (event_id, one.person_id, ",".join(one.reasons), None, str(one.why))
            for one in not_told
            if one.person_id not in done
        ]
        for mail in mails:
            fresh = [
                pair for pair in zip(mail.who, mail.recipients, strict=True) if pair[0].person_id not in done
            ]
            queued = outbox.enqueue(mail.message, [recipient for _who, recipient in fresh], now=now)
            rows += [
                (event_id, one.person_id, ",".join(one.reasons), recipient_id, "")
                for (one, _recipient), recipient_id in zip(fresh, queued, strict=True)
            ]
        _insert(rows)
        if last:
            ItemEvent.objects.filter(pk=event_id).update(planned_at=now)
    return True


_Row = tuple[int, int, str, int | None, str]  # event, person, reasons, outbox recipient, why not


def _insert(rows: Sequence[_Row]) -> None:
    """Notice rows, by one statement: building model instances would hold the write lock five times as
    long."""
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {Notice._meta.db_table} (event_id, person_id, reasons, recipient, not_told)"  # noqa: S608  our own name
            " VALUES (%s, %s, %s, %s, %s)",
            rows,
        )


def _finish(event_id: int, mails: Sequence[_Mail], not_told: Sequence[NotTold], now: datetime) -> bool:
    """The rest: the last mails, and who gets none."""
    for start in range(0, len(not_told) - CHUNK, CHUNK):
        if not _write(event_id, (), not_told[start : start + CHUNK], now=now, last=False):
            return False
        time.sleep(BREATH)
    left = len(not_told) % CHUNK or min(len(not_told), CHUNK)
    return _write(event_id, mails, not_told[len(not_told) - left :], now=now, last=True)


def _locked(event_id: int) -> bool:
    """Whether the event is ours until the transaction ends, and still unplanned."""
    row = ItemEvent.objects.select_for_update(
        skip_locked=connection.features.has_select_for_update_skip_locked
    )
    return row.filter(pk=event_id, planned_at=None).values_list("pk", flat=True).first() is not None


def _to_tell(event: ItemEvent, settings: MailSettings) -> EventToTell:
    item = event.item
    of_comment = event.comment_id is not None
    files = Attachment.objects.filter(item=item, comment=event.comment)
    shown = of_comment or event.kind == ItemEvent.Kind.CREATED
    text = event.comment.text if event.comment is not None else item.description
    return EventToTell(
        id=event.pk,
        kind=event.kind,
        actor_name=event.actor.name,
        comment_id=event.comment_id,
        text=text,
        changes=event.changes,
        files=[File(*row) for row in files.order_by("id").values_list("pk", "filename", "size")]
        if shown
        else [],
        key=item.key,
        title=item.title,
        workspace=item.workspace.name,
        state=item.state,
        responsible=item.responsible.name if item.responsible is not None else "",
        due=item.due,
        names=accounts.names(changing.people_in(event.changes)),
        server=settings.server,
        plain=settings.plain,
        answers_reach_us=settings.addresses.answers_reach_us and settings.addresses.system is not None,
    )
