"""“Who was told?”: each event's notices with what became of their mails, in words.

Why somebody was not told is shown to administrators and to the person; others see only that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from depesche.mailroom.outbox.states import State
from depesche.mailroom.pages.templatetags.depesche import number
from depesche.tracker.accounts.models import Person
from depesche.tracker.notifications import queries
from depesche.tracker.notifications.queries import NoticeRow
from depesche.tracker.notifications.words import not_told_in_words, reasons_in_words

_DONE = frozenset({"accepted", "delivered"})
_WAITING = frozenset({"queued", "in_flight", "deferred", "delayed", "uncertain", "held"})
_SHOWN_OF_ONE = 25  # people of one event in the item's page; more stand on a page of their own
_SHOWN_OF_ALL = 150  # people of all its events, the latest first


@dataclass(frozen=True)
class ToldRow:
    """One person. `state` is a state of the outbox, or "not_told"; `more` a time that belongs to it."""

    name: str
    why: str
    state: str
    more: str
    words: str
    recipient: int | None = None  # in the outbox


@dataclass(frozen=True)
class Told:
    """One event. `rows` is empty when there are too many for the item's page (`many`)."""

    event_id: int
    summary: str
    rows: Sequence[ToldRow]
    many: bool


def told_of(event_ids: Iterable[int], reader: Person, *, every: bool = False) -> dict[int, Told]:
    """What became of the notices of these events, by event; an event that nobody hears of is missing."""
    ids = sorted(event_ids, reverse=True)
    notices = queries.who_was_told(ids)
    found: dict[int, Told] = {}
    shown = 0
    for event_id in ids:
        group = notices.get(event_id)
        if group:
            rows = sorted((_row(notice, reader) for notice in group), key=lambda row: row.state == "not_told")
            many = not every and (len(rows) > _SHOWN_OF_ONE or shown + len(rows) > _SHOWN_OF_ALL)
            shown += 0 if many else len(rows)
            found[event_id] = Told(event_id, summary(rows), () if many else rows, many)
    for event_id, later in queries.unplanned(ids).items():
        text = _("Will be told in a few minutes") if later else _("The mails are being written")
        found.setdefault(event_id, Told(event_id, text, (), many=False))
    return found


def _row(notice: NoticeRow, reader: Person) -> ToldRow:
    name, why = notice.person.name, reasons_in_words(",".join(notice.reasons))
    mail = notice.mail
    if mail is not None:
        at = mail.next_attempt_at if mail.state == State.DEFERRED else mail.updated_at
        return ToldRow(name, why, str(mail.state), _clock(at, mail.state), mail.reply, mail.id)
    if not notice.not_told:
        return ToldRow(name, why, "accepted", "", _("The mail is no longer kept."))
    may_know = reader.is_admin or reader.pk == notice.person.pk
    return ToldRow(name, why, "not_told", "", not_told_in_words(notice.not_told) if may_know else "")


def _clock(at: datetime | None, state: str) -> str:
    if at is None or state in {"queued", "in_flight"}:
        return ""
    clock = f"{localtime(at):%H:%M}" if state == "deferred" else f"{localtime(at):%H:%M:%S}"
    return _("to %(time)s") % {"time": clock} if state == "deferred" else clock


def summary(rows: Sequence[ToldRow]) -> str:
    """One line of counts: “2 people told, 1 mail waits, 1 failed, 3 not told”."""
    states = [row.state for row in rows]
    done = sum(state in _DONE for state in states)
    waiting = sum(state in _WAITING for state in states)
    silent = sum(state in {"not_told", "cancelled", "suppressed"} for state in states)
    failed = len(states) - done - waiting - silent
    parts = []
    if done:
        parts.append(ngettext("%(n)s person told", "%(n)s people told", done) % {"n": number(done)})
        if done == len(states) and all(state == "delivered" for state in states):
            parts.append(_("all delivered"))
    if waiting:
        parts.append(ngettext("%(n)s mail waits", "%(n)s mails wait", waiting) % {"n": number(waiting)})
    if failed:
        parts.append(ngettext("%(n)s mail failed", "%(n)s mails failed", failed) % {"n": number(failed)})
    if silent:
        parts.append(ngettext("%(n)s not told", "%(n)s not told", silent) % {"n": number(silent)})
    return ", ".join(parts)
