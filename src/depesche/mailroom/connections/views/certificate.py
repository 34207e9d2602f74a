"""The sheet "is this your mail server?": what a server shows, judged, compared and perhaps trusted (M10).

It stands on a page of its own, or, with script, in the panel of the test, so that the form beside it keeps
what was typed. What is trusted is what was shown: the sheet carries the certificate itself, and the server is
not asked a second time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from depesche.mailroom.connections import actions, certificates, inspection, validation
from depesche.mailroom.connections.certificates import BadCertificateFile, Kind
from depesche.mailroom.connections.diagnosis.causes import explain
from depesche.mailroom.connections.diagnosis.plan import STEP_SECONDS
from depesche.mailroom.connections.fetch import CannotFetch
from depesche.mailroom.connections.forms import IncomingForm, OutgoingForm
from depesche.mailroom.connections.inspection import Sighting
from depesche.mailroom.connections.keystore_forms import FetchForm
from depesche.mailroom.connections.ports import implicit_mailbox, implicit_smtp
from depesche.mailroom.connections.views import failover, incoming, outgoing
from depesche.mailroom.connections.views.common import is_htmx, mail_context
from depesche.mailroom.pages.numbers import whole_number
from depesche.mailroom.pages.rights import administrators_only

_PAGE = "depesche/connections/certificate.html"
_SHEET = "depesche/connections/certificate_sheet.html"


def _test_mailbox(request: HttpRequest) -> HttpResponseBase:
    place = whole_number(request.POST.get("place", "")) or 0
    response: HttpResponseBase = incoming.start_test(request, place)
    return response


_TESTS: dict[str, Callable[[HttpRequest], HttpResponseBase]] = {
    "outgoing": outgoing.start_test,
    "failover": failover.start_test,
    "incoming": _test_mailbox,
}
_CARRIED = frozenset({*OutgoingForm.base_fields, *IncomingForm.base_fields, "to", "place"} - {"password"})
"""What of a settings form comes along without script: never a password or another secret."""


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def certificate(request: HttpRequest) -> HttpResponse:
    """Which server; then what it shows. A GET asks no server anything."""
    if request.method != "POST":
        wanted = {key: request.GET[key] for key in ("host", "port", "starttls") if key in request.GET}
        return render(request, _PAGE, {**mail_context(), "form": FetchForm(initial=wanted)})
    what = request.POST.get("what", "")
    form = FetchForm(_server(request.POST, what))
    context: dict[str, Any] = {"form": form, "what": what, "panel": is_htmx(request)}
    if form.is_valid():
        values = form.cleaned_data
        try:
            seen = inspection.look(
                values["host"], values["port"], starttls=values["starttls"] or None, timeout=STEP_SECONDS
            )
        except CannotFetch as error:
            facts = {"host": values["host"], "port": values["port"], "seconds": f"{STEP_SECONDS:g}"}
            context["cause"] = explain(error.cause.value, facts, detail=error.detail)
        else:
            context |= _shown(seen)
            context["carried"] = [
                (key, value) for key, value in request.POST.items() if what in _TESTS and key in _CARRIED
            ]
    if is_htmx(request):
        return render(request, _SHEET, context)
    return render(request, _PAGE, {**mail_context(), **context}, status=200 if context.get("seen") else 422)


@require_POST
@administrators_only
def trust(request: HttpRequest) -> HttpResponseBase:
    """Trust the certificate that the sheet carries, or its authority; then repeat the test, if there was
    one."""
    what = request.POST.get("what", "")
    problem = _trust(request)
    if what in _TESTS and not problem:
        again: HttpResponseBase = _TESTS[what](request)
        return again
    if is_htmx(request):
        return render(request, _SHEET, {"problem": problem, "what": what, "panel": True})
    if problem:
        messages.error(request, problem)
        return redirect("connections:certificate")
    return redirect("connections:keystore")


def _trust(request: HttpRequest) -> str:
    """Do it; or why it was not done."""
    post = request.POST
    try:
        host, port = validation.host(post.get("cert_host", "")), validation.port(post.get("cert_port", ""))
        kind: Kind = "ca" if post.get("cert_as") == "ca" else "pin"
        (found,) = certificates.read(post.get(f"cert_{kind}", "").encode())
    except (ValidationError, BadCertificateFile, ValueError):
        return _("Nothing was trusted: look at the server’s certificate again.")
    if not host or port is None:
        return _("Nothing was trusted: look at the server’s certificate again.")
    given = re.sub(r"[:\s]", "", post.get("fingerprint", "")).lower()
    own = certificates.read(post.get("cert_pin", "").encode())[0]
    if given and given not in (found.sha256, own.sha256):
        return _(
            "Nothing was trusted: the fingerprint that you were given is another one. Somebody may stand "
            "between you and the server. Ask whoever runs it."
        )
    row = actions.trust_certificate(found, host=host, port=port, kind=kind, by=request.user)
    text = _("Trusted from now on for %(host)s, port %(port)s: %(subject)s.")
    messages.success(request, text % {"host": host, "port": port, "subject": row.subject})
    return ""


def _server(post: Mapping[str, str], what: str) -> dict[str, str]:
    """Host, port and what is spoken before TLS, from the sheet's own form or from a settings form."""
    host, port = post.get("host", ""), post.get("port", "")
    if not what:
        return {"host": host, "port": port, "starttls": post.get("starttls", "")}
    encryption, number = post.get("encryption", ""), whole_number(port) or 0
    if what == "incoming":
        protocol = post.get("protocol", "imap")
        starttls = "" if implicit_mailbox(protocol, encryption, number) else protocol
    else:
        starttls = "" if implicit_smtp(encryption, number) else "smtp"
    return {"host": host, "port": port, "starttls": starttls}


def _shown(seen: Sighting) -> dict[str, Any]:
    own = seen.own
    whole = max((own.not_after - own.not_before).total_seconds(), 1)
    passed = min(max((seen.at - own.not_before).total_seconds() / whole, 0), 1)
    authority = seen.authorities[0] if seen.authorities else None
    return {
        "seen": seen,
        "own": own,
        "authority": authority,
        "groups": _in_fours(own.sha256),
        "passed": round(100 * passed),
        "question": _question(seen),
        "replaced": [(row, _in_fours(row.sha256)) for row in seen.replaced],
    }


def _in_fours(sha256: str) -> list[str]:
    return [sha256[at : at + 4].upper() for at in range(0, 64, 4)]


def _question(seen: Sighting) -> str:
    """A question for whoever runs the server, to be copied."""
    return _(
        "Our tracker is to submit mail through %(host)s, port %(port)s. The server shows a certificate for "
        "“%(subject)s”, issued by “%(issuer)s”, with the SHA-256 fingerprint %(fingerprint)s. Is that the "
        "right one?"
    ) % {
        "host": seen.host,
        "port": seen.port,
        "subject": seen.own.subject,
        "issuer": seen.own.issuer,
        "fingerprint": certificates.in_groups(seen.own.sha256),
    }
