"""The page of the incoming mailbox, with its test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from depesche.mailroom.connections import access, actions, ports, queries
from depesche.mailroom.connections.diagnosis.mailbox import mailbox_order, run_mailbox
from depesche.mailroom.connections.forms import IncomingForm, changed_fields, incoming_values
from depesche.mailroom.connections.oauth.queries import oauth
from depesche.mailroom.connections.queries import IncomingSettings
from depesche.mailroom.connections.views import runs
from depesche.mailroom.connections.views.common import (
    applied,
    changed_count,
    changes_of,
    keystore_link,
    mail_context,
    saved,
    say_password_deleted,
)
from depesche.mailroom.connections.views.filling import mailbox_values
from depesche.mailroom.connections.views.runs import NOTHING, Shown, Wanted
from depesche.mailroom.mailboxes import MailboxConfig
from depesche.mailroom.pages.rights import administrators_only

_PAGE = "depesche/connections/incoming.html"
_APPLICABLE = frozenset({"encryption", "port", "username"})


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def incoming(request: HttpRequest, place: int = 0) -> HttpResponse:
    """Show the settings of a mailbox; save what stands in the form; delete the stored password."""
    settings = _settings(place)
    if request.method != "POST":
        if values := mailbox_values(request):
            messages.info(request, _("Filled in below, and not saved yet."))
            return _page(request, _filled(settings, values))
        return _page(request, _form(settings, None))
    form = _form(settings, request)
    if "clear_password" in request.POST:
        actions.clear_incoming_password(by=request.user, place=place)
        form = _form(_settings(place), request)
        say_password_deleted(request, form)
        return _page(request, form)
    if saved(form, lambda: actions.save_incoming_form(form, by=request.user)):
        messages.success(request, _("Saved."))
        return redirect(page_of(place))
    return _page(request, form, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def remove(request: HttpRequest, place: int) -> HttpResponse:
    """Ask, and give up a further mailbox."""
    settings = _settings(place)
    if place == 0 or queries.incoming(place).updated_at is None:
        raise Http404
    if request.method == "POST":
        actions.remove_incoming(place, by=request.user)
        messages.success(request, _("The mailbox %(name)s is no longer read.") % {"name": settings.title})
        return redirect(page_of(0))
    return render(
        request, "depesche/connections/mailbox_remove.html", {**mail_context(), "mailbox": settings}
    )


@require_POST
@administrators_only
def start_test(request: HttpRequest, place: int = 0) -> HttpResponse:
    """Test what stands in the form, saved or not. Nothing in the mailbox is touched."""
    form = _form(_settings(place), request, changes=changes_of(request, _APPLICABLE), for_test=True)
    config, problem = _config(form)
    wanted = None
    if config is not None:
        wanted = Wanted(mailbox_order(config), lambda stop: run_mailbox(config, stop=stop))
    return runs.begin(
        request,
        "incoming",
        form,
        wanted,
        problem=problem,
        page=lambda test: _page(request, form, test, status=test.status),
    )


def page_of(place: int) -> str:
    """The address of a mailbox's page."""
    return reverse("connections:mailbox", args=[place]) if place else reverse("connections:incoming")


def _settings(place: int) -> IncomingSettings:
    """Those of this place. One place more than there are is for a new mailbox."""
    known = [one.place for one in queries.mailboxes()]
    if place not in known and place != actions.next_place():
        raise Http404
    return queries.incoming(place)


def _form(
    settings: IncomingSettings,
    request: HttpRequest | None,
    *,
    changes: Mapping[str, str] | None = None,
    for_test: bool = False,
) -> IncomingForm:
    data = applied(request, changes or {}) if request is not None else None
    return IncomingForm(data, settings=settings, for_test=for_test)


def _filled(settings: IncomingSettings, values: Mapping[str, str]) -> IncomingForm:
    """What was found goes into the form, and nothing is saved by it."""
    initial = incoming_values(settings) | {"port": settings.port or ""} | dict(values)
    return IncomingForm(None, settings=settings, initial=initial)


def _config(form: IncomingForm) -> tuple[MailboxConfig | None, str]:
    if not form.is_valid():
        return None, ""
    try:
        return access.mailbox_config(form.as_settings(), password=form.cleaned_data["password"]), ""
    except access.NotConfigured as error:
        return None, str(error)


def _oauth_below() -> str:
    """How the login by OAuth stands, with the way to where it is set up."""
    login = oauth()
    if login.connected:
        text = _("Connected with %(provider)s") % {"provider": login.provider_name}
    else:
        text = _("Set up OAuth 2.0 under “Outgoing”")
    return format_html('<a href="{}#oauth">{}</a>', reverse("connections:outgoing"), text)


def _page(
    request: HttpRequest, form: IncomingForm, test: Shown = NOTHING, *, status: int = 200
) -> HttpResponse:
    settings = form.settings
    values = form.data if form.is_bound else form.initial
    protocol = str(values.get("protocol") or settings.protocol or "imap")
    encryption = str(values.get("encryption", settings.encryption))
    default = ports.mailbox_port(protocol, encryption)
    context: dict[str, Any] = {
        **mail_context(),
        "form": form,
        "settings": settings,
        "is_new": settings.place != 0 and settings.updated_at is None,
        "mailboxes": [(one, page_of(one.place)) for one in queries.mailboxes()],
        "new_mailbox": page_of(actions.next_place()),
        "page": page_of(settings.place),
        "test_url": reverse("connections:test-mailbox", args=[settings.place])
        if settings.place
        else reverse("connections:test-incoming"),
        "outgoing": queries.outgoing(),
        "keystore_below": keystore_link(),
        "port_choices": [(port, port == default) for port in (143, 993, 110, 995)],
        "port_defaults": {
            f"{name}-{mode}": ports.mailbox_port(name, mode)
            for name in ("imap", "pop3")
            for mode in ("none", "tls-if-available", "tls", "ssl")
        },
        "oauth_below": _oauth_below(),
        "port_why": _("The default follows protocol and encryption until you type a port of your own."),
        "changed": changed_fields(changed_count(form)),
        "report": test.report,
        "problem": test.problem,
        "refused": test.refused,
        "what": "incoming",
    }
    return render(request, _PAGE, context, status=status)
