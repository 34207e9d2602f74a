"""When mail does not flow, or soon will not: one registry that page, banner, `check`, `/readyz` and the ways
out of alarm all read.

Each room says in its AppConfig.ready() what it watches:

    alarms.register("certificates", watch.certificates)     # source(now) -> list[Alarm]

A source looks and answers; it keeps nothing and tells nobody. It must be cheap: a page of an administrator
asks all of them. An alarm is over when its source no longer names it. What is said about a code stands in
alarm_texts.py, in both languages.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from depesche.mailroom.connections import alarm_texts
from depesche.mailroom.connections.alarm_texts import Words

log = logging.getLogger(__name__)

Fact = str | int | float | datetime | None
_KEPT = timedelta(seconds=5)


class Level(StrEnum):
    """How bad it is. CRITICAL: mail stands still, or may be lost to sight. WARNING: it will, unless somebody
    does something, or something needs a decision."""

    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True)
class Alarm:
    """One thing that is wrong now.

    `facts` fill the text and go out by webhook: never a secret, never the content of a mail; texts among them
    stand in the language in force. `since` is when it began, as far as that is known. `link` names the URL
    pattern of the page where it is set right. `about` tells two alarms of one code apart (a fingerprint, a
    host, the number of a connection) and stays the same while it is the same occurrence.
    """

    code: str
    level: Level
    facts: Mapping[str, Fact] = field(default_factory=dict)
    since: datetime | None = None
    link: str = ""
    about: str = ""

    @property
    def key(self) -> str:
        """What makes two sightings one occurrence; at most 200 characters."""
        return f"{self.code}:{self.about}"[:200] if self.about else self.code

    @property
    def words(self) -> Words:
        """What is the case, why, and what to do, in the language in force."""
        return alarm_texts.words(self.code, self.facts)


Source = Callable[[datetime], Iterable[Alarm]]

_sources: dict[str, tuple[int, Source]] = {}
_kept: tuple[datetime, str, list[Alarm]] | None = None


def register(name: str, source: Source, *, order: int = 50) -> None:
    """Add what a room watches; the same name again replaces it. Of alarms that are equally bad and old, those
    of the lowest `order` come first."""
    _sources[name] = (order, source)
    forget()


def current(now: datetime) -> list[Alarm]:
    """Everything that is wrong now, the worst and the oldest first. A source that fails is an alarm itself.

    Two sightings with one key are one: the first counts.
    """
    found: dict[str, Alarm] = {}
    for name, (_order, source) in sorted(_sources.items(), key=lambda one: one[1][0]):
        try:
            seen = list(source(now))
        except Exception:
            log.exception("What %s watches could not be looked at.", name)
            seen = [Alarm("source-failed", Level.WARNING, {"source": name}, about=name)]
        for alarm in seen:
            found.setdefault(alarm.key, alarm)
    return sorted(found.values(), key=lambda one: (one.level is Level.WARNING, one.since or now))


def lately(now: datetime, language: str) -> list[Alarm]:
    """The same for a banner on every page: at most five seconds old in this process, and looked at anew once
    `forget` was called."""
    global _kept  # noqa: PLW0603  one process, one view of what is wrong
    kept = _kept
    if kept is None or kept[1] != language or not kept[0] <= now < kept[0] + _KEPT:
        kept = _kept = (now, language, current(now))
    return kept[2]


def forget() -> None:
    """Something was changed that may have ended an alarm."""
    global _kept  # noqa: PLW0603  see above
    _kept = None
