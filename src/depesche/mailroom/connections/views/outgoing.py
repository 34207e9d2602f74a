"""The page of the outgoing connection, with its test (M3 to M17)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from depesche.mailroom.connections import actions, figures, queries, senders
from depesche.mailroom.connections.choices import Auth
from depesche.mailroom.connections.forms import OutgoingForm
from depesche.mailroom.connections.oauth import actions as oauth_actions
from depesche.mailroom.connections.oauth.models import Flow
from depesche.mailroom.connections.views import oauth, submission
from depesche.mailroom.connections.views.common import (
    applied,
    changes_of,
    own_address,
    saved,
    say_password_deleted,
)
from depesche.mailroom.connections.views.effect import effect_of
from depesche.mailroom.connections.views.filling import card
from depesche.mailroom.connections.views.runs import NOTHING, Shown
from depesche.mailroom.pages.rights import administrators_only

_PAGE = "depesche/connections/outgoing.html"


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
        form = _form(request)
        say_password_deleted(request, form)
        return page(request, form)
    if (login is None or login.is_valid()) and saved(
        form, lambda: oauth_actions.save_both(form, login, by=request.user)
    ):
        if login is not None and "connect" in request.POST and login.cleaned_data["flow"] != Flow.APP:
            return oauth.to_provider(request, form.settings.place)
        messages.success(request, _("Saved. Workers use it within 5 seconds."))
        return redirect("connections:outgoing")
    return page(request, form, extra={"oauth_form": login}, status=422)


@require_POST
@administrators_only
def start_test(request: HttpRequest) -> HttpResponse:
    """Test what stands in the form, saved or not. With htmx the steps come as they are done."""
    form = _form(request, for_test=True, changes=changes_of(request, submission.APPLICABLE))
    return submission.begin_test(
        request, "outgoing", form, lambda test: page(request, form, test=test, status=test.status)
    )


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


def page(
    request: HttpRequest,
    form: OutgoingForm,
    *,
    extra: Mapping[str, Any] | None = None,
    test: Shown = NOTHING,
    status: int = 200,
) -> HttpResponse:
    stands = figures.outbox(timezone.now())
    values = form.data if form.is_bound else form.initial
    context: dict[str, Any] = {
        **submission.context_of(request, form, test, stands),
        **oauth.context_of(request, form.settings.place),
        **card(),
        "oauth_chosen": values.get("auth") == Auth.OAUTH2,
        "effect": effect_of(request, values),
        "rules": senders.rules(form.settings),
        "charset_below": _charset_below(stands.fell_back_24h if stands else 0),
        "figures": stands,
        "second_mail": second_mail(request),
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
