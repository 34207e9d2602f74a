"""A parcel in the hands of the pool."""

from __future__ import annotations

from collections.abc import Callable

from depesche.mailroom.outbox.orders import Parcel
from depesche.smtpclient.errors import SubmissionError
from depesche.smtpclient.transaction import Result


class Handed:
    """What the pool calls when it has finished with a parcel, which it got at `started` (monotonic) while the
    settings of `revision` held."""

    __slots__ = ("outcome", "parcel", "revision", "settled", "started")

    outcome: Result | SubmissionError

    def __init__(
        self, parcel: Parcel, started: float, revision: int, settled: Callable[[Handed], None]
    ) -> None:
        self.parcel = parcel
        self.started = started
        self.revision = revision
        self.settled = settled

    def __call__(self, outcome: Result | SubmissionError) -> None:
        self.outcome = outcome
        self.settled(self)
