"""From what was claimed to what the loop gets: still permitted, with its content, and how it went before.

In the desk's thread; reads the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from depesche.mailroom.outbox import queue, rights
from depesche.mailroom.outbox.contents import Contents
from depesche.mailroom.outbox.orders import Parcel
from depesche.mailroom.outbox.queue import Claimed, Recorded
from depesche.mailroom.outbox.states import State

_NO_CONTENT = "The content is no longer there."


def parcels(
    taken: list[Claimed], check: rights.Check | None, held: Contents, now: datetime
) -> tuple[list[Parcel], list[Recorded]]:
    """What can be submitted, and what is to be written down about the rest."""
    permitted, settled = rights.permitted(check, taken, now)
    contents = held.of([one.message_id for one in permitted])
    before = queue.rewritten_before(permitted)
    made = []
    for one in permitted:
        content = contents.get(one.message_id)
        if content is not None and content.octets:
            made.append(Parcel(one, content, before.get(one.id)))
        else:  # erased, or removed together with its message
            settled.append(Recorded(one.id, one.attempt, State.FAILED, reply=_NO_CONTENT, stage="content"))
    return made, settled


def given_back(taken: Sequence[Claimed], now: datetime) -> list[Recorded]:
    """All of it back to the queue: no server has heard of it."""
    return [Recorded(one.id, one.attempt, State.QUEUED, try_at=now, counts=False) for one in taken]


def soonest(written: Sequence[Recorded]) -> datetime | None:
    """When the first of these is due again; None where nothing of it is."""
    waiting = (State.QUEUED, State.DEFERRED)
    return min((one.try_at for one in written if one.try_at and one.state in waiting), default=None)
