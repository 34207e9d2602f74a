"""What the pages of the connection and of its failover share: the test, and what stands below the fields."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _

from depesche.mailroom.connections import access, ports, queries, validation
from depesche.mailroom.connections.diagnosis.plan import Plan, learn, plan_test
from depesche.mailroom.connections.diagnosis.running import run
from depesche.mailroom.connections.diagnosis.steps import Step, order
from depesche.mailroom.connections.figures import OutboxFigures
from depesche.mailroom.connections.forms import CAP, OutgoingForm, changed_fields
from depesche.mailroom.connections.views import runs
from depesche.mailroom.connections.views.common import (
    changed_count,
    failover_card,
    keystore_link,
    mail_context,
    own_address,
    own_name,
)
from depesche.mailroom.connections.views.runs import Shown, Wanted

APPLICABLE = frozenset(
    {"host", "encryption", "port", "auth", "username", "allow_clear_password", "system_address", "sender"}
    | {CAP}
)
"""The settings that a remedy may change."""


def begin_test(
    request: HttpRequest, what: str, form: OutgoingForm, page: Callable[[Shown], HttpResponse]
) -> HttpResponse:
    """Test what stands in the form, saved or not."""
    plan, problem = _plan_of(request, form)
    wanted = None
    if plan is not None:
        names = order(implicit_tls=plan.config.implicit_tls)
        wanted = Wanted(names, lambda stop: _run_and_learn(plan, stop), plan.to)
    return runs.begin(request, what, form, wanted, problem=problem, page=page)


def _plan_of(request: HttpRequest, form: OutgoingForm) -> tuple[Plan | None, str]:
    """The test that is wanted, or why it cannot be made."""
    try:
        to = validation.address(request.POST.get("to", ""))
        if not to:
            raise ValidationError(_("Enter the address that gets the test mail."))
    except ValidationError as error:
        return None, " ".join(error.messages)
    if not form.is_valid():
        return None, ""
    try:
        return (
            plan_test(
                form.as_settings(),
                to=to,
                user_address=own_address(request),
                user_name=own_name(request),
                password=form.cleaned_data["password"],
            ),
            "",
        )
    except access.NotConfigured as error:
        return None, str(error)


def _run_and_learn(plan: Plan, stop: threading.Event) -> Iterator[Step]:
    """The steps; at their end, what they have found out is kept."""
    steps = []
    for step in run(plan, stop=stop):
        steps.append(step)
        yield step
    learn(plan, steps, now=timezone.now())


def context_of(
    request: HttpRequest, form: OutgoingForm, test: Shown, stands: OutboxFigures | None
) -> dict[str, Any]:
    """What both pages show; `stands`: the outbox now."""
    settings = form.settings
    values = form.data if form.is_bound else form.initial
    return {
        **mail_context(settings.place),
        "form": form,
        "settings": settings,
        "failover": failover_card(),
        "cap_below": _cap_below(settings.max_connections, stands, place=settings.place),
        "chunking_below": _chunking_below(settings.place),
        "keystore_below": keystore_link(),
        "port_choices": _port_choices(str(values.get("encryption", settings.encryption))),
        "port_defaults": ports.SMTP_DEFAULTS,
        "port_why": _port_why(),
        "changed": changed_fields(changed_count(form)),
        "report": test.report,
        "to": test.to or request.POST.get("to", "") or own_address(request),
        "problem": test.problem,
        "refused": test.refused,
    }


def _port_why() -> str:
    return format_html(
        "<p>{}</p><p>{}</p>",
        _(
            "The default follows the encryption until you type a port of your own: 25, with SSL or TLS 465. "
            "For TLS, 587 is usual too."
        ),
        _("Where the server is outside your own network, the firewall has to let this port out."),
    )


def _port_choices(encryption: str) -> list[tuple[int, bool]]:
    default = ports.smtp_port(encryption)
    return [(port, port == default) for port in ports.SMTP_CHOICES]


def _cap_below(cap: int, stands: OutboxFigures | None, *, place: int) -> str:
    """How many connections are in use now, for below the field of the cap."""
    health = queries.health(place)
    parts = []
    if stands is not None:
        used = stands.failover_slots_used if place else stands.slots_used
        parts.append(_("In use now: %(used)s of %(cap)s") % {"used": used, "cap": cap})
    if health.effective_cap < cap:
        parts.append(
            _("At most %(count)s for now, since the server asked for fewer") % {"count": health.effective_cap}
        )
    return ". ".join(parts)


def _chunking_below(place: int) -> str:
    if not queries.health(place).chunking_rests:
        return ""
    return _("This server announced CHUNKING and failed it: mails go out one by one, without loss.")
