"""Administration: people."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from depesche.mailformat.addresses import Address
from depesche.mailroom.pages.rights import administrators_only
from depesche.tracker.accounts import actions, queries
from depesche.tracker.accounts.models import Person
from depesche.tracker.items import queries as items
from depesche.tracker.web.forms.accounts import PersonForm
from depesche.tracker.web.requests import person_of
from depesche.tracker.web.views.errors import add_refusal

PAGE = 50


@require_safe
@administrators_only
def people(request: HttpRequest) -> HttpResponseBase:
    text = request.GET.get("q", "")[:200]
    inactive = bool(request.GET.get("inactive"))
    guests = bool(request.GET.get("guests"))
    rows = queries.people(text, inactive=inactive, guests=guests).prefetch_related("workspaces")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    kept = {"q": text, "inactive": "1" if inactive else "", "guests": "1" if guests else ""}
    query = urlencode({name: value for name, value in kept.items() if value})
    context = {"page": page, "q": text, "inactive": inactive, "guests": guests, "query": query}
    return render(request, "web/people.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def new_person(request: HttpRequest) -> HttpResponseBase:
    form = PersonForm(
        request.POST or None,
        new=True,
        initial={"language": person_of(request).language, "role": "member"},
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            person = actions.create_person(
                data["email"],
                data["name"],
                language=data["language"],
                is_admin=data["role"] == "administrator",
            )
        except ValidationError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(
                request,
                _("%(name)s is added and gets a welcome mail with a link to choose a password.")
                % {"name": person.name},
            )
            return redirect("web:people")
    return render(request, "web/person.html", {"form": form, "person": None})


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def person(request: HttpRequest, person_id: int) -> HttpResponseBase:
    found = _person(person_id)
    form = PersonForm(
        request.POST or None,
        new=False,
        initial={
            "name": found.name,
            "email": found.email,
            "language": found.language,
            "role": "administrator" if found.is_admin else "member",
            "only_account_mails": found.only_account_mails,
        },
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        administrator = data["role"] == "administrator"
        if found.is_admin and not administrator and _last_administrator(found):
            form.add_error("role", _("There must be an administrator. Make somebody else one first."))
        else:
            try:
                if data["email"].strip().lower() != found.email.lower():
                    actions.change_email(found, data["email"])
                actions.change_person(
                    found,
                    name=data["name"],
                    language=data["language"],
                    is_admin=administrator,
                    only_account_mails=data["only_account_mails"],
                )
            except ValidationError as refusal:
                add_refusal(form, refusal)
            else:
                messages.success(request, _("Saved."))
                return redirect("web:people")
    context = {
        "form": form,
        "person": found,
        "addresses": queries.verified_addresses(found),
        "own_address": Address("", found.email).key,
        "workspaces": items.workspaces_of(found),
        "myself": found.pk == person_of(request).pk,
    }
    return render(request, "web/person.html", context)


@require_POST
@administrators_only
def addresses(request: HttpRequest, person_id: int) -> HttpResponseBase:
    """One more address that counts as the person's, or (`remove`) one less."""
    found = _person(person_id)
    try:
        if request.POST.get("remove"):
            actions.remove_verified_address(found, request.POST["remove"][:320])
        else:
            actions.add_verified_address(found, request.POST.get("address", "")[:320])
    except ValidationError as refusal:
        for text in refusal.messages:
            messages.error(request, text)
    else:
        messages.success(request, _("Saved."))
    return redirect("web:person", person_id=found.pk)


@require_POST
@administrators_only
def deactivate(request: HttpRequest, person_id: int) -> HttpResponseBase:
    found = _person(person_id)
    if found.pk == person_of(request).pk:
        messages.error(request, _("You cannot deactivate yourself; another administrator can."))
    else:
        actions.deactivate(found)
        messages.success(
            request, _("%(name)s is deactivated: no sign-in, no mail, no answers.") % {"name": found.name}
        )
    return redirect("web:person", person_id=found.pk)


@require_POST
@administrators_only
def activate(request: HttpRequest, person_id: int) -> HttpResponseBase:
    found = _person(person_id)
    actions.activate(found)
    messages.success(request, _("%(name)s is active again.") % {"name": found.name})
    return redirect("web:person", person_id=found.pk)


def _person(person_id: int) -> Person:
    found = queries.person(person_id)
    if found is None:
        raise Http404
    return found


def _last_administrator(person: Person) -> bool:
    return not Person.objects.filter(is_admin=True, is_active=True).exclude(pk=person.pk).exists()
