"""Which settings an accepted mail speaks for: those that it was begun under, however late it ends.

A mail that was claimed before the worker was told of new settings may still go through a session with the old
ones.
"""

from __future__ import annotations

import time

_EVERY = 5.0  # seconds between two notes that the connection works


class Vouching:
    """For one connection of one worker; times are monotonic."""

    def __init__(self) -> None:
        self._ordered_at = 0.0
        self._noted_at = 0.0
        self._vouched_for = 0

    def ordered(self) -> None:
        """The worker is told of new settings now."""
        self._ordered_at = time.monotonic()

    def to_note(self, revision: int, begun: float, *, always: bool) -> int | None:
        """A mail claimed at `begun` was accepted: of which revision it is to be written down that it works.

        0: of none, only that the connection does. None: nothing is to be written down so soon again.
        """
        speaks_for = revision if begun > self._ordered_at else 0
        now = time.monotonic()
        news = speaks_for not in (0, self._vouched_for)
        if not news and not always and now - self._noted_at <= _EVERY:
            return None
        self._noted_at = now
        self._vouched_for = speaks_for or self._vouched_for
        return speaks_for
