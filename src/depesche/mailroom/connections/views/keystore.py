"""The page of the keystore: which certificates are trusted (M10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from depesche.mailroom.connections import actions, certificates, queries
from depesche.mailroom.connections.diagnosis.causes import explain
from depesche.mailroom.connections.keystore_forms import ImportForm
from depesche.mailroom.connections.presented import actions as presented_actions
from depesche.mailroom.connections.presented.queries import PresentedRow, Target, presented, targets
from depesche.mailroom.connections.queries import KeystoreRow
from depesche.mailroom.connections.views.common import mail_context
from depesche.mailroom.pages.rights import administrators_only

_SOON = 30  # days


@dataclass(frozen=True)
class Entry:
    """A trusted certificate as the page shows it."""

    row: KeystoreRow
    kind: str
    holds_for: str
    fingerprint: str
    days: int

    @property
    def state(self) -> str:
        """expired, soon or fine"""
        if self.days < 0:
            return "expired"
        return "soon" if self.days < _SOON else "fine"


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def keystore(request: HttpRequest) -> HttpResponse:
    """What is trusted; import a file."""
    form = ImportForm()
    status = 200
    if request.method == "POST":
        form = ImportForm(request.POST, request.FILES)
        if form.is_valid() and _import(request, form):
            return redirect("connections:keystore")
        status = 422
    now = timezone.now()
    context = {
        **mail_context(),
        "entries": [entry_of(row, now) for row in queries.keystore()],
        "form": form,
        "servers": _servers(now),
    }
    return render(request, "depesche/connections/keystore.html", context, status=status)


@require_POST
@administrators_only
def seen(request: HttpRequest, row_id: int) -> HttpResponse:
    """That a server's certificate has changed is known."""
    presented_actions.noticed(row_id, now=timezone.now())
    return redirect("connections:keystore")


@dataclass(frozen=True)
class Server:
    """A server of the settings, and what it showed last, if that is known."""

    target: Target
    shown: PresentedRow | None
    days: int
    news: bool

    @property
    def query(self) -> str:
        """For the page that looks at its certificate."""
        target = self.target
        return urlencode({"host": target.host, "port": target.port, "starttls": target.starttls or ""})

    @property
    def prints(self) -> tuple[str, str]:
        """The fingerprints before and now."""
        if self.shown is None:
            return "", ""
        return (
            certificates.in_groups(self.shown.old_sha256),
            certificates.in_groups(self.shown.sha256),
        )

    @property
    def problem(self) -> str:
        """Why what it shows does not verify; "" where it does."""
        if self.shown is None or not self.shown.problem:
            return ""
        return explain(self.shown.problem, {"host": self.target.host, "port": self.target.port}).title


def _servers(now: datetime) -> list[Server]:
    known = {(row.host, row.port): row for row in presented()}
    found = []
    for target in targets():
        row = known.get((target.host, target.port))
        days = (row.not_after - now).days if row is not None else 0
        found.append(Server(target, row, days, news=row is not None and row.news(now)))
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def remove(request: HttpRequest, entry_id: int) -> HttpResponse:
    """Ask, then no longer trust an entry."""
    row = next((row for row in queries.keystore() if row.id == entry_id), None)
    if row is None:
        raise Http404
    if request.method == "POST":
        actions.remove_certificate(entry_id, by=request.user)
        messages.success(request, _("“%(subject)s” is no longer trusted.") % {"subject": row.subject})
        return redirect("connections:keystore")
    context = {**mail_context(), "entry": entry_of(row, timezone.now())}
    return render(request, "depesche/connections/keystore_remove.html", context)


def _import(request: HttpRequest, form: ImportForm) -> bool:
    values = form.cleaned_data
    octets = values["file"].read(certificates.MAX_OCTETS + 1)
    before = {row.id for row in queries.keystore()}
    try:
        rows = actions.import_certificates(octets, host=values["host"], port=values["port"], by=request.user)
    except certificates.BadCertificateFile as error:
        form.add_error("file", str(error))
        return False
    new = [row for row in rows if row.id not in before]
    if not new:
        messages.info(request, _("Everything in this file was trusted already."))
        return True
    text = ngettext(
        "Trusted from now on: %(names)s.",
        "%(count)d certificates are trusted from now on: %(names)s.",
        len(new),
    )
    names = ", ".join(row.subject for row in new[:5]) + (" …" if len(new) > 5 else "")
    messages.success(request, text % {"count": len(new), "names": names})
    return True


def entry_of(row: KeystoreRow, now: datetime) -> Entry:
    kinds = {"ca": _("Authority"), "leaf": _("Server certificate"), "pin": _("This certificate exactly")}
    if row.host:
        holds_for = _("%(host)s, port %(port)s") % {"host": row.host, "port": row.port}
    elif row.kind == "leaf":
        holds_for = ", ".join(row.names) or _("the names in it")
    else:
        holds_for = _("every configured server")
    return Entry(
        row=row,
        kind=kinds.get(row.kind, row.kind),
        holds_for=holds_for,
        fingerprint=certificates.in_groups(row.sha256),
        days=(row.not_after - now).days if row.not_after > now else -1,
    )
