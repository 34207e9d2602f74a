"""Whether a signed reply address is still good. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

from depesche.tracker.threads.tokens import Thread


class Validity(Enum):
    """What a genuine token is worth now."""

    GOOD = "good"
    EXPIRED = "expired"
    REVOKED = "revoked"


def validity(
    thread: Thread, *, revoked_until: datetime | None, lifetime: timedelta | None, now: datetime
) -> Validity:
    """`revoked_until`: the last revocation that concerns it; `lifetime` None: for ever.

    Seconds are the finest that a token knows: one made in the very second of a revocation is void.
    """
    if thread.made_at is None:
        return Validity.EXPIRED  # it names a person, but not when: nothing that we make now
    if revoked_until is not None and thread.made_at <= int(revoked_until.timestamp()):
        return Validity.REVOKED
    if lifetime is not None and now.timestamp() - thread.made_at > lifetime.total_seconds():
        return Validity.EXPIRED
    return Validity.GOOD
