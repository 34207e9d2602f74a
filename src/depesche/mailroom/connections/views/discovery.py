"""Settings found from an address, and filled in from a provider's row: unsaved, on the outgoing page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from depesche.mailroom.connections import queries, validation
from depesche.mailroom.connections.discovery import records
from depesche.mailroom.connections.discovery.findings import Found, hints_of
from depesche.mailroom.connections.discovery.presets import Preset, preset
from depesche.mailroom.connections.forms import OutgoingForm, outgoing_values
from depesche.mailroom.connections.oauth.forms import OAuthForm, oauth_values
from depesche.mailroom.connections.oauth.queries import oauth
from depesche.mailroom.connections.views import outgoing
from depesche.mailroom.connections.views.common import is_htmx
from depesche.mailroom.connections.views.filling import card, mailbox_link, pairs_of, preset_values
from depesche.mailroom.pages.rights import administrators_only

PANEL = "depesche/connections/discovery_run.html"
_FILLED = frozenset({"host", "port", "encryption", "auth", "username", "provider"})


@require_POST
@administrators_only
def start(request: HttpRequest) -> HttpResponse:
    """Look for the servers of an address. With htmx what was tried comes as it is tried."""
    try:
        address = validation.address(request.POST.get("find", "") or request.POST.get("system_address", ""))
        if not address:
            raise ValidationError(_("Enter the address that the mails come from."))
    except ValidationError as error:
        problem = " ".join(error.messages)
        if is_htmx(request):
            return render(request, PANEL, {"find_problem": problem})
        return _page(request, {}, find_problem=problem)
    if is_htmx(request):
        key = records.start(address, by=request.user, now=timezone.now())
        return _panel(request, key)
    found = records.at_once(address)
    changes = found.smtp.settings() if found.smtp is not None else {}
    return _page(request, changes, found=found, find=address)


@require_safe
@administrators_only
def run(request: HttpRequest, key: str) -> HttpResponse:
    """How far it is, for htmx."""
    return _panel(request, key)


@require_POST
@administrators_only
def stop(request: HttpRequest, key: str) -> HttpResponse:
    records.stop(key, by=request.user)
    return _panel(request, key)


@require_POST
@administrators_only
def fill(request: HttpRequest) -> HttpResponse:
    """Put found settings, or a provider's, into the form. Everything else that was typed stays."""
    if words := request.POST.get("fill", ""):
        return _page(request, pairs_of(words, _FILLED))
    chosen = preset(request.POST.get("preset", ""))
    if chosen is None:
        return _page(request, {}, find_problem=_("Choose a provider."))
    return _page(request, preset_values(chosen, request.POST.get("system_address", "")), chosen=chosen)


def _panel(request: HttpRequest, key: str) -> HttpResponse:
    report = records.report(key, by=request.user, now=timezone.now())
    if report is None:
        raise Http404
    link = mailbox_link(report.found.mailbox)
    return render(
        request,
        PANEL,
        {"discovery": report, "found": report.found if report.done else None, "mailbox_link": link},
    )


def _page(
    request: HttpRequest,
    changes: dict[str, str],
    *,
    found: Found | None = None,
    chosen: Preset | None = None,
    **more: Any,
) -> HttpResponse:
    settings = queries.outgoing()
    login = oauth(settings.place)
    typed: dict[str, Any] = {
        key: request.POST[key] for key in outgoing_values(settings) if key in request.POST
    }
    for switch in ("items_by_mail", "allow_clear_password"):
        typed[switch] = request.POST.get(switch, "") in ("on", "true")
    of_login = {key: request.POST[key] for key in oauth_values(login) if key in request.POST}
    provider = changes.pop("provider", "")
    form = OutgoingForm(
        None,
        settings=settings,
        mailbox=queries.incoming(),
        initial=outgoing_values(settings) | {"port": settings.port} | typed | changes,
    )
    oauth_form = OAuthForm(
        None,
        settings=login,
        initial=oauth_values(login) | of_login | ({"provider": provider} if provider else {}),
    )
    if changes:
        messages.info(request, _("Filled in below, and not saved yet."))
    return outgoing.page(
        request,
        form,
        extra={
            "oauth_form": oauth_form,
            **card(found),
            **more,
            "preset_hints": hints_of(chosen),
            "preset": chosen,
        },
    )
