"""How fast mails are decided, so that enough of them is held ready and no more. Pure: the time is given."""

from __future__ import annotations

_WINDOW = 0.02  # seconds that a faster rate must have lasted to be believed
_REST = 0.25  # seconds without a decision after which it is measured anew


class Tempo:
    """Mails a second, lately: quick to rise, since whoever waits for work wastes time, and slow to fall."""

    def __init__(self) -> None:
        self.rate = 0.0
        self._count = 0
        self._since = 0.0
        self._last = 0.0

    def decided(self, count: int, now: float) -> bool:
        """So many more were decided, at `now` (monotonic seconds). True: it is faster than was known."""
        rested, self._last = now - self._last > _REST, now
        if rested:  # how long nothing went on says nothing about how fast it goes
            self._count, self._since = 0, now
            return False
        self._count += count
        seconds = now - self._since
        if seconds < _WINDOW or self._count <= self.rate * seconds:
            return False
        self._measured(now)
        return True

    def tick(self, now: float) -> None:
        """Call it a few times a second: so it falls as well."""
        if now - self._since >= _REST / 2:
            self._measured(now)

    def _measured(self, now: float) -> None:
        fresh = self._count / (now - self._since)
        self.rate = fresh if fresh > self.rate else (self.rate + fresh) / 2
        self._count, self._since = 0, now


class Rate:
    """How many a second, for people to read: from a count that grows, smoothed over some seconds."""

    def __init__(self, now: float) -> None:
        self._rate = 0.0
        self._mark, self._count = now, 0

    def of(self, count: int, now: float) -> float:
        """`count` in all, at `now` (monotonic seconds). Zero at once when nothing came for a second."""
        seconds = now - self._mark
        if seconds >= 1.0:
            fresh = (count - self._count) / seconds
            self._rate = fresh if fresh == 0 or self._rate == 0 else (self._rate + 2 * fresh) / 3
            self._mark, self._count = now, count
        return self._rate
