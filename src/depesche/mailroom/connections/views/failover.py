"""The page of the failover: a second connection, used while the first one rests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from depesche.mailroom.connections import actions, figures, ports, queries
from depesche.mailroom.connections.actions import InvalidSettings
from depesche.mailroom.connections.diagnosis import records
from depesche.mailroom.connections.diagnosis.pauses import reason_of_pause
from depesche.mailroom.connections.diagnosis.records import Report
from depesche.mailroom.connections.diagnosis.steps import order
from depesche.mailroom.connections.failover import PLACE, FailoverForm
from depesche.mailroom.connections.forms import changed_fields
from depesche.mailroom.connections.views.common import (
    applied,
    changed_count,
    changes_of,
    failover_card,
    is_htmx,
    keystore_link,
    own_address,
)
from depesche.mailroom.connections.views.outgoing import (
    APPLICABLE,
    PANEL,
    add_errors,
    cap_below,
    chunking_below,
    panel,
    plan_of,
    port_choices,
    port_why,
    run_and_learn,
)
from depesche.mailroom.pages.rights import administrators_only


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def failover(request: HttpRequest) -> HttpResponse:
    """Show the settings; save what stands in the form; delete the stored password."""
    if request.method != "POST":
        return _page(request, _form(None))
    if "clear_password" in request.POST:
        actions.clear_outgoing_password(by=request.user, place=PLACE)
        messages.success(request, _("The stored password was deleted. Nothing else was saved."))
        form = _form(request)
        form.errors.clear()
        return _page(request, form)
    form = _form(request)
    if form.is_valid():
        try:
            actions.save_outgoing_form(form, by=request.user)
        except InvalidSettings as error:
            add_errors(form, error)
        else:
            messages.success(request, _("Saved. Workers use it within 5 seconds."))
            return redirect("connections:failover")
    return _page(request, form, status=422)


@require_POST
@administrators_only
def start_test(request: HttpRequest) -> HttpResponse:
    """Test what stands in the form, saved or not."""
    form = _form(request, for_test=True, changes=changes_of(request, APPLICABLE))
    plan, problem = plan_of(request, form)
    now = timezone.now()
    if plan is None:
        if is_htmx(request):
            context = {"problem": problem, "form": form, "what": "failover", "refused": True}
            return render(request, PANEL, context)
        return _page(request, form, problem=problem, refused=True, status=422)
    names = order(implicit_tls=plan.config.implicit_tls)
    if is_htmx(request):
        key = records.start(
            "failover", names, lambda stop: run_and_learn(plan, stop), by=request.user, now=now
        )
        return panel(request, key)
    report = records.at_once("failover", names, run_and_learn(plan), now=now)
    return _page(request, form, report=report, to=plan.to)


def _form(
    request: HttpRequest | None, *, for_test: bool = False, changes: Mapping[str, str] | None = None
) -> FailoverForm:
    data = applied(request, changes or {}) if request is not None else None
    return FailoverForm(
        data, settings=queries.stored_outgoing(PLACE), mailbox=queries.incoming(), for_test=for_test
    )


def _page(
    request: HttpRequest,
    form: FailoverForm,
    *,
    report: Report | None = None,
    to: str = "",
    problem: str = "",
    refused: bool = False,
    status: int = 200,
) -> HttpResponse:
    settings, health = form.settings, queries.health(PLACE)
    values = form.data if form.is_bound else form.initial
    context: dict[str, Any] = {
        "form": form,
        "settings": settings,
        "first": queries.outgoing(),
        "failover": failover_card(),
        "health": health,
        "reason_of_pause": reason_of_pause(health),
        "cap_below": cap_below(settings.max_connections, figures.outbox(timezone.now()), place=PLACE),
        "chunking_below": chunking_below(PLACE),
        "keystore_below": keystore_link(),
        "port_choices": port_choices(str(values.get("encryption", settings.encryption))),
        "port_defaults": ports.SMTP_DEFAULTS,
        "port_why": port_why(),
        "changed": changed_fields(changed_count(form)),
        "report": report,
        "to": to or request.POST.get("to", "") or own_address(request),
        "problem": problem,
        "refused": refused,
        "what": "failover",
    }
    return render(request, "depesche/connections/failover.html", context, status=status)
