"""The cap in force: what is configured, or less since the server asked for fewer connections (M17).

Used by the desk's thread alone. What was learnt stands in the database, for all workers and the page.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime

from depesche.mailroom.connections import health_actions
from depesche.mailroom.outbox import retry
from depesche.mailroom.outbox.queries import slots_used

log = logging.getLogger(__name__)
GROW_SECONDS = 60.0


class Ceiling:
    """`effective` None: as many as are configured. Grows back step by step."""

    def __init__(self, place: int) -> None:
        self.effective: int | None = None
        self._place = place
        self._grow_at = 0.0  # monotonic; 0: there is nothing to grow

    def cap(self, configured: int) -> int:
        return max(1, min(configured, self.effective or configured))

    def lower(self, cap: int, now: datetime) -> None:
        """The server permits no more than there are; `cap` was in force."""
        lower = retry.smaller_cap(slots_used(now, place=self._place), cap)
        log.info("The server permits no more connections: at most %d for now.", lower)
        health_actions.set_effective_cap(self._place, lower)
        self.effective = lower
        self._grow_at = time.monotonic() + GROW_SECONDS

    def grow(self, configured: int) -> None:
        """The next step up, where its time has come. Call it now and then."""
        if self.effective is None or self.effective >= configured:
            self._grow_at = 0.0
        elif not self._grow_at:
            self._grow_at = time.monotonic() + GROW_SECONDS
        elif time.monotonic() >= self._grow_at:
            cap = retry.larger_cap(self.effective, configured)
            health_actions.set_effective_cap(self._place, None if cap >= configured else cap)
            self.effective = cap
            self._grow_at = time.monotonic() + GROW_SECONDS
