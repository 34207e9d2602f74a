"""Administration: what a workspace demands of mails that come in, reply addresses, blocked senders."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from depesche.mailroom.connections import queries as connections
from depesche.mailroom.pages.rights import administrators_only, signed_in
from depesche.tracker.accounts import queries as accounts
from depesche.tracker.correspondence import blocking, rules
from depesche.tracker.items import queries
from depesche.tracker.items.models import Workspace
from depesche.tracker.threads import actions as threads
from depesche.tracker.web.forms.mail import RulesForm
from depesche.tracker.web.requests import person_of
from depesche.tracker.web.views.errors import add_refusal


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def mail_rules(request: HttpRequest, key: str = "") -> HttpResponseBase:
    """The rules of a workspace; without a key those of all."""
    workspace = _workspace(key) if key else None
    in_force = rules.rules_for(workspace)
    form = RulesForm(request.POST or None, rules=in_force, shared=workspace is None)
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        own = values.pop("own", True)
        try:
            if workspace is not None and not own:
                rules.follow_all(workspace)
            else:
                rules.save(workspace, values)
        except ValidationError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("web:workspace-mail", key=key) if key else redirect("web:mail-rules")
    context = {
        "form": form,
        "workspace": workspace,
        "rules": in_force,
        "incoming": connections.incoming(),
        "items_by_mail": connections.outgoing().items_by_mail,
        "blocked": blocking.blocked_senders() if workspace is None else (),
    }
    return render(request, "web/mail_rules.html", context)


@require_POST
@administrators_only
def unblock(request: HttpRequest) -> HttpResponseBase:
    address = request.POST.get("address", "")[:320]
    if blocking.unblock(address):
        messages.success(request, _("Mails from %(address)s are taken again.") % {"address": address})
    return redirect("web:mail-rules")


@require_POST
@administrators_only
def revoke_all(request: HttpRequest) -> HttpResponseBase:
    """Every reply address that was made until now."""
    threads.revoke(by=person_of(request).name, now=timezone.now())
    messages.success(request, _revoked())
    return redirect("web:mail-rules")


@require_POST
@signed_in
def revoke_mine(request: HttpRequest) -> HttpResponseBase:
    """One's own reply addresses, for every item."""
    person = person_of(request)
    threads.revoke(person=person, by=person.name, now=timezone.now())
    messages.success(request, _revoked())
    return redirect("web:me")


@require_POST
@administrators_only
def revoke_of_person(request: HttpRequest, person_id: int) -> HttpResponseBase:
    found = accounts.person(person_id)
    if found is None:
        raise Http404
    threads.revoke(person=found, by=person_of(request).name, now=timezone.now())
    messages.success(request, _revoked())
    return redirect("web:person", person_id=found.pk)


@require_POST
@signed_in
def revoke_of_item(request: HttpRequest, key: str) -> HttpResponseBase:
    """The reply addresses of one item: one's own, or (`act=all`) everybody's, guests' included."""
    person = person_of(request)
    item = queries.readable_item(person, key)
    if item is None:
        raise Http404
    everybody = request.POST.get("act") == "all"
    threads.revoke(item=item, person=None if everybody else person, by=person.name, now=timezone.now())
    messages.success(request, _revoked())
    return redirect("web:item", key=item.key)


def _revoked() -> str:
    return _("The reply addresses are void. Answers to them are held; the next mails carry new ones.")


def _workspace(key: str) -> Workspace:
    found = Workspace.objects.filter(key=key.upper()).first()
    if found is None:
        raise Http404
    return found
