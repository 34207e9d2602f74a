"""What the mail server was found to refuse as From: taking note of it, and trying it again (M13)."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from depesche.mailroom.connections import alarms, senders
from depesche.mailroom.pages.rights import administrators_only


@require_POST
@administrators_only
def revoke(request: HttpRequest, rule_id: int) -> HttpResponse:
    """From now on mails go out From these addresses again, until the server refuses one."""
    rule = senders.revoke(rule_id, by=request.user)
    if rule is None:
        raise Http404
    alarms.forget()
    messages.success(
        request,
        _("Mails go out From addresses of %(domain)s again, until the server refuses one.")
        % {"domain": rule.domain},
    )
    return redirect("connections:outgoing")


@require_POST
@administrators_only
def seen(request: HttpRequest) -> HttpResponse:
    """Somebody has taken note: no alarm any more."""
    senders.note_seen(now=timezone.now())
    alarms.forget()
    return redirect("connections:outgoing")
