"""A test that a page started: its steps in the database, so that any web process can show them."""

from __future__ import annotations

import logging
import secrets as chance
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connections, transaction
from django.utils import timezone, translation

from depesche.mailroom.connections.diagnosis.steps import Outcome, Step, StepName, flows
from depesche.mailroom.connections.models import DiagnosisRun

logger = logging.getLogger(__name__)

_KEPT = timedelta(days=1)
_LONGEST = timedelta(minutes=10)  # of a test: afterwards its process must have died
_LOOK = 1.0  # seconds between two looks whether somebody wants it stopped

Walk = Callable[[threading.Event], Iterator[Step]]


@dataclass(frozen=True)
class Report:
    """A test as a page shows it. `running` is the step under way, None once it is over."""

    key: str
    what: str
    started_at: datetime
    names: tuple[StepName, ...]
    steps: tuple[Step, ...]
    done: bool

    @property
    def running(self) -> StepName | None:
        left = self.names[len(self.steps) :]
        return left[0] if left and not self.done else None

    @property
    def failed(self) -> Step | None:
        """The first step that failed."""
        return next((step for step in self.steps if step.outcome is Outcome.FAILED), None)

    @property
    def hints(self) -> int:
        return sum(step.outcome is Outcome.HINT for step in self.steps)

    @property
    def accepted(self) -> bool:
        """Whether the server has taken the test mail."""
        return any(step.name is StepName.CONTENT and step.outcome is Outcome.OK for step in self.steps)

    @property
    def flows(self) -> bool:
        return flows(self.steps)

    def number_of(self, step: Step) -> int:
        """1 for the first."""
        return self.names.index(step.name) + 1


def start(what: str, names: Sequence[StepName], walk: Walk, *, by: Any, now: datetime) -> str:
    """Begin a test in a thread of its own; the key under which its report can be read."""
    DiagnosisRun.objects.filter(started_at__lt=now - _KEPT).delete()
    run = DiagnosisRun.objects.create(
        key=chance.token_urlsafe(24),
        what=what,
        names=[name.value for name in names],
        started_at=now,
        started_by=by,
    )
    language = translation.get_language() or "en"
    thread = threading.Thread(
        target=_write, args=(run.pk, walk, language), name="depesche-test-record", daemon=True
    )
    transaction.on_commit(thread.start)
    return run.key


def at_once(what: str, names: Sequence[StepName], steps: Iterator[Step], *, now: datetime) -> Report:
    """The whole test here and now, for a page without script. Nothing is stored."""
    return Report(key="", what=what, started_at=now, names=tuple(names), steps=tuple(steps), done=True)


def report(key: str, *, by: Any, now: datetime) -> Report | None:
    """The test as far as it has come; None for a key that this person did not get."""
    run = DiagnosisRun.objects.filter(key=key, started_by=by).first()
    if run is None:
        return None
    return Report(
        key=run.key,
        what=run.what,
        started_at=run.started_at,
        names=tuple(StepName(name) for name in run.names),
        steps=tuple(Step.restored(step) for step in run.steps),
        done=run.ended_at is not None or now - run.started_at > _LONGEST,
    )


def stop(key: str, *, by: Any) -> None:
    """End a test early; it notices within about a second."""
    DiagnosisRun.objects.filter(key=key, started_by=by, ended_at=None).update(cancelled=True)


def _write(run_id: int, walk: Walk, language: str) -> None:
    """The thread: each step into the row as soon as it is done."""
    stop_it, over = threading.Event(), threading.Event()
    threading.Thread(
        target=_watch, args=(run_id, stop_it, over), name="depesche-test-stop", daemon=True
    ).start()
    steps: list[dict[str, Any]] = []
    try:
        with translation.override(language):
            for step in walk(stop_it):
                steps.append(step.stored())
                DiagnosisRun.objects.filter(pk=run_id).update(steps=steps)
    except Exception:
        logger.exception("A test of the connection broke off")
    finally:
        over.set()
        DiagnosisRun.objects.filter(pk=run_id).update(steps=steps, ended_at=timezone.now())
        connections.close_all()


def _watch(run_id: int, stop_it: threading.Event, over: threading.Event) -> None:
    try:
        while not over.wait(_LOOK):
            if DiagnosisRun.objects.filter(pk=run_id, cancelled=True).exists():
                stop_it.set()
                return
    finally:
        connections.close_all()
