"""How much goes out over one connection and in a minute, and what a server's CHUNKING is worth: the part of
the settings that particular servers need. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from depesche.smtpclient.config import Limits

MESSAGES_PER_CONNECTION, MOST_PER_CONNECTION = 1000, 100_000
MOST_PER_MINUTE = 1_000_000
WINDOW, WIDEST_WINDOW = 4, 16
CHUNKING_RESTS = timedelta(days=30)
"""So long CHUNKING is left alone at a server that announced it and then failed it."""


@dataclass(frozen=True)
class Volume:
    """`messages_per_minute` None: no limit; it holds for all workers together. `window`: transactions under
    way at once with CHUNKING; 1: never CHUNKING, which would not be faster than DATA then."""

    messages_per_connection: int = MESSAGES_PER_CONNECTION
    messages_per_minute: int | None = None
    window: int = WINDOW

    def values(self) -> dict[str, Any]:
        """By the keys of `connection set`."""
        return {
            "messages_per_connection": self.messages_per_connection,
            "messages_per_minute": self.messages_per_minute or "",
            "chunking_window": self.window,
        }

    def limits(self, *, chunking: bool = True) -> Limits:
        """For the client; the pace is set apart, since it is shared with other workers."""
        return Limits(
            messages_per_connection=self.messages_per_connection,
            window=self.window,
            chunking=chunking and self.window > 1,
        )

    def per_second(self, part: float) -> float | None:
        """The pace of a worker that has this part of all connections."""
        if self.messages_per_minute is None:
            return None
        return max(self.messages_per_minute / 60 * part, 1e-6)


def chunking_rests(failed_at: datetime | None, failed_with: str, server: str, now: datetime) -> bool:
    """Whether CHUNKING is left alone: this very server has failed it lately."""
    return failed_at is not None and failed_with == server and now < failed_at + CHUNKING_RESTS
