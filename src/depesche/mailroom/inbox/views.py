"""What came in, what became of it and why; held mails to decide. For administrators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from depesche.mailformat.own_pictures import with_own_pictures
from depesche.mailroom.inbox import processing, queries, reader
from depesche.mailroom.inbox.handlers import Choice, Handled, Sentence
from depesche.mailroom.inbox.models import Outcome
from depesche.mailroom.inbox.queries import ReceivedRow
from depesche.mailroom.pages.numbers import whole_number
from depesche.mailroom.pages.rights import administrators_only

_PAGE = 50
_AT_ONCE = 10  # held mails that the list lets one decide
_VIEWS = frozenset({"text", "html", "headers", "source"})
_SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"
_MAX_HTML = 2_000_000  # characters of a mail's HTML that are shown
_MAX_SHOWN = 200_000  # characters of a mail's source on the page; the download has all


@require_safe
@administrators_only
def received_list(request: HttpRequest) -> HttpResponse:
    """All received mails, by outcome and search words."""
    wanted = request.GET.get("outcome", "")
    outcome = Outcome(wanted) if wanted in Outcome.values and wanted else None
    before = request.GET.get("before", "")
    text = request.GET.get("q", "").replace("\0", "").strip()[:200]
    sources = queries.sources()
    source = request.GET.get("source", "")
    source = source if source in sources else ""
    rows = queries.received(
        outcome,
        text=text,
        source=source,
        before=whole_number(before),
        limit=_PAGE + 1,
    )
    deciding = not text and not source and outcome in (None, Outcome.HELD) and not before
    held = queries.received(Outcome.HELD, limit=_AT_ONCE) if deciding else []
    counted = queries.counts()
    return render(
        request,
        "depesche/inbox/list.html",
        {
            "rows": rows[:_PAGE],
            "more": rows[_PAGE - 1].id if len(rows) > _PAGE else None,
            "outcome": outcome.value if outcome else "",
            "q": text,
            "source": source,
            "sources": sources,
            "to_decide": [Held.of(row) for row in held],
            "choices": [(one.value, one.label, counted.get(one.value, 0)) for one in Outcome if one.value],
            "held": counted.get(Outcome.HELD.value, 0),
            "total": sum(counted.values()),
        },
    )


@dataclass(frozen=True)
class Held:
    """A held mail with what it may become, as the pages show it."""

    id: int
    subject: str
    from_address: str
    received_at: datetime
    reason: str
    excerpt: str
    choices: Sequence[Choice]

    @classmethod
    def of(cls, row: ReceivedRow) -> Held:
        offered = processing.choices(row.handler, row.proposal)
        excerpt = " ".join(str(row.proposal.get("excerpt", "")).split())
        return cls(row.id, row.subject, row.from_address, row.received_at, row.reason, excerpt, offered)


def _row(received_id: int) -> ReceivedRow:
    row = queries.received_mail(received_id)
    if row is None:
        raise Http404
    return row


@require_safe
@administrators_only
def detail(request: HttpRequest, received_id: int) -> HttpResponse:
    """One received mail: the text taken over, what was cut, and its source."""
    row = _row(received_id)
    raw = queries.raw_mail(received_id) or b""
    try:
        reading = reader.read(raw)
    except reader.Unreadable:
        reading = None
    view = request.GET.get("view", "text" if reading else "source")
    if view not in _VIEWS:
        raise Http404
    # Cut first: a mail of 50 MB is not decoded for the part that is shown.
    head = raw[: 4 * _MAX_SHOWN]
    if view == "headers":
        head = min(head.partition(b"\r\n\r\n")[0], head.partition(b"\n\n")[0], key=len)
    source = head.decode("utf-8", "replace") if view in ("headers", "source") else ""
    held = Held.of(row) if row.outcome is Outcome.HELD else None
    return render(
        request,
        "depesche/inbox/detail.html",
        {
            "row": row,
            "held": held,
            "view": view,
            "mail": reading.mail if reading else None,
            "reading": reading,
            "source": source[:_MAX_SHOWN],
            "shortened": len(source) > _MAX_SHOWN or (view == "source" and len(raw) > 4 * _MAX_SHOWN),
            "is_held": row.outcome is Outcome.HELD,
            "is_replayable": row.outcome in processing.REPLAYABLE,
        },
    )


@require_safe
@administrators_only
def html(request: HttpRequest, received_id: int) -> HttpResponse:
    """The mail's HTML for the sandboxed frame: its own pictures, no script, nothing loaded, an origin of its
    own.
    """
    raw = queries.raw_mail(received_id)
    if raw is None:
        raise Http404
    try:
        mail = reader.read(raw).mail
        shown = with_own_pictures((mail.html or "")[:_MAX_HTML], mail.attachments)
    except reader.Unreadable:
        shown = ""
    response = HttpResponse(shown, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _SANDBOX
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_safe
@administrators_only
def source(request: HttpRequest, received_id: int) -> HttpResponse:
    """The raw mail as a file: never shown by a browser as what it claims to be."""
    raw = queries.raw_mail(received_id)
    if raw is None:
        raise Http404
    response = HttpResponse(raw, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="received-{received_id}.eml"'
    return response


@require_POST
@administrators_only
def accept(request: HttpRequest, received_id: int) -> HttpResponse:
    """Do with a held mail what was chosen; without a choice what is likeliest."""
    _row(received_id)
    choice = request.POST.get("choice", "")[:80]
    try:
        handled = processing.accept_held(received_id, by=str(request.user), choice=choice)
    except processing.NotHeld:
        messages.warning(request, _("This mail is no longer held: somebody has decided already."))
    except LookupError:
        messages.error(request, _("Whoever held this mail is not installed any more. It can be discarded."))
    except reader.Unreadable as error:
        messages.error(request, Sentence(processing.NOT_READ[error.trouble]).in_words())
    else:
        _say(request, handled)
    return _back(request, received_id)


@require_POST
@administrators_only
def discard(request: HttpRequest, received_id: int) -> HttpResponse:
    """Decide against a held mail. Its source stays."""
    _row(received_id)
    try:
        processing.discard_held(received_id, by=str(request.user))
    except processing.NotHeld:
        messages.warning(request, _("This mail is no longer held: somebody has decided already."))
    return _back(request, received_id)


def _back(request: HttpRequest, received_id: int) -> HttpResponse:
    """To where it was decided: the list, for the next one, or the mail."""
    if request.POST.get("back") == "list":
        return redirect("inbox:list")
    return redirect("inbox:detail", received_id=received_id)


@require_POST
@administrators_only
def replay(request: HttpRequest, received_id: int) -> HttpResponse:
    """Process a mail anew that has had no effect: settings and people may have changed."""
    _row(received_id)
    try:
        handled = processing.replay(received_id, by=str(request.user))
    except processing.NotReplayable:
        messages.warning(request, _("This mail has been processed by somebody else meanwhile."))
    else:
        _say(request, handled)
    return redirect("inbox:detail", received_id=received_id)


def _say(request: HttpRequest, handled: Handled) -> None:
    say = messages.success if handled.outcome in (Outcome.COMMENT, Outcome.ITEM) else messages.warning
    reason = handled.reason
    words = reason.in_words() if isinstance(reason, Sentence) else reason
    say(request, f"{words or Outcome(handled.outcome).label} {handled.item}".strip())
