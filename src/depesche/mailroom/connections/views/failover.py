"""The page of the failover: a second connection, used while the first one rests."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from depesche.mailroom.connections import actions, figures, queries
from depesche.mailroom.connections.failover import PLACE, FailoverForm
from depesche.mailroom.connections.views import submission
from depesche.mailroom.connections.views.common import applied, changes_of, saved, say_password_deleted
from depesche.mailroom.connections.views.runs import NOTHING, Shown
from depesche.mailroom.pages.rights import administrators_only


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def failover(request: HttpRequest) -> HttpResponse:
    """Show the settings; save what stands in the form; delete the stored password."""
    if request.method != "POST":
        return _page(request, _form(None))
    if "clear_password" in request.POST:
        actions.clear_outgoing_password(by=request.user, place=PLACE)
        form = _form(request)
        say_password_deleted(request, form)
        return _page(request, form)
    form = _form(request)
    if saved(form, lambda: actions.save_outgoing_form(form, by=request.user)):
        messages.success(request, _("Saved. Workers use it within 5 seconds."))
        return redirect("connections:failover")
    return _page(request, form, status=422)


@require_POST
@administrators_only
def start_test(request: HttpRequest) -> HttpResponse:
    """Test what stands in the form, saved or not."""
    form = _form(request, for_test=True, changes=changes_of(request, submission.APPLICABLE))
    return submission.begin_test(
        request, "failover", form, lambda test: _page(request, form, test, status=test.status)
    )


def _form(
    request: HttpRequest | None, *, for_test: bool = False, changes: Mapping[str, str] | None = None
) -> FailoverForm:
    data = applied(request, changes or {}) if request is not None else None
    return FailoverForm(
        data, settings=queries.stored_outgoing(PLACE), mailbox=queries.incoming(), for_test=for_test
    )


def _page(
    request: HttpRequest, form: FailoverForm, test: Shown = NOTHING, *, status: int = 200
) -> HttpResponse:
    context = {
        **submission.context_of(request, form, test, figures.outbox(timezone.now())),
        "first": queries.outgoing(),
        "what": "failover",
    }
    return render(request, "depesche/connections/failover.html", context, status=status)
