"""Running a test: the steps come out one by one, while the test goes on in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Iterator

from django.utils import translation

from depesche.mailroom.connections.diagnosis import causes
from depesche.mailroom.connections.diagnosis.plan import Plan
from depesche.mailroom.connections.diagnosis.steps import Outcome, Step, StepName, order, skipped
from depesche.mailroom.connections.diagnosis.walk import Walk
from depesche.smtpclient.errors import Cause as Failure


def _nobody(name: StepName) -> None:
    pass


def run(
    plan: Plan,
    *,
    started: Callable[[StepName], None] = _nobody,
    stop: threading.Event | None = None,
) -> Iterator[Step]:
    """The eleven steps as they finish. `started` is called, from another thread, when a step begins.

    Setting `stop`, or closing the iterator, cuts the test off: the step under way counts as stopped.
    """
    stop = stop or threading.Event()
    found: queue.Queue[Step | BaseException | None] = queue.Queue()
    cancel = threading.Event()
    worker = threading.Thread(
        target=_work, args=(plan, started, stop, cancel, found), name="depesche-test", daemon=True
    )
    worker.start()
    left = list(order(implicit_tls=plan.config.implicit_tls))
    try:
        while (item := found.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            left.remove(item.name)
            yield item
        if left:  # it was stopped
            with translation.override(plan.language):
                cause = causes.explain(Failure.ABORTED.value)
            yield Step(left[0], Outcome.FAILED, cause=cause)
            yield from map(skipped, left[1:])
    finally:
        stop.set()
        cancel.set()
        worker.join(timeout=5)


def _work(
    plan: Plan,
    started: Callable[[StepName], None],
    stop: threading.Event,
    cancel: threading.Event,
    found: queue.Queue[Step | BaseException | None],
) -> None:
    with translation.override(plan.language):
        try:
            asyncio.run(_walk(plan, started, stop, found))
        except BaseException as error:
            found.put(error)
        else:
            found.put(None)


async def _walk(
    plan: Plan,
    started: Callable[[StepName], None],
    stop: threading.Event,
    found: queue.Queue[Step | BaseException | None],
) -> None:
    async def take() -> None:
        async with contextlib.aclosing(Walk(plan, started=started, stop=stop).steps()) as steps:
            async for step in steps:
                found.put(step)

    task = asyncio.create_task(take())
    while not task.done():
        await asyncio.wait({task}, timeout=0.1)
        if stop.is_set() and not task.done():
            task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
