"""The flow of a test that a page starts: why it cannot begin, its steps one by one, or all of them at once.

With htmx the steps come as they are done; without it the page comes back with the whole test.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from depesche.mailroom.connections.diagnosis import records
from depesche.mailroom.connections.diagnosis.records import Report, Walk
from depesche.mailroom.connections.diagnosis.steps import StepName
from depesche.mailroom.connections.views.common import is_htmx
from depesche.mailroom.pages.rights import administrators_only

_PANEL = "depesche/connections/test_run.html"


@dataclass(frozen=True)
class Wanted:
    """A test that can begin: its steps in their order, the walk through them, and who gets the test mail."""

    names: Sequence[StepName]
    walk: Walk
    to: str = ""


@dataclass(frozen=True)
class Shown:
    """What a page shows of a test: its report, or that it was refused. `problem` says why where that stands
    at no field."""

    report: Report | None = None
    to: str = ""
    refused: bool = False
    problem: str = ""

    @property
    def status(self) -> int:
        """Of the page's answer."""
        return 422 if self.refused else 200


NOTHING = Shown()


def begin(
    request: HttpRequest,
    what: str,
    form: BaseForm,
    wanted: Wanted | None,
    *,
    problem: str,
    page: Callable[[Shown], HttpResponse],
) -> HttpResponse:
    """Begin the test, in the panel or on the page; `wanted` is None where form or `problem` forbid it."""
    if wanted is None:
        if is_htmx(request):
            return render(request, _PANEL, {"problem": problem, "form": form, "what": what, "refused": True})
        return page(Shown(refused=True, problem=problem))
    now = timezone.now()
    if is_htmx(request):
        return _panel(request, records.start(what, wanted.names, wanted.walk, by=request.user, now=now))
    steps = wanted.walk(threading.Event())
    return page(Shown(records.at_once(what, wanted.names, steps, now=now), wanted.to))


@require_safe
@administrators_only
def test_run(request: HttpRequest, key: str) -> HttpResponse:
    """The steps so far, for htmx."""
    return _panel(request, key)


@require_POST
@administrators_only
def stop_test(request: HttpRequest, key: str) -> HttpResponse:
    records.stop(key, by=request.user)
    return _panel(request, key)


def _panel(request: HttpRequest, key: str) -> HttpResponse:
    report = records.report(key, by=request.user, now=timezone.now())
    if report is None:
        raise Http404
    return render(request, _PANEL, {"report": report, "what": report.what})
