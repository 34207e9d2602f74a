"""Administration: workspaces and who is a member."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from depesche.mailroom.connections import senders
from depesche.mailroom.pages.rights import administrators_only
from depesche.tracker.accounts.models import Person
from depesche.tracker.items import actions, queries
from depesche.tracker.items.models import Workspace
from depesche.tracker.web.forms.workspaces import MembersForm, NewWorkspaceForm, SenderForm
from depesche.tracker.web.requests import person_of
from depesche.tracker.web.sender_preview import seen_as
from depesche.tracker.web.views.errors import add_refusal


@require_safe
@administrators_only
def workspaces(request: HttpRequest) -> HttpResponseBase:
    return render(request, "web/workspaces.html", {"workspaces": queries.all_workspaces()})


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def new_workspace(request: HttpRequest) -> HttpResponseBase:
    form = NewWorkspaceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            workspace = actions.create_workspace(
                form.cleaned_data["name"], key=form.cleaned_data["key"], members=[person_of(request)]
            )
        except ValidationError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(
                request, _("%(name)s is created. You are its first member.") % {"name": workspace.name}
            )
            return redirect("web:workspace", key=workspace.key)
    return render(request, "web/new_workspace.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def workspace(request: HttpRequest, key: str) -> HttpResponseBase:
    found = _workspace(key)
    present = {person.pk: person for person in Person.objects.filter(memberships__workspace=found)}
    form = MembersForm(request.POST or None, initial={"members": [str(pk) for pk in present]})
    if request.method == "POST" and form.is_valid():
        wanted = {person.pk: person for person in form.cleaned_data["members"]}
        with transaction.atomic():
            actions.add_members(found, [person for pk, person in wanted.items() if pk not in present])
            for pk, person in present.items():
                if (
                    pk not in wanted and str(pk) in form.people
                ):  # deactivated members are not offered, and stay
                    actions.remove_member(found, person)
        messages.success(request, _("Saved."))
        return redirect("web:workspace", key=found.key)
    return _page(request, found, form, SenderForm(initial=_sender_of(found)))


@require_POST
@administrators_only
def sender(request: HttpRequest, key: str) -> HttpResponseBase:
    """Give the workspace an address and a name of its own, or take them away."""
    found = _workspace(key)
    form = SenderForm(request.POST)
    if form.is_valid():
        try:
            senders.save_identity(found.key, **form.cleaned_data, by=request.user)
        except ValidationError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("web:workspace", key=found.key)
    present = Person.objects.filter(memberships__workspace=found)
    members = MembersForm(initial={"members": [str(person.pk) for person in present]})
    return _page(request, found, members, form, status=422)


def _sender_of(workspace: Workspace) -> dict[str, str]:
    own = senders.identity(workspace.key)
    return {"address": own.address, "name": own.name}


def _page(
    request: HttpRequest, workspace: Workspace, form: MembersForm, sender: SenderForm, *, status: int = 200
) -> HttpResponseBase:
    context = {
        "form": form,
        "sender_form": sender,
        "workspace": workspace,
        "count": Person.objects.filter(memberships__workspace=workspace).count(),
        "seen": seen_as(workspace.key, person_of(request)),
    }
    return render(request, "web/workspace.html", context, status=status)


@require_POST
@administrators_only
def default_workspace(request: HttpRequest, key: str) -> HttpResponseBase:
    found = _workspace(key)
    actions.make_default(found)
    messages.success(request, _("New items by mail now go to %(name)s.") % {"name": found.name})
    return redirect("web:workspaces")


def _workspace(key: str) -> Workspace:
    found = Workspace.objects.filter(key=key.upper()).first()
    if found is None:
        raise Http404
    return found
