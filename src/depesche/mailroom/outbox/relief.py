"""Between the connection and its failover: which of them gets the mails. Pure.

Strategy. Each has a desk of its own, with its own settings, slots and health. The failover's stands by and
claims nothing until the first one rests. While the first rests it is still looked at: where its fault was
that no session could be opened, it is enough to open one, without any mail; for other faults one mail is
tried, which the failover leaves to it. As soon as the first one works, the failover stands by again. One that
had a fault when it was needed last is looked at in the same way, so that it is known to work before it is
needed again.
"""

from __future__ import annotations

from depesche.mailroom.connections.queries import Flow, Health, OutgoingSettings
from depesche.mailroom.outbox.orders import Orders
from depesche.mailroom.outbox.retry import OPENING

KNOCK_SECONDS = 120.0  # no answer to a knock after that: it is repeated
_OPENING = frozenset(stage.value for stage in OPENING)


def relieves(failover: OutgoingSettings, first: Health) -> bool:
    """Whether the failover has the mails now."""
    return failover.configured and first.flow is Flow.PAUSED


def can_relieve(failover: Orders) -> bool:
    """Whether the failover could take mails now, as far as its desk knows."""
    return failover.config is not None and not failover.paused


def session_tells(stage: str) -> bool:
    """Whether opening a session is enough to see that a fault at this stage is over."""
    return stage in _OPENING
