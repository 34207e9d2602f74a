"""Reading what the watch knows: frozen values, without the address and the secret of the webhook."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from depesche.mailroom.connections import alarm_texts
from depesche.mailroom.connections.alarms import Level
from depesche.mailroom.connections.watching.models import (
    AlarmOccurrence,
    AlarmSettings,
    AlarmTelling,
    WaitingSample,
    Way,
)


@dataclass(frozen=True)
class AlarmWays:
    """When and how alarms are told. `webhook_host`: what may be shown of the address, "" while there is none.
    `patience` and `late` in minutes."""

    level: str = Level.WARNING
    patience: int = 5
    language: str = ""
    webhook_host: str = ""
    webhook_set_at: datetime | None = None
    has_secret: bool = False
    secret_set_at: datetime | None = None
    mail: bool = False
    mail_to: tuple[str, ...] = ()
    late: int = 15
    failed_per_day: int = 20
    silence: bool = True

    @property
    def ways(self) -> tuple[str, ...]:
        """The ways that are set up."""
        return ((Way.WEBHOOK.value,) if self.webhook_host else ()) + ((Way.MAIL.value,) if self.mail else ())

    @property
    def spoken(self) -> str:
        """The language in which alarms are told."""
        return self.language or settings.LANGUAGE_CODE


@dataclass(frozen=True)
class Told:
    """How far one event was told through one way."""

    way: str
    event: str
    state: str
    attempts: int
    done_at: datetime | None
    next_at: datetime
    error: str

    @property
    def way_label(self) -> str:
        return str(Way(self.way).label)

    @property
    def event_label(self) -> str:
        return str(AlarmTelling.Event(self.event).label)

    @property
    def state_label(self) -> str:
        return str(AlarmTelling.State(self.state).label)


@dataclass(frozen=True)
class OccurrenceRow:
    """One alarm from its beginning to its end (None: it goes on), and who was told."""

    id: int
    code: str
    level: Level
    title: str
    why: str
    began_at: datetime
    over_at: datetime | None
    told: tuple[Told, ...]


def alarm_ways() -> AlarmWays:
    """The settings; their defaults while nobody has saved any."""
    row = AlarmSettings.objects.order_by("pk").first()
    return alarm_ways_of(row) if row is not None else AlarmWays()


def alarm_ways_of(row: AlarmSettings) -> AlarmWays:
    return AlarmWays(
        level=row.level,
        patience=row.patience,
        language=row.language,
        webhook_host=row.webhook_host,
        webhook_set_at=row.webhook_set_at,
        has_secret=row.secret_encrypted is not None,
        secret_set_at=row.secret_set_at,
        mail=row.mail,
        mail_to=tuple(row.mail_to.split()),
        late=row.late,
        failed_per_day=row.failed_per_day,
        silence=row.silence,
    )


def occurrences(limit: int = 50) -> list[OccurrenceRow]:
    """The newest first."""
    rows = AlarmOccurrence.objects.prefetch_related("tellings").order_by("-seen_at", "-pk")[:limit]
    return [
        OccurrenceRow(
            id=row.pk,
            code=row.code,
            level=Level(row.level),
            title=(words := alarm_texts.words(row.code, _facts(row.facts))).title,
            why=words.why,
            began_at=row.began_at,
            over_at=row.over_at,
            told=tuple(
                Told(one.way, one.event, one.state, one.attempts, one.done_at, one.next_at, one.error)
                for one in sorted(row.tellings.all(), key=lambda one: one.pk)
            ),
        )
        for row in rows
    ]


def _facts(stored: Mapping[str, object]) -> dict[str, object]:
    """The facts as the source gave them: JSON has no dates."""
    facts = dict(stored)
    for name, value in stored.items():
        if isinstance(value, str) and value[10:11] == "T" and value[:4].isdigit():
            with contextlib.suppress(ValueError):
                facts[name] = datetime.fromisoformat(value)
    return facts


def waiting_since(start: datetime) -> list[tuple[datetime, int]]:
    """How many mails waited, by time, the oldest first."""
    return list(WaitingSample.objects.filter(at__gte=start).order_by("at").values_list("at", "waiting"))


def is_growing(samples: list[tuple[datetime, int]], *, least: int = 200) -> bool:
    """Whether a queue grows for good: over ten minutes or more it never became much shorter, ends half as
    long again as it began, and is worth the word.

    >>> from datetime import UTC
    >>> at = [datetime(2026, 11, 27, 12, minute, tzinfo=UTC) for minute in range(12)]
    >>> is_growing([(moment, 300 + 50 * number) for number, moment in enumerate(at)])
    True
    >>> is_growing([(moment, 5000 - 50 * number) for number, moment in enumerate(at)])
    False
    """
    if len(samples) < 6 or samples[-1][0] - samples[0][0] < timedelta(minutes=10):
        return False
    counts = [count for _at, count in samples]
    highest = 0
    for count in counts:
        if count < highest * 0.9:
            return False
        highest = max(highest, count)
    return counts[-1] >= least and counts[-1] >= 1.5 * counts[0]
