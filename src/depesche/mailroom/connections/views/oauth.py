"""Consent in the browser: to the provider's page, and back (M11). The fields stand on the outgoing page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from depesche.mailroom.connections.choices import Auth
from depesche.mailroom.connections.diagnosis.causes import explain
from depesche.mailroom.connections.diagnosis.steps import Cause
from depesche.mailroom.connections.forms import OutgoingForm
from depesche.mailroom.connections.oauth import actions, consent
from depesche.mailroom.connections.oauth.forms import OAuthForm
from depesche.mailroom.connections.oauth.models import Flow
from depesche.mailroom.connections.oauth.protocol import Refused
from depesche.mailroom.connections.oauth.queries import OAuthSettings, oauth
from depesche.mailroom.pages.rights import administrators_only

_PROBLEM = "depesche_oauth_problem"


def form_of(request: HttpRequest | None, outgoing: OutgoingForm) -> OAuthForm | None:
    """The fields of the registration beside those of the connection. None where the request has none of them:
    then they stay as they are."""
    place = outgoing.settings.place
    if request is None or request.method != "POST":
        return OAuthForm(None, settings=oauth(place))
    if "provider" not in request.POST:
        return None
    data = request.POST
    return OAuthForm(
        data,
        settings=oauth(place),
        needed=data.get("auth") == Auth.OAUTH2 or actions.needed(),
        username=data.get("username", "").strip(),
        clears_secret="clear_client_secret" in data,
    )


def context_of(request: HttpRequest, place: int = 0) -> dict[str, Any]:
    """What the outgoing page shows of the login. A problem of a sign-in that has just failed is shown
    once."""
    login = oauth(place)
    return {
        "oauth_form": OAuthForm(None, settings=login),
        "oauth": login,
        "oauth_problem": _problem_of(login),
        "oauth_failed": _failed_of(request),
        "oauth_needed": actions.needed(),
        "oauth_redirect_uri": consent.redirect_uri(),
        "oauth_is_app": login.flow == Flow.APP,
        "oauth_warn_secret": login.secret_ends_within(30, timezone.localdate()),
    }


def to_provider(request: HttpRequest, place: int) -> HttpResponse:
    """After everything was saved: a page that leads on to the provider. Not a redirect, for a form may lead
    to our own pages only (Content-Security-Policy), and so that everybody sees where they go."""
    begun = consent.begin(request.session, place, now=timezone.now())
    if isinstance(begun, Refused):
        request.session[_PROBLEM] = [begun.problem.value, begun.words]
        return redirect(reverse("connections:outgoing") + "#oauth")
    response = render(request, "depesche/connections/oauth_leaving.html", {"begun": begun})
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@require_safe
@never_cache
def returned(request: HttpRequest) -> HttpResponseBase:
    """The browser is back from the provider. Whatever came with it, nothing of it stays in the address."""
    here = reverse("connections:outgoing")
    if not request.user.is_authenticated or not request.user.is_active:
        return redirect_to_login(here)  # without the code in the address
    if not request.user.is_staff:
        raise PermissionDenied
    result = consent.finish(request.session, request.GET.dict(), by=request.user, now=timezone.now())
    if isinstance(result, Refused):
        request.session[_PROBLEM] = [result.problem.value, result.words]
    else:
        text = _("Connected with %(provider)s as %(account)s. Workers use it within 5 seconds.")
        account = result.account or _("the account that signed in")
        messages.success(request, text % {"provider": result.provider_name, "account": account})
    response = redirect(here + "#oauth")
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@require_POST
@administrators_only
def disconnect(request: HttpRequest) -> HttpResponse:
    """Forget consent, tokens and client secret."""
    actions.disconnect(by=request.user)
    messages.success(request, _("Consent, tokens and client secret were deleted. Nothing else was saved."))
    return redirect(reverse("connections:outgoing") + "#oauth")


def _problem_of(login: OAuthSettings) -> Cause | None:
    if not login.problem:
        return None
    return explain(login.problem, {"username": login.account}, detail=login.problem_words)


def _failed_of(request: HttpRequest) -> Cause | None:
    found = request.session.pop(_PROBLEM, None) if hasattr(request, "session") else None
    if not isinstance(found, list) or len(found) != 2:
        return None
    return explain(str(found[0]), detail=str(found[1]))
