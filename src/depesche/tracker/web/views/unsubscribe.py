"""The link at the end of a mail, and a mail program's own button for it (RFC 8058): no sign-in needed.

GET only asks, since programs that check links open them; POST does it, also without cookies and CSRF token:
the signed token in the address is the right to it.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from depesche.tracker.notifications import unsubscribe as mutes
from depesche.tracker.notifications.unsubscribe import Subscription


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponseBase:
    found = mutes.read(token)
    if found is None:
        return render(request, "web/unsubscribe_dead.html", status=404)
    with translation.override(found.person.language):
        if request.method == "POST":
            mutes.mute(token)
            if "from-page" not in request.POST:  # a mail program's own button, which shows nothing of this
                return HttpResponse(status=200, content_type="text/plain")
            explanation = _(
                "No mail about %(key)s goes to %(address)s any more. “Watch” on its page undoes it."
            )
            return render(request, "web/unsubscribed.html", {"explanation": explanation % _names(found)})
        return render(
            request,
            "web/unsubscribe.html",
            {
                "question": _("No more mails about %(key)s?") % _names(found),
                "explanation": _("Mails about this item no longer go to %(address)s.") % _names(found),
            },
        )


def _names(subscription: Subscription) -> dict[str, str]:
    return {"key": subscription.item.key, "address": subscription.person.email}
