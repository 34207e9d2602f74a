"""The page of addresses that are not tried any more, and their way back. Administrators only."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from depesche.mailroom.outbox import addresses, suppression
from depesche.mailroom.pages.rights import administrators_only

_MOST = 200


@require_safe
@administrators_only
def address_list(request: HttpRequest) -> HttpResponse:
    """Every address that failed: those that are not tried any more, or all, by search words."""
    text = request.GET.get("q", "").strip()[:200]
    every = request.GET.get("all", "") == "1"
    rows = addresses.listed(text=text, only_suppressed=not every, limit=_MOST)
    return render(
        request,
        "depesche/outbox/addresses.html",
        {
            "rows": rows,
            "q": text,
            "every": every,
            "most": _MOST,
            "soft_times": suppression.SOFT_TIMES,
            "soft_days": suppression.SOFT_DAYS,
        },
    )


@require_POST
@administrators_only
def lift(request: HttpRequest) -> HttpResponse:
    """Try an address again."""
    address = request.POST.get("address", "")[:254]
    if addresses.lift(address, by=str(request.user), now=timezone.now()):
        messages.success(request, _("Mails to %(address)s go out again from now on.") % {"address": address})
    else:
        messages.error(request, _("This address is not held back."))
    return redirect("outbox:addresses")
