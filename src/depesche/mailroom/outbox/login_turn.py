"""Who may log in to the SMTP server just now: a login that fails is tried once a back-off step, by one
worker.

Ten wrong passwords lock an account, and a provider that has revoked a token counts them too. Strategy. A
login that worked within the last seconds, anywhere, says that another one may follow at once. Without that,
one login at a time: whoever has the turn tries, the others wait until it has worked or the connection
rests. While the connection rests, one worker takes the probe that is due, and the others leave it alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.db.models import Q
from django.utils import timezone

from depesche.mailroom.connections import health_actions
from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections.queries import Flow, OutgoingSettings
from depesche.mailroom.outbox import identity
from depesche.mailroom.outbox.models import LoginTurn
from depesche.smtpclient.errors import Cause, Stage, SubmissionError

PROVEN = timedelta(seconds=5)
LEASE = timedelta(seconds=60)  # of one login; a server may take its time
AFTER_FAILURE = timedelta(seconds=3)  # until the desk has written down that the connection rests
_LOOK = 0.05
_PAUSE = 0.5  # before a mail that must not be tried goes back


class Answer(enum.Enum):
    """GO: log in. WAIT: another one does, look again. REST: the connection rests."""

    GO = "go"
    WAIT = "wait"
    REST = "rest"


def ask(
    place: int, owner: str, revision: int, *, impatient: bool = False, now: datetime | None = None
) -> Answer:
    """Whether this worker may log in now. `impatient`: a person waits for a probe, whatever its time."""
    now = now or timezone.now()
    health = connections.health(place)
    if health.flow is Flow.PAUSED:
        due = health.next_probe_at is None or health.next_probe_at <= now
        if not (due or impatient):
            return Answer.REST
        ours = health_actions.take_probe(place, seen=health.next_probe_at, until=now + LEASE)
        return Answer.GO if ours else Answer.REST
    row, _made = LoginTurn.objects.get_or_create(place=place)
    if row.revision == revision and row.worked_at is not None and row.worked_at > now - PROVEN:
        return Answer.GO
    # other settings: what failed may work now
    free = Q(until=None) | Q(until__lt=now) | ~Q(revision=revision)
    if identity.dead_among([row.owner]):
        free |= Q(owner=row.owner)
    mine = LoginTurn.objects.filter(free, pk=row.pk)
    taken = {"owner": owner, "until": now + LEASE, "revision": revision, "worked_at": None}
    return Answer.GO if mine.update(**taken) else Answer.WAIT


def worked(place: int, owner: str, revision: int) -> None:
    """A login has worked: others may follow at once."""
    row = LoginTurn.objects.filter(place=place)
    row.update(worked_at=timezone.now(), revision=revision)
    row.filter(owner=owner).update(until=None)


def failed(place: int, owner: str) -> None:
    """A login has not worked. The turn is kept for a moment, so that those who wait see the connection
    rest."""
    now = timezone.now()
    LoginTurn.objects.filter(place=place, owner=owner).update(until=now + AFTER_FAILURE)
    LoginTurn.objects.filter(place=place).update(worked_at=None)


def put_back(place: int, owner: str, asked_at: datetime) -> None:
    """What was given to this owner then is not used to its end: it is somebody else's soon."""
    soon = timezone.now() + AFTER_FAILURE
    if not LoginTurn.objects.filter(place=place, owner=owner, until__gt=soon).update(until=soon):
        health_actions.put_back_probe(place, taken_until=asked_at + LEASE, at=soon)


class LoginGuard:
    """The same for the event loop of one worker: `async with guard():` around each login."""

    def __init__(self, settings: Callable[[], OutgoingSettings], impatient: Callable[[], bool]) -> None:
        self._settings = settings
        self._impatient = impatient
        self._good = (-1, 0.0)  # the revision with which a login of ours worked last, and when

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[None]:
        settings = self._settings()
        place, revision = settings.place, settings.revision
        fresh = self._good[0] == revision and time.monotonic() < self._good[1] + PROVEN.total_seconds()
        owner, asked_at = ("", None) if fresh else await self._turn(place, revision)
        try:
            yield
        except asyncio.CancelledError:
            if asked_at is not None:
                await _kept(_in_thread(put_back, place, owner, asked_at))
            raise
        except BaseException:
            self._good = (-1, 0.0)
            with contextlib.suppress(DatabaseError):
                await asyncio.shield(_in_thread(failed, place, owner))
            raise
        self._good = (revision, time.monotonic())
        if owner:
            with contextlib.suppress(DatabaseError):  # then the lease decides
                await _in_thread(worked, place, owner, revision)

    async def _turn(self, place: int, revision: int) -> tuple[str, datetime]:
        """Wait for it; the name under which it is held, and since when. Raises SubmissionError where the
        connection rests."""
        owner, why = identity.new_owner(), "the connection rests"
        while True:
            now = timezone.now()
            asking = asyncio.ensure_future(
                _in_thread(ask, place, owner, revision, impatient=self._impatient(), now=now)
            )
            try:
                answer = await asyncio.shield(asking)
            except asyncio.CancelledError:
                # The thread asks on, and what it gets must not be kept from the others by nobody.
                await _kept(_put_back_if_given(asking, place, owner, now))
                raise
            except DatabaseError as error:
                answer, why = Answer.REST, f"the database does not answer: {error}"
            if answer is Answer.GO:
                return owner, now
            if answer is Answer.REST:
                await asyncio.sleep(_PAUSE)
                raise SubmissionError(Stage.AUTH, Cause.ABORTED, detail=why)
            await asyncio.sleep(_LOOK)


async def _put_back_if_given(
    asking: asyncio.Future[Answer | None], place: int, owner: str, asked_at: datetime
) -> None:
    if await asking is Answer.GO:
        await _in_thread(put_back, place, owner, asked_at)


async def _kept(work: Coroutine[object, object, object]) -> None:
    """Do it though we are cancelled. Where the database fails, the lease decides."""
    with contextlib.suppress(DatabaseError):
        await asyncio.shield(asyncio.ensure_future(work))


async def _in_thread(work: Callable[..., Answer | None], *words: object, **more: object) -> Answer | None:
    def run() -> Answer | None:
        try:
            return work(*words, **more)
        finally:
            connection.close()

    return await asyncio.to_thread(run)
