"""Who may no longer get a mail: the rights are checked again at each claim, once for the batch.

The check is a function named in the setting DEPESCHE_RIGHTS_CHECK: it gets the claimed recipients that stand
for a person, and answers for whom the mail is withdrawn, and why.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from depesche.mailroom.outbox.categories import Category
from depesche.mailroom.outbox.queue import Claimed, Recorded
from depesche.mailroom.outbox.states import State

log = logging.getLogger(__name__)

_AGAIN = timedelta(minutes=1)


@dataclass(frozen=True)
class ClaimedRef:
    """What the rights check is asked about."""

    recipient_id: int
    person: str
    item: str
    category: Category


Check = Callable[[Sequence[ClaimedRef]], Mapping[int, str]]


def configured() -> Check | None:
    """The check that the project names; None where it names none."""
    name = getattr(settings, "DEPESCHE_RIGHTS_CHECK", "")
    check: Check | None = import_string(name) if name else None
    return check


def permitted(
    check: Check | None, taken: list[Claimed], now: datetime
) -> tuple[list[Claimed], list[Recorded]]:
    """Those who may get their mail, and what is to be written down about the others."""
    asked = [one for one in taken if one.person]
    if check is None or not asked:
        return taken, []
    try:
        refused = check([ClaimedRef(one.id, one.person, one.item, Category(one.category)) for one in asked])
    except Exception:
        # Nobody gets a mail that nobody vouches for: back to the queue for a while.
        log.exception("The rights check failed; these mails wait.")
        connection.close()
        wait = [
            Recorded(one.id, one.attempt, State.QUEUED, try_at=now + _AGAIN, counts=False) for one in asked
        ]
        return [one for one in taken if not one.person], wait
    withdrawn = [
        Recorded(
            one.id,
            one.attempt,
            State.CANCELLED,
            reply=str(refused[one.id])[:500],
            counts=False,
            message_id=one.message_id,
            sensitive=one.sensitive,
        )
        for one in asked
        if one.id in refused
    ]
    return [one for one in taken if one.id not in refused], withdrawn
