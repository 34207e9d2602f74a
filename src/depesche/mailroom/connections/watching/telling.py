"""Handing alarms over: what is due goes out through its way, is retried with growing pauses, and is given up
after a day."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.translation import gettext as _

from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections.models import OutgoingConnection
from depesche.mailroom.connections.queries import Flow
from depesche.mailroom.connections.watching import actions, webhook
from depesche.mailroom.connections.watching.models import AlarmOccurrence, AlarmTelling, Way
from depesche.mailroom.connections.watching.queries import AlarmWays
from depesche.mailroom.pages import people

log = logging.getLogger(__name__)
State = AlarmTelling.State
Event = AlarmTelling.Event
CLAIM = timedelta(minutes=2)  # longer than any hand-over lasts
_PAUSES = (1, 2, 5, 10, 15, 30, 60)  # minutes; the last one again and again
_MOST_ATTEMPTS = 28  # with these pauses about a day
_MAIL_EXPIRES = timedelta(days=1)


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts that failed."""
    return timedelta(minutes=_PAUSES[min(attempts, len(_PAUSES)) - 1])


def tell_due(ways: AlarmWays, *, now: datetime) -> int:
    """Try the one that is due longest; 1, or 0 when nothing is due."""
    # What is not seen any more is perhaps over: it is not told now, and then never.
    worth_it = Q(event=Event.OVER) | Q(occurrence__absent_since=None)
    due = AlarmTelling.objects.filter(worth_it, state=State.DUE, next_at__lte=now).order_by("next_at", "pk")
    telling = due.select_related("occurrence").first()
    if telling is None:
        return 0
    # Compare and set: of several processes one has it.
    mine = AlarmTelling.objects.filter(pk=telling.pk, state=State.DUE, next_at=telling.next_at).update(
        next_at=now + CLAIM, attempts=telling.attempts + 1
    )
    if mine:
        _tell(telling, telling.attempts + 1, ways, now)
    return 1


def _tell(telling: AlarmTelling, attempts: int, ways: AlarmWays, now: datetime) -> None:
    if telling.way not in ways.ways:
        _record(telling, State.DROPPED, now)
        return
    with translation.override(ways.spoken):
        try:
            error = _by_webhook(telling, now) if telling.way == Way.WEBHOOK else _by_mail(telling, ways, now)
        except Exception as mistake:
            log.exception("An alarm could not be told; it is tried again.")
            error = type(mistake).__name__
    if not error:
        _record(telling, State.DONE, now)
    elif attempts >= _MOST_ATTEMPTS:
        log.error("An alarm was told to nobody through %s: %s", telling.way, error)
        _record(telling, State.GIVEN_UP, now, error)
    else:
        if attempts == 1:
            log.warning("An alarm could not be told through %s yet: %s", telling.way, error)
        AlarmTelling.objects.filter(pk=telling.pk, state=State.DUE).update(
            next_at=now + pause_after(attempts), error=error
        )


def _record(telling: AlarmTelling, state: str, now: datetime, error: str = "") -> None:
    AlarmTelling.objects.filter(pk=telling.pk, state=State.DUE).update(state=state, done_at=now, error=error)


# --- webhook ------------------------------------------------------------------------------------------------


def _by_webhook(telling: AlarmTelling, now: datetime) -> str:
    where = actions.webhook_of()
    if where is None:
        return _("There is no webhook any more.")
    payload = payload_of(telling.occurrence, telling.event, now)
    identity = f"{telling.occurrence.pk}-{telling.event}"
    answer = webhook.post(where[0], payload, identity=identity, secret=where[1], seconds=int(now.timestamp()))
    return answer.error


def payload_of(occurrence: AlarmOccurrence, event: str, now: datetime) -> dict[str, Any]:
    """What the receiver gets (docs/admin). `text` is for chat programs."""
    words = occurrence.words
    return {
        "event": str(event),
        "id": occurrence.pk,
        "code": occurrence.code,
        "level": occurrence.level,
        "since": occurrence.began_at.isoformat(),
        "over": occurrence.over_at.isoformat() if occurrence.over_at else None,
        "at": now.isoformat(),
        "title": words.get("title", ""),
        "why": words.get("why", ""),
        "remedy": words.get("remedy", ""),
        "facts": occurrence.facts,
        "link": link_of(occurrence.link),
        "server": server(),
        "text": headline(words.get("title", ""), event) + f"\n{words.get('why', '')}",
    }


def test_payload(now: datetime) -> dict[str, Any]:
    """What a test sends: the same fields."""
    title = _("Test of the alarms")
    why = _("Nothing is wrong. Somebody tried whether alarms arrive here.")
    return {
        "event": "test",
        "id": 0,
        "code": "test",
        "level": "warning",
        "since": now.isoformat(),
        "over": None,
        "at": now.isoformat(),
        "title": title,
        "why": why,
        "remedy": "",
        "facts": {},
        "link": link_of("connections:alarms"),
        "server": server(),
        "text": f"{server()}: {title}\n{why}",
    }


def headline(title: str, event: str) -> str:
    """One line: whose alarm, which, and whether it is over."""
    if event == Event.OVER:
        return _("%(server)s: over: %(title)s") % {"server": server(), "title": title}
    if event == Event.WORSE:
        return _("%(server)s: worse: %(title)s") % {"server": server(), "title": title}
    return _("%(server)s: %(title)s") % {"server": server(), "title": title}


def server() -> str:
    """The name under which this installation speaks."""
    return connections.outgoing().system_name


def link_of(name: str) -> str:
    """The address of the page where it is set right; "" where the project has none."""
    try:
        path = reverse(name or "connections:status")
    except NoReverseMatch:
        return ""
    return str(getattr(settings, "DEPESCHE_BASE_URL", "")).rstrip("/") + path


# --- mail ---------------------------------------------------------------------------------------------------


def _by_mail(telling: AlarmTelling, ways: AlarmWays, now: datetime) -> str:
    if not a_connection_works():
        return _("No connection works just now.")
    occurrence = telling.occurrence
    subject = headline(occurrence.words.get("title", ""), telling.event)
    return write(subject, _text(occurrence), ways, now=now)


def _text(occurrence: AlarmOccurrence) -> str:
    words = occurrence.words
    parts = [words.get("why", "")]
    if occurrence.over_at is None:
        parts.append(words.get("remedy", ""))
    parts.append(link_of(occurrence.link))
    return "\n\n".join(part for part in parts if part) + "\n"


def write(subject: str, text: str, ways: AlarmWays, *, now: datetime) -> str:
    """Put a mail to each administrator into the outbox, or to none; "" or why not. After a day in it, it is
    pointless."""
    to = list(ways.mail_to) or administrators()
    if not to:
        return _("No administrator has an address.")
    headers = {
        "X-Depesche-Category": "account",
        "X-Depesche-Expires": (now + _MAIL_EXPIRES).isoformat(),
        "Auto-Submitted": "auto-generated",
    }
    with transaction.atomic():
        for address in to:
            EmailMessage(subject=subject, body=text, to=[address], headers=headers).send()
    return ""


def administrators() -> list[str]:
    """The addresses of everybody who may administer."""
    staff = people.active_people(staff=True)
    return [address for one in staff if (address := people.address_of(one))]


def a_connection_works() -> bool:
    """Whether a mail could go out now, through the connection or its failover."""
    places = OutgoingConnection.objects.values_list("place", flat=True)
    return any(connections.health(place).flow is Flow.FLOWING for place in places)
