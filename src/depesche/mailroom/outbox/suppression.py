"""When an address is no longer tried: the policy for addresses that keep failing. Pure.

Three kinds of permanent failure:

    DEAD    the address itself does not exist (any more), or is disabled: at once
    FULL    the mailbox is full, or nobody could reach its server for days: after SOFT_TIMES failures on
            SOFT_DAYS different days without anything delivered or accepted by a report between
    OTHERS  policy, spam, size, relay: says nothing about the address, however often, and never counts

One limit for the first: where CROWD other addresses of the same domain died within CROWD_WINDOW, its server
is more likely at fault (a directory that is away knows nobody). Then a second failure a day later is waited
for.

Account mails are always tried: somebody waits for them, and they are a way back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from depesche.mailformat.status import find_status

SOFT_TIMES: Final = 5
SOFT_DAYS: Final = 3
SOFT_WINDOW: Final = timedelta(days=30)
CROWD: Final = 5
CROWD_WINDOW: Final = timedelta(hours=1)
SECOND_LOOK: Final = timedelta(days=1)
KEPT: Final = 20  # failures of an address that are remembered


class Kind(StrEnum):
    """What a permanent failure says about the address."""

    DEAD = "dead"
    FULL = "full"
    OTHER = "other"


class Reason(StrEnum):
    """Why an address is suppressed."""

    DEAD = "dead"
    FAILING = "failing"


@dataclass(frozen=True)
class Failure:
    """One mail that failed for good. `mail` names it, so that two reports about it count once."""

    at: datetime
    kind: Kind
    mail: int


_DEAD: Final = frozenset({(1, 0), (1, 1), (1, 2), (1, 3), (1, 6), (1, 10), (2, 1)})
_FULL: Final = frozenset({(2, 0), (2, 2), (4, 1), (4, 2), (4, 3), (4, 4), (4, 7), (3, 1)})
_WORDS_OF_DEAD: Final = re.compile(
    r"user unknown|unknown (?:user|recipient|mailbox)|no such (?:user|recipient|mailbox|address)|"
    r"(?:user|recipient|mailbox|address|account)(?: \S{1,80})? "
    r"(?:does not exist|doesn't exist|not found|unknown)|"
    r"mailbox (?:unavailable|disabled|not available)|account (?:is )?(?:disabled|closed|inactive)|"
    r"unbekannter (?:benutzer|empf)|existiert nicht",
    re.IGNORECASE,
)
_WORDS_OF_FULL: Final = re.compile(
    r"quota|mailbox (?:is )?full|over ?quota|postfach (?:ist )?voll", re.IGNORECASE
)
_WORDS_OF_POLICY: Final = re.compile(
    r"spam|blocked|blacklist|block list|blocklist|policy|relay|denied|dmarc|spf|dkim|reputation|too large|"
    r"not (?:accepted|permitted|allowed|authori[sz]ed)",
    re.IGNORECASE,
)


def kind_of(status: str, words: str) -> Kind:
    """What a permanent failure says about the address: by its enhanced status code, else by the words."""
    found = find_status(status or words[:1000])
    said = (found.subject, found.detail) if found is not None else (0, 0)
    if said != (0, 0):
        if said in _DEAD:
            # 5.1.0 is also said of senders that are not liked.
            vague = said == (1, 0) and not _WORDS_OF_DEAD.search(words[:1000])
            return Kind.OTHER if vague else Kind.DEAD
        return Kind.FULL if said in _FULL else Kind.OTHER
    if _WORDS_OF_POLICY.search(words[:1000]):
        return Kind.OTHER
    if _WORDS_OF_FULL.search(words[:1000]):
        return Kind.FULL
    return Kind.DEAD if _WORDS_OF_DEAD.search(words[:1000]) else Kind.OTHER


def with_failure(known: Sequence[Failure], new: Failure) -> tuple[Failure, ...]:
    """The failures with one more, oldest first; each mail once, the oldest forgotten."""
    if new.kind is Kind.OTHER or any(one.mail == new.mail for one in known):
        return tuple(known)
    return tuple(sorted((*known, new), key=lambda one: one.at))[-KEPT:]


def decide(failures: Sequence[Failure], now: datetime, *, dying_beside: int = 0) -> Reason | None:
    """Whether these failures, since mail last arrived, end all further tries.

    `dying_beside`: how many other addresses of the domain were found dead within CROWD_WINDOW.
    """
    dead = [one.at for one in failures if one.kind is Kind.DEAD]
    if dead and (dying_beside < CROWD or max(dead) - min(dead) >= SECOND_LOOK):
        return Reason.DEAD
    lately = [one.at for one in failures if now - one.at <= SOFT_WINDOW]
    if len(lately) >= SOFT_TIMES and len({at.date() for at in lately}) >= SOFT_DAYS:
        return Reason.FAILING
    return None
