"""The catcher's pages: every caught mail as a person would see it, and a box to answer it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from depesche.mailformat.own_pictures import with_own_pictures
from depesche.mailroom.connections.queries import outgoing
from depesche.mailroom.inbox.handlers import Handled
from depesche.mailroom.inbox.models import Outcome
from depesche.server.catcher import answer, service
from depesche.server.catcher.store import CaughtMail
from depesche.tracker.accounts.queries import people

_LISTED = 100
_VIEWS = ("html", "text", "headers", "source")
_SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def catcher_page(view: View[P]) -> View[P]:
    """404 where no catcher runs; behind an administrator's login where other machines can reach it."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        catcher = service.running()
        if catcher is None:
            raise Http404
        if not catcher.open_to_all:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not request.user.is_staff:
                raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def _catcher() -> service.Catcher:
    catcher = service.running()
    if catcher is None:
        raise Http404
    return catcher


def _mail(name: str) -> CaughtMail:
    caught = _catcher().store.get(name)
    if caught is None:
        raise Http404
    return caught


def _summary(caught: CaughtMail) -> dict[str, Any]:
    author = next(iter(caught.mail.from_), None)
    return {
        "name": caught.name,
        "at": datetime.fromtimestamp(caught.caught_at, tz=UTC),
        "author": (author.display_name or author.addr_spec) if author else "?",
        "subject": caught.mail.subject,
        "recipients": ", ".join(caught.recipients),
        "size": caught.size,
        "attachments": len(caught.mail.attachments),
        "has_html": bool(caught.mail.html),
    }


def _listing(request: HttpRequest) -> dict[str, Any]:
    catcher = _catcher()
    words = request.GET.get("q", "").casefold().split()
    names = catcher.store.names()
    rows: list[dict[str, Any]] = []
    for name in names:
        if len(rows) >= _LISTED:
            break
        caught = catcher.store.get(name)
        if caught is None:
            continue
        row = _summary(caught)
        haystack = f"{row['author']} {row['subject']} {row['recipients']} {caught.mail.text}".casefold()
        if all(word in haystack for word in words):
            rows.append(row)
    return {
        "rows": rows,
        "total": len(names),
        "smtp_port": catcher.smtp_port,
        "q": request.GET.get("q", ""),
        "system_address": outgoing().system_address,
    }


@require_safe
@catcher_page
def mails(request: HttpRequest) -> HttpResponse:
    """All caught mails; the list alone for htmx."""
    context = _listing(request)
    if request.headers.get("HX-Request") and request.headers.get("HX-Target") == "caught":
        return render(
            request, "depesche/catcher/list.html", {**context, "current": request.GET.get("current")}
        )
    return render(request, "depesche/catcher/mails.html", {**context, "people": people()[:500]})


@require_safe
@catcher_page
def mail(request: HttpRequest, name: str) -> HttpResponse:
    """One mail: HTML, text, headers or source, and the answer box."""
    caught = _mail(name)
    shown = request.GET.get("view", "html" if caught.mail.html else "text")
    if shown not in _VIEWS:
        raise Http404
    return render(
        request,
        "depesche/catcher/mail.html",
        {
            **_listing(request),
            "caught": caught,
            "current": name,
            "view": shown,
            "summary": _summary(caught),
            "answer_to": answer.answer_address(caught.mail),
            "source": caught.raw.decode("utf-8", "replace") if shown == "source" else "",
            "handled": request.session.pop("catcher_handled", None),
        },
    )


@require_safe
@catcher_page
def html(request: HttpRequest, name: str) -> HttpResponse:
    """The mail's HTML for the sandboxed frame: its own pictures, no script, nothing loaded, an origin of its
    own.
    """
    caught = _mail(name).mail
    shown = with_own_pictures(caught.html or "", caught.attachments)
    response = HttpResponse(shown, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _SANDBOX
    return response


@require_POST
@catcher_page
def reply(request: HttpRequest, name: str) -> HttpResponse:
    """Answer as the recipient's mail program would, through the same intake as `inbox receive`."""
    caught = _mail(name)
    text = request.POST.get("text", "").strip()
    author = next(iter(caught.recipients), "")
    to = answer.answer_address(caught.mail)
    if not text or to is None:
        messages.error(request, _("Write an answer first."))
        return redirect("catcher:mail", name=name)
    raw = answer.build_answer(
        caught.mail,
        author=author,
        text=text,
        quote="quote" in request.POST,
        language=get_language() or "en",
        date=timezone.localtime(),
        message_id=f"<{uuid4()}@catcher.localhost>",
    )
    assert raw is not None
    if not service.is_system_address(to.addr_spec):
        _catcher().store.add(raw, sender=author, recipients=[to.addr_spec])
        messages.info(
            request, _("The answer goes to %(address)s, not to the tracker.") % {"address": to.addr_spec}
        )
        return redirect("catcher:mails")
    _say(request, service.take_in(raw, sender=author, recipient=to.addr_spec))
    return redirect("catcher:mail", name=name)


@require_POST
@catcher_page
def write(request: HttpRequest) -> HttpResponse:
    """A new mail from somebody to the system address."""
    author = request.POST.get("author", "").strip()
    text = request.POST.get("text", "").strip()
    subject = request.POST.get("subject", "").strip()
    to = outgoing().system_address
    if not (author and subject and text and to) or any(character in author for character in "\r\n"):
        messages.error(request, _("A mail needs a sender, a subject and a text."))
        return redirect("catcher:mails")
    raw = answer.build_new(
        author=author,
        to=to,
        subject=subject,
        text=text,
        date=timezone.localtime(),
        message_id=f"<{uuid4()}@catcher.localhost>",
    )
    _say(request, service.take_in(raw, sender=author, recipient=to))
    return redirect("catcher:mails")


@require_POST
@catcher_page
def clear(request: HttpRequest) -> HttpResponse:
    _catcher().store.clear()
    return redirect("catcher:mails")


def _say(request: HttpRequest, handled: Handled) -> None:
    outcome = Outcome(handled.outcome)
    link = f"{settings.DEPESCHE_BASE_URL}/items/{handled.item}" if handled.item else ""
    if outcome in (Outcome.COMMENT, Outcome.ITEM):
        text = _("It became: %(what)s, %(link)s") % {"what": outcome.label, "link": link}
        messages.success(request, text)
    elif outcome == Outcome.WAITING:  # the very same mail was there before, and a worker is at it
        messages.info(request, _("It is stored, and processed in a moment."))
    else:
        messages.warning(request, f"{outcome.label}: {handled.reason}")
