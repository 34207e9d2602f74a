"""A message in the pool, and who is told what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from depesche.smtpclient.errors import SubmissionError
from depesche.smtpclient.transaction import Envelope, Result
from depesche.smtpclient.wire.content import SharedContent
from depesche.smtpclient.wire.under_way import Transaction

Then = Callable[[Result | SubmissionError], None]


class Job(Transaction):
    """A message in the pool, and who is told what became of it: `then` is called once, from the event loop.

    `again`: a session was lost under it before, and that is enough.
    """

    __slots__ = ("again", "then")

    def __init__(
        self, envelope: Envelope, content: bytes, then: Then, shared: SharedContent | None = None
    ) -> None:
        super().__init__(envelope, content, shared)
        self.then = then
        self.again = False

    @property
    def forsaken(self) -> bool:
        """Whether nobody waits for it any more."""
        return False

    def anew(self) -> Job:
        """The same message for another session, for the last time."""
        fresh = type(self)(self.envelope, self.content, self.then, self.shared)
        fresh.again = True
        return fresh

    def settle(self) -> None:
        """Tell: a result where anything was decided, else the error that ended the session."""
        result = self.result
        assert result is not None
        if result.error is not None and not result.decided:
            self.then(result.error.again())
        else:
            self.then(result)


class Told:
    """Fulfils a future."""

    __slots__ = ("future",)

    def __init__(self, future: asyncio.Future[Result]) -> None:
        self.future = future

    def __call__(self, outcome: Result | SubmissionError) -> None:
        if self.future.done():
            return
        if isinstance(outcome, SubmissionError):
            self.future.set_exception(outcome)
            self.future.exception()  # who has gone away meanwhile is no cause for a warning
        else:
            self.future.set_result(outcome)


class AwaitedJob(Job):
    """A message whose submitter awaits a future, and may have given up."""

    __slots__ = ()
    then: Told

    @property
    def forsaken(self) -> bool:
        return self.then.future.done()
