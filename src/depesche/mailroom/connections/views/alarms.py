"""The page of the alarms: what is wrong now, who is told, and what was wrong lately."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from depesche.mailroom.connections import alarms
from depesche.mailroom.connections.alarms import Alarm, Level
from depesche.mailroom.connections.views.common import is_htmx, resolved, saved
from depesche.mailroom.connections.watching import actions, queries, trial
from depesche.mailroom.connections.watching.forms import AlarmForm
from depesche.mailroom.pages.rights import administrators_only

_PAGE = "depesche/connections/alarms.html"
_TRIED = "depesche/connections/alarms_tried.html"


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def page(request: HttpRequest) -> HttpResponse:
    """Show, save, delete what is stored, or tell a test alarm with what stands in the form."""
    ways = queries.alarm_ways()
    if request.method != "POST":
        return _page(request, AlarmForm(ways=ways))
    if request.POST.keys() & {"clear_webhook", "clear_secret"}:
        return _clear(request)
    form = AlarmForm(request.POST, ways=ways)
    if not form.is_valid():
        if is_htmx(request):
            return render(request, _TRIED, {"form": form, "refused": True})
        return _page(request, form, status=422)
    if "test" in request.POST:
        tried = trial.tell(form, now=timezone.now())
        if is_htmx(request):
            return render(request, _TRIED, {"tried": tried})
        return _page(request, form, tried=tried)
    if not saved(form, lambda: actions.save_alarm_form(form, by=request.user)):
        return _page(request, form, status=422)
    messages.success(request, _("Saved. It holds from the next look on, within half a minute."))
    return redirect("connections:alarms")


def _clear(request: HttpRequest) -> HttpResponse:
    webhook = "clear_webhook" in request.POST
    actions.save_alarm_ways({}, by=request.user, clear_webhook=webhook, clear_secret=not webhook)
    messages.success(
        request,
        _("The webhook was deleted: alarms no longer go there.")
        if webhook
        else _("The secret was deleted: alarms are no longer signed."),
    )
    return redirect("connections:alarms")


def _page(
    request: HttpRequest, form: AlarmForm, *, tried: list[trial.Tried] | None = None, status: int = 200
) -> HttpResponse:
    found = alarms.current(timezone.now())
    context = {
        "form": form,
        "ways": queries.alarm_ways(),
        "alarms": [shown(alarm) for alarm in found],
        "worst": found[0].level.value if found else "",
        "critical": sum(1 for alarm in found if alarm.level is Level.CRITICAL),
        "occurrences": queries.occurrences(),
        "tried": tried,
    }
    return render(request, _PAGE, context, status=status)


def shown(alarm: Alarm) -> dict[str, object]:
    """An alarm as the to-do lists show it."""
    return {
        "words": alarm.words,
        "tone": "fail" if alarm.level is Level.CRITICAL else "wait",
        "icon": "fail" if alarm.level is Level.CRITICAL else "warn",
        "since": alarm.since,
        "url": resolved(alarm.link),
        "code": alarm.code,
    }
