"""How the inbox stands, for the pages of the connections (which lie below and cannot look up here)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections.alarms import Alarm, Level
from depesche.mailroom.connections.figures import InboxFigures
from depesche.mailroom.connections.watching import queries as watching
from depesche.mailroom.inbox.models import Outcome, ReceivedMessage
from depesche.mailroom.inbox.queries import held_count

_DAY = timedelta(hours=24)
_NEWEST = 20_000  # rows that are looked through


def figures(now: datetime) -> InboxFigures:
    newest = ReceivedMessage.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    taken = ReceivedMessage.objects.filter(
        pk__gt=newest - _NEWEST,
        outcome__in=[Outcome.COMMENT, Outcome.ITEM],
        received_at__gt=now - _DAY,
    )
    return InboxFigures(taken_24h=taken.count(), held=held_count())


def stored(message_id: str) -> list[bytes]:
    """The newest mails with this Message-ID (in angle brackets), raw: copies of the test mail."""
    newest = ReceivedMessage.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    mails = ReceivedMessage.objects.filter(
        pk__gt=newest - _NEWEST, message_id__in=[message_id, message_id.strip("<>")]
    )
    return [bytes(raw) for raw in mails.values_list("raw", flat=True)[:10]]


_LEARNT_FROM = timedelta(days=28)
_LEAST_HISTORY = timedelta(days=14)
_LEAST_MAILS = 20
_MOST_MAILS = 5000
_LEAST_SILENCE = timedelta(hours=6)
_STUCK = timedelta(minutes=15)
_MANY_HELD = 20


def alarms(now: datetime) -> Iterator[Alarm]:
    """A mailbox that brings nothing for longer than usual, mails that nobody processes, many that wait for a
    person."""
    yield from _silence(now)
    stuck = (
        ReceivedMessage.objects.filter(processed_at=None)
        .order_by("pk")
        .values_list("received_at", flat=True)
        .first()
    )
    if stuck is not None and now - stuck > _STUCK:
        minutes = int((now - stuck).total_seconds() // 60)
        yield Alarm("inbox-stuck", Level.CRITICAL, {"minutes": minutes}, since=stuck, link="inbox:list")
    held = held_count()
    if held >= _MANY_HELD:
        yield Alarm("inbox-held", Level.WARNING, {"count": held}, link="inbox:list")


def _silence(now: datetime) -> Iterator[Alarm]:
    if not connections.incoming().configured or not watching.alarm_ways().silence:
        return
    lately = ReceivedMessage.objects.filter(received_at__gte=now - _LEARNT_FROM).order_by("-pk")
    arrivals = sorted(lately.values_list("received_at", flat=True)[:_MOST_MAILS])
    usual = usual_silence(arrivals)
    if usual is not None and now - arrivals[-1] > usual:
        facts = {
            "hours": int((now - arrivals[-1]).total_seconds() // 3600),
            "usual": int(usual.total_seconds() // 3600),
        }
        yield Alarm("inbox-silent", Level.WARNING, facts, since=arrivals[-1], link="connections:incoming")


def usual_silence(arrivals: Sequence[datetime]) -> timedelta | None:
    """How long this mailbox may be silent: half as long again as the third longest silence between the given
    times. None while too little is known: that is before 20 mails over two weeks.

    The third longest, since four weeks have three weekends at least, while one outage should not be learnt.

    >>> from datetime import UTC
    >>> days = [datetime(2026, 11, day, 12, tzinfo=UTC) for day in range(1, 25)]
    >>> usual_silence(days)
    datetime.timedelta(days=1, seconds=43200)
    >>> usual_silence(days[:10]) is None
    True
    """
    if len(arrivals) < _LEAST_MAILS or arrivals[-1] - arrivals[0] < _LEAST_HISTORY:
        return None
    gaps = sorted((after - before for before, after in pairwise(arrivals)), reverse=True)
    return max(gaps[2] * 1.5, _LEAST_SILENCE)
