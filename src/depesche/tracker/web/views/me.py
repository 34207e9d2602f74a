"""My page: name, language, mails, password."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from depesche.mailroom.pages.rights import signed_in
from depesche.tracker.accounts import actions, queries, reachability
from depesche.tracker.web.forms.accounts import ChangePasswordForm, MeForm
from depesche.tracker.web.requests import person_of, safe_next
from depesche.tracker.web.views.errors import add_refusal


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def me(request: HttpRequest) -> HttpResponseBase:
    person = person_of(request)
    form = MeForm(
        request.POST or None,
        initial={
            "name": person.name,
            "language": person.language,
            "only_account_mails": person.only_account_mails,
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_person(person, **form.cleaned_data)
        except ValidationError as refusal:
            add_refusal(form, refusal)
        else:
            translation.activate(person.language)
            messages.success(request, _("Saved."))
            return redirect("web:me")
    addresses = queries.verified_addresses(person)
    return render(request, "web/me.html", {"form": form, "addresses": addresses})


@sensitive_post_parameters("old", "password")
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def change_password(request: HttpRequest) -> HttpResponseBase:
    person = person_of(request)
    form = ChangePasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_password(person, old=form.cleaned_data["old"], new=form.cleaned_data["password"])
        except ValidationError as refusal:
            add_refusal(form, refusal)
        else:
            update_session_auth_hash(request, person)  # this session goes on, the others end
            messages.success(request, _("Your password is changed. Other devices have to sign in again."))
            return redirect("web:me")
    return render(request, "web/change_password.html", {"form": form})


@require_POST
@signed_in
def address_works(request: HttpRequest) -> HttpResponseBase:
    """The person says that their address takes mails again."""
    person = person_of(request)
    if reachability.works_again(person, now=timezone.now()):
        messages.success(
            request,
            _("Mails to %(address)s go out again. If one comes back, you will see it here.")
            % {"address": person.email},
        )
    return redirect(safe_next(request, reverse("web:me")))


@require_POST
def language(request: HttpRequest) -> HttpResponseBase:
    """The switch in the bar: for a person it is theirs from now on, before sign-in it is a cookie."""
    chosen = request.POST.get("language", "")
    response = redirect(safe_next(request, reverse("web:home")))
    if chosen in dict(settings.LANGUAGES):
        if request.user.is_authenticated:
            actions.set_language(person_of(request), chosen)
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            chosen,
            max_age=365 * 24 * 3600,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
    return response
