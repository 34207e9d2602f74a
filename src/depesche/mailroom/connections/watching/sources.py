"""What the connections look at: whether the way out works, and whether the way in brings anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from depesche.mailroom.connections import queries
from depesche.mailroom.connections.alarms import Alarm, Fact, Level
from depesche.mailroom.connections.diagnosis.pauses import cause_of_pause
from depesche.mailroom.connections.failover import PLACE as FAILOVER
from depesche.mailroom.connections.queries import Flow, Health, IncomingSettings, OutgoingSettings
from depesche.mailroom.connections.signing.models import DkimKey, KeyState

_UNREAD = timedelta(minutes=15)  # a mailbox is looked into every minute, after failures every ten
_FORGOTTEN = timedelta(days=3)


def way_out(now: datetime) -> Iterator[Alarm]:
    """No server, or a connection that is paused, with the cause in the reader's language."""
    settings, health = queries.outgoing(), queries.health()
    if health.flow is Flow.UNCONFIGURED:
        yield Alarm("no-server", Level.WARNING, link="connections:outgoing")
    elif health.flow is Flow.PAUSED:
        relieved = queries.place_in_use() == FAILOVER
        yield _rests(
            "failover-in-use" if relieved else "paused",
            Level.WARNING if relieved else Level.CRITICAL,
            settings,
            health,
        )
    failover = queries.health(FAILOVER)
    if failover.flow is Flow.PAUSED:
        yield _rests("failover-paused", Level.WARNING, queries.outgoing(FAILOVER), failover)


def _rests(code: str, level: Level, settings: OutgoingSettings, health: Health) -> Alarm:
    """A connection that is paused, with the cause in the reader's language."""
    cause = cause_of_pause(health)
    return Alarm(
        code,
        level,
        {
            "host": settings.host,
            "port": settings.port,
            "failover": queries.outgoing(FAILOVER).host,
            "cause": cause.code,
            "detail": f"{cause.title}. {cause.sentence}".rstrip(".") + ".",
            "remedy": cause.remedy,
        },
        since=health.since,
        link="connections:failover" if settings.place else "connections:outgoing",
    )


def way_in(now: datetime) -> Iterator[Alarm]:
    """Mailboxes that cannot be read, or that nobody looks into any more."""
    first, *others = queries.mailboxes() or [queries.incoming()]
    if not first.configured and queries.outgoing().items_by_mail:
        yield Alarm("no-mailbox", Level.WARNING, link="connections:incoming")
    for mailbox in (first, *others):
        if mailbox.is_mailbox:
            yield from _mailbox(mailbox, now)


def _mailbox(mailbox: IncomingSettings, now: datetime) -> Iterator[Alarm]:
    looked = mailbox.last_polled_at
    name = mailbox.host if mailbox.place == 0 else f"{mailbox.title} ({mailbox.host})"
    about = str(mailbox.place) if mailbox.place else ""
    link = "connections:incoming"
    if mailbox.last_error:
        facts: dict[str, Fact] = {"host": name, "detail": mailbox.last_error}
        yield Alarm("mailbox-fails", Level.CRITICAL, facts, link=link, about=about)
    elif looked is not None and now - looked > _UNREAD:
        minutes = int((now - looked).total_seconds() // 60)
        facts = {"host": name, "minutes": minutes}
        yield Alarm("mailbox-unread", Level.WARNING, facts, since=looked, link=link, about=about)


def signing(now: datetime) -> Iterator[Alarm]:
    """A key that signs while its record is not in DNS, or one whose record nobody has added."""
    for key in DkimKey.objects.exclude(state=KeyState.RETIRED).order_by("pk"):
        facts = {"selector": key.selector, "domain": key.domain}
        gone = key.checked_at is not None and (key.seen_at is None or key.seen_at < key.checked_at)
        if key.state == KeyState.ACTIVE and gone:
            yield Alarm(
                "dkim-record-gone",
                Level.WARNING,
                facts,
                since=key.seen_at or key.activated_at,
                link="connections:domain",
                about=f"{key.selector}.{key.domain}",
            )
        elif key.state == KeyState.WAITING and now - key.created_at > _FORGOTTEN:
            yield Alarm(
                "dkim-record-missing",
                Level.WARNING,
                facts,
                since=key.created_at,
                link="connections:domain",
                about=f"{key.selector}.{key.domain}",
            )
