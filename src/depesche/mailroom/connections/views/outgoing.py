"""The page of the outgoing connection, with its test (M3 to M17)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from depesche.mailroom.connections import access, actions, figures, ports, queries, senders, validation
from depesche.mailroom.connections.actions import InvalidSettings
from depesche.mailroom.connections.choices import Auth
from depesche.mailroom.connections.diagnosis import records
from depesche.mailroom.connections.diagnosis.plan import Plan, learn, plan_test
from depesche.mailroom.connections.diagnosis.records import Report
from depesche.mailroom.connections.diagnosis.running import run
from depesche.mailroom.connections.diagnosis.steps import Step, order
from depesche.mailroom.connections.figures import OutboxFigures
from depesche.mailroom.connections.forms import CAP, OutgoingForm, changed_fields
from depesche.mailroom.connections.oauth import actions as oauth_actions
from depesche.mailroom.connections.oauth.models import Flow
from depesche.mailroom.connections.views import oauth
from depesche.mailroom.connections.views.common import (
    applied,
    changed_count,
    changes_of,
    failover_card,
    is_htmx,
    keystore_link,
    mail_context,
    own_address,
    own_name,
)
from depesche.mailroom.connections.views.effect import effect_of
from depesche.mailroom.connections.views.filling import card
from depesche.mailroom.pages.rights import administrators_only

_PAGE = "depesche/connections/outgoing.html"
APPLICABLE = frozenset(
    {"host", "encryption", "port", "auth", "username", "allow_clear_password", "system_address", "sender"}
    | {CAP}
)
PANEL = "depesche/connections/test_run.html"


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def outgoing(request: HttpRequest) -> HttpResponse:
    """Show the settings; save what stands in the form; delete the stored password."""
    if request.method != "POST":
        return page(request, _form(None))
    form = _form(request)
    login = oauth.form_of(request, form)
    if "clear_password" in request.POST:
        actions.clear_outgoing_password(by=request.user)
        messages.success(request, _("The stored password was deleted. Nothing else was saved."))
        form = _form(request)
        form.errors.clear()
        return page(request, form)
    if form.is_valid() and (login is None or login.is_valid()):
        try:
            oauth_actions.save_both(form, login, by=request.user)
        except InvalidSettings as error:
            add_errors(form, error)
        else:
            if login is not None and "connect" in request.POST and login.cleaned_data["flow"] != Flow.APP:
                return oauth.to_provider(request, form.settings.place)
            messages.success(request, _("Saved. Workers use it within 5 seconds."))
            return redirect("connections:outgoing")
    return page(request, form, extra={"oauth_form": login}, status=422)


@require_POST
@administrators_only
def start_test(request: HttpRequest) -> HttpResponse:
    """Test what stands in the form, saved or not. With htmx the steps come as they are done."""
    form = _form(request, for_test=True, changes=changes_of(request, APPLICABLE))
    plan, problem = plan_of(request, form)
    now = timezone.now()
    if plan is None:
        if is_htmx(request):
            context = {"problem": problem, "form": form, "what": "outgoing", "refused": True}
            return render(request, PANEL, context)
        return page(request, form, problem=problem, refused=True, status=422)
    names = order(implicit_tls=plan.config.implicit_tls)
    if is_htmx(request):
        key = records.start(
            "outgoing", names, lambda stop: run_and_learn(plan, stop), by=request.user, now=now
        )
        return panel(request, key)
    report = records.at_once("outgoing", names, run_and_learn(plan), now=now)
    return page(request, form, report=report, to=plan.to)


@require_safe
@administrators_only
def test_run(request: HttpRequest, key: str) -> HttpResponse:
    """The steps so far, for htmx."""
    return panel(request, key)


@require_POST
@administrators_only
def stop_test(request: HttpRequest, key: str) -> HttpResponse:
    records.stop(key, by=request.user)
    return panel(request, key)


@require_POST
@administrators_only
def effect(request: HttpRequest) -> HttpResponse:
    """The effect box alone, for htmx."""
    return render(request, "depesche/connections/effect.html", {"effect": effect_of(request, request.POST)})


def _form(
    request: HttpRequest | None, *, for_test: bool = False, changes: Mapping[str, str] | None = None
) -> OutgoingForm:
    data = applied(request, changes or {}) if request is not None else None
    return OutgoingForm(
        data,
        settings=queries.outgoing(),
        mailbox=queries.incoming(),
        for_test=for_test,
    )


def plan_of(request: HttpRequest, form: OutgoingForm) -> tuple[Plan | None, str]:
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


def run_and_learn(plan: Plan, stop: threading.Event | None = None) -> Iterator[Step]:
    """The steps; at their end, what they have found out is kept."""
    steps = []
    for step in run(plan, stop=stop):
        steps.append(step)
        yield step
    learn(plan, steps, now=timezone.now())


def panel(request: HttpRequest, key: str) -> HttpResponse:
    report = records.report(key, by=request.user, now=timezone.now())
    if report is None:
        raise Http404
    return render(request, PANEL, {"report": report, "what": report.what})


def page(
    request: HttpRequest,
    form: OutgoingForm,
    *,
    extra: Mapping[str, Any] | None = None,
    report: Report | None = None,
    to: str = "",
    problem: str = "",
    refused: bool = False,
    status: int = 200,
) -> HttpResponse:
    settings = form.settings
    stands = figures.outbox(timezone.now())
    count = changed_count(form)
    values = form.data if form.is_bound else form.initial
    context: dict[str, Any] = {
        **mail_context(),
        **oauth.context_of(request, settings.place),
        **card(),
        "oauth_chosen": values.get("auth") == Auth.OAUTH2,
        "form": form,
        "settings": settings,
        "effect": effect_of(request, values),
        "rules": senders.rules(settings),
        "failover": failover_card(),
        "cap_below": cap_below(settings.max_connections, stands),
        "chunking_below": chunking_below(),
        "charset_below": _charset_below(stands.fell_back_24h if stands else 0),
        "keystore_below": keystore_link(),
        "port_choices": port_choices(str(values.get("encryption", settings.encryption))),
        "port_defaults": ports.SMTP_DEFAULTS,
        "port_why": port_why(),
        "changed": changed_fields(count),
        "figures": stands,
        "report": report,
        "to": to or request.POST.get("to", "") or own_address(request),
        "second_mail": second_mail(request),
        "problem": problem,
        "refused": refused,
        "what": "outgoing",
    }
    return render(
        request,
        _PAGE,
        context | {key: value for key, value in (extra or {}).items() if value is not None},
        status=status,
    )


def second_mail(request: HttpRequest) -> str:
    """Where the mail goes that finds out whether a person may stand in From."""
    address, incoming = own_address(request), queries.incoming()
    if not address:
        return ""
    if incoming.is_mailbox:
        return _(
            "A second mail, From %(address)s, goes to the mailbox of the system address, which nobody reads: "
            "it shows whether the server accepts you as sender."
        ) % {"address": address}
    return _(
        "A second mail goes From %(address)s to yourself: it shows whether the server accepts you as sender."
    ) % {"address": address}


def port_why() -> str:
    return format_html(
        "<p>{}</p><p>{}</p>",
        _(
            "The default follows the encryption until you type a port of your own: 25, with SSL or TLS 465. "
            "For TLS, 587 is usual too."
        ),
        _("Where the server is outside your own network, the firewall has to let this port out."),
    )


def port_choices(encryption: str) -> list[tuple[int, bool]]:
    default = ports.smtp_port(encryption)
    return [(port, port == default) for port in ports.SMTP_CHOICES]


def cap_below(cap: int, stands: OutboxFigures | None, *, place: int = 0) -> str:
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


def chunking_below(place: int = 0) -> str:
    if not queries.health(place).chunking_rests:
        return ""
    return _("This server announced CHUNKING and failed it: mails go out one by one, without loss.")


def _charset_below(count: int) -> str:
    if not count:
        return ""
    text = ngettext(
        "%(count)d mail went out in UTF-8 instead in the last 24 hours",
        "%(count)d mails went out in UTF-8 instead in the last 24 hours",
        count,
    ) % {"count": count}
    try:
        return format_html('<a href="{}">{}</a>', reverse("outbox:list"), text)
    except NoReverseMatch:
        return text


def add_errors(form: OutgoingForm, error: InvalidSettings) -> None:
    for key, sentences in error.errors.items():
        for sentence in sentences:
            form.add_error(key or None, sentence)
