"""The eleven steps of one test, one after the other, in asyncio. No database, no secret in what it yields."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace

from depesche.mailroom.connections.diagnosis import offering, reaching
from depesche.mailroom.connections.diagnosis.causes import SILENT
from depesche.mailroom.connections.diagnosis.course import Course, Stopped, short
from depesche.mailroom.connections.diagnosis.plan import Plan
from depesche.mailroom.connections.diagnosis.steps import Outcome, Step, StepName, order, scrubbed, skipped
from depesche.smtpclient.errors import Cause as Failure
from depesche.smtpclient.errors import SubmissionError

_SLACK = 6.0  # seconds that a step gets beyond the client's own limits, for the questions after a failure

_TAKEN_BY: dict[StepName, Callable[[Course], Awaitable[Step]]] = {
    StepName.RESOLVE: reaching.resolve,
    StepName.CONNECT: reaching.connect,
    StepName.GREETING: reaching.greeting,
    StepName.CAPABILITIES: reaching.capabilities,
    StepName.TLS: reaching.tls,
    StepName.LOGIN: reaching.login,
    StepName.MAIL_FROM_SYSTEM: offering.mail_from_system,
    StepName.MAIL_FROM_USER: offering.mail_from_user,
    StepName.RECIPIENT: offering.recipient,
    StepName.CONTENT: offering.content,
    StepName.ARRIVAL: offering.arrival_step,
}
_UNSPOKEN = {StepName.RESOLVE: Failure.NAME_LOOKUP_FAILED.value, StepName.CONNECT: Failure.TIMEOUT.value}


class Walk:
    """One test. `started` is told which step is under way; setting `stop` ends what blocks in a thread."""

    def __init__(self, plan: Plan, *, started: Callable[[StepName], None], stop: threading.Event) -> None:
        self.plan = plan
        self.names = order(implicit_tls=plan.config.implicit_tls)
        self.course = Course(plan, stop)
        self._started = started
        self._early: dict[StepName, tuple[Step, bool]] = {}

    async def steps(self) -> AsyncGenerator[Step, None]:
        """All steps in their order; those that were not reached are skipped."""
        ended = walked = False
        course = self.course
        if self.plan.mailbox_first is not None:
            self._started(StepName.LOGIN)
            if (early := await reaching.mailbox_login_first(course)) is not None:
                self._early[StepName.LOGIN] = early, early.outcome is Outcome.FAILED
        try:
            for name in self.names:
                if ended:
                    yield skipped(name)
                    continue
                if name in self._early:
                    step, ended = self._early.pop(name)
                elif name is StepName.MAIL_FROM_USER:
                    step, ended = await self._mail_from_user()
                else:
                    step, ended = await self._take(name)
                yield scrubbed(step, self.plan.secrets)
            walked = True
        finally:
            with contextlib.suppress(SubmissionError, OSError):
                # Whoever stopped the test does not want to wait for an answer that is still due.
                await (course.session.quit() if walked else course.session.abort())

    async def _mail_from_user(self) -> tuple[Step, bool]:
        """The step that may need the next two: whether a refusal is meant for the From shows only beside what
        the server says to the same mail From the system address."""
        name = StepName.MAIL_FROM_USER
        step, ended = await self._take(name)
        if ended or not self.course.undecided:
            return step, ended
        system_passes = False
        for later in (StepName.RECIPIENT, StepName.CONTENT):
            found, stopped = await self._take(later)
            self._early[later] = found, stopped
            system_passes = later is StepName.CONTENT and found.outcome is Outcome.OK
            if stopped:
                break
        if not system_passes:
            return skipped(name, offering.no_mail_passes()), False
        return step, False

    async def _take(self, name: StepName) -> tuple[Step, bool]:
        self._started(name)
        course = self.course
        course.extra, mark, begun = [], len(course.transcript.lines), time.perf_counter()
        try:
            async with asyncio.timeout(self._limit(name)):
                step, ended = await _TAKEN_BY[name](course), False
        except Stopped as stopped:
            step, ended = stopped.step, True
        except SubmissionError as error:
            step, ended = Step(name, Outcome.FAILED, fact=_said(error), cause=course.cause_of(error)), True
        except TimeoutError:
            cause = course.explain(_UNSPOKEN.get(name, SILENT))
            step, ended = Step(name, Outcome.FAILED, cause=cause), True
        except ValueError as error:
            cause = course.explain("unknown", detail=str(error))
            step, ended = Step(name, Outcome.FAILED, cause=cause), True
        ms = round((time.perf_counter() - begun) * 1000)
        lines = (*course.extra, *course.transcript.lines[mark:])
        return replace(step, ms=ms if step.outcome is not Outcome.SKIPPED else None, transcript=lines), ended

    def _limit(self, name: StepName) -> float | None:
        if name is StepName.ARRIVAL:
            return None  # it has its own deadline, in a thread
        # Two questions in one step: the envelope's sender, and a whole mail with that From.
        times = 2 if name is StepName.MAIL_FROM_USER else 1
        return times * self.plan.seconds + _SLACK


def _said(error: SubmissionError) -> str:
    return short(error.reply) if error.reply is not None else error.detail[:300]
