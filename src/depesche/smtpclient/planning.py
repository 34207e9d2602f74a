"""How many connections to open or give up: decided purely, from numbers. The pool acts on it."""

from __future__ import annotations

from dataclasses import dataclass

_REGROW_AT_MOST = 16  # times the first pause


@dataclass(frozen=True, slots=True)
class Situation:
    """What the decision needs to know. `ready` counts sessions that can take transactions, `opening` those on
    their way there, `leaving` those that only say good-bye and still count against the cap; `proven`: a
    session was opened, or is open, since anything last failed."""

    waiting: int  # messages that no session has taken
    under_way: int  # messages taken and not decided
    ready: int
    opening: int
    effective: int
    proven: bool
    leaving: int = 0


def connections_to_open(now: Situation) -> int:
    """How many more to begin opening at this moment.

    A pipelined session takes two messages at a time, so one connection for two is enough. As long as nothing
    proves that a login works, only one connection tries: ten wrong passwords at once lock an account.
    """
    if not now.waiting:
        return 0
    total = now.ready + now.opening
    wanted = max(1, -(-(now.waiting + now.under_way) // 2))
    if not now.proven:
        wanted = min(wanted, now.ready + 1)
    return max(0, min(wanted, now.effective - now.leaving) - total)


@dataclass(slots=True)
class Cap:
    """The number of connections in force: shrinks when the server says "too many", and grows back by one
    after each pause. Each refusal doubles the pause, up to 16 times; a full recovery forgets that."""

    configured: int
    pause: float = 60.0
    _lowered_to: int | None = None
    _since: float = 0.0
    _factor: int = 1

    def effective(self, now: float) -> int:
        if self._lowered_to is None:
            return self.configured
        grown = self._lowered_to + int((now - self._since) / (self.pause * self._factor))
        if grown >= self.configured:
            self._lowered_to = None
            self._factor = 1
            return self.configured
        return max(1, grown)

    def shrink(self, to: int, now: float) -> None:
        """The server accepts at most so many at the moment. Never below 1."""
        if self._lowered_to is not None:
            self._factor = min(self._factor * 2, _REGROW_AT_MOST)
        lower = max(1, min(to, self.effective(now)))
        if lower < self.configured:
            self._lowered_to, self._since = lower, now

    def next_growth(self, now: float) -> float | None:
        """Seconds until one more is permitted; None when nothing was taken away."""
        if self.effective(now) >= self.configured:
            return None
        step = self.pause * self._factor
        return step - (now - self._since) % step


@dataclass(slots=True)
class Pace:
    """At most so many messages a second, over time: after a pause, as many as one second brings may go at
    once."""

    per_second: float | None
    _credit: float = 1.0
    _at: float = 0.0

    def wait(self, now: float) -> float:
        """Seconds until the next message may begin; 0: now, and it is counted."""
        if self.per_second is None:
            return 0.0
        most = max(1.0, self.per_second)
        self._credit = min(most, self._credit + (now - self._at) * self.per_second)
        self._at = now
        if self._credit >= 1.0:
            self._credit -= 1.0
            return 0.0
        return (1.0 - self._credit) / self.per_second
