"""Coming in, going out, and the ways back for those who forgot their password."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from depesche.tracker.accounts import actions, reachability, resets, tokens
from depesche.tracker.web import throttle
from depesche.tracker.web.forms.accounts import ForgottenForm, SetPasswordForm, SignInForm
from depesche.tracker.web.requests import client_ip, safe_next
from depesche.tracker.web.views.errors import add_refusal

_LINK = "depesche-password-link"  # the link's token waits in the session, so that no Referer carries it
_IN_SESSION = "here"


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponseBase:
    target = safe_next(request, reverse("web:home"))
    if request.user.is_authenticated and request.method != "POST":
        return redirect(target)
    form = SignInForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        email, ip = form.cleaned_data["email"].strip(), client_ip(request)
        if not throttle.attempt(email, ip, now=timezone.now()):
            form.add_error(
                None,
                _("Too many attempts. Wait 15 minutes, or set a new password by “Forgotten password?”."),
            )
            status = 429
        else:
            person = authenticate(request, username=email, password=form.cleaned_data["password"])
            if person is not None:
                throttle.succeeded(email, ip)
                login(request, person)
                return redirect(target)
            form.add_error(None, _("Address and password do not belong together."))
    response = render(request, "web/sign_in.html", {"form": form, "next": target}, status=status)
    add_never_cache_headers(response)
    return response


@require_POST
def sign_out(request: HttpRequest) -> HttpResponseBase:
    logout(request)
    return redirect("web:sign-in")


@require_http_methods(["GET", "HEAD", "POST"])
def password_reset(request: HttpRequest) -> HttpResponseBase:
    """The same answer for every address: nobody learns here who has an account."""
    form = ForgottenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        resets.request(form.cleaned_data["email"], ip=client_ip(request) or None, now=timezone.now())
        return render(request, "web/password_asked.html", {"email": form.cleaned_data["email"]})
    return render(request, "web/password_reset.html", {"form": form})


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def set_password(request: HttpRequest, uid: str, token: str) -> HttpResponseBase:
    """The page that a mailed link opens. The token moves into the session at once and out of the address."""
    if token != _IN_SESSION:
        if tokens.person_of_link(uid, token) is None:
            return _dead_link(request)
        request.session[_LINK] = token
        return redirect("web:set-password", uid=uid, token=_IN_SESSION)
    person = tokens.person_of_link(uid, str(request.session.get(_LINK, "")))
    if person is None:
        return _dead_link(request)
    form = SetPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.set_password(person, form.cleaned_data["password"])
        except ValidationError as refusal:
            add_refusal(form, refusal)
        else:
            request.session.pop(_LINK, None)
            reachability.proved(person, now=timezone.now())
            throttle.succeeded(person.email, client_ip(request))
            login(request, person, backend="django.contrib.auth.backends.ModelBackend")
            messages.success(request, _("Your new password is set. You are signed in."))
            return redirect("web:home")
    response = render(request, "web/set_password.html", {"form": form, "person": person})
    add_never_cache_headers(response)
    return response


def _dead_link(request: HttpRequest) -> HttpResponse:
    return render(request, "web/set_password_dead.html", status=404)
