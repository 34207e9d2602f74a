"""What came in, what became of it and why; held mails to decide. For administrators."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from depesche.mailformat.reading import read
from depesche.mailroom.inbox import processing, queries
from depesche.mailroom.inbox.models import Outcome
from depesche.mailroom.inbox.queries import ReceivedRow
from depesche.mailroom.pages.rights import administrators_only

_PAGE = 50
_MAX_SHOWN = 200_000  # characters of a mail's source on the page; the download has all


@require_safe
@administrators_only
def received_list(request: HttpRequest) -> HttpResponse:
    """All received mails, by outcome and search words."""
    wanted = request.GET.get("outcome", "")
    outcome = Outcome(wanted) if wanted in Outcome.values and wanted else None
    before = request.GET.get("before", "")
    text = request.GET.get("q", "").strip()[:200]
    rows = queries.received(
        outcome, text=text, before=int(before) if before.isdecimal() else None, limit=_PAGE + 1
    )
    counted = queries.counts()
    return render(
        request,
        "depesche/inbox/list.html",
        {
            "rows": rows[:_PAGE],
            "more": rows[_PAGE - 1].id if len(rows) > _PAGE else None,
            "outcome": outcome.value if outcome else "",
            "q": text,
            "choices": [(one.value, one.label, counted.get(one.value, 0)) for one in Outcome if one.value],
            "held": counted.get(Outcome.HELD.value, 0),
            "total": sum(counted.values()),
        },
    )


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
    reading = read(raw)
    source = raw.decode("utf-8", "replace")
    return render(
        request,
        "depesche/inbox/detail.html",
        {
            "row": row,
            "mail": reading.mail,
            "reading": reading,
            "source": source[:_MAX_SHOWN],
            "shortened": len(source) > _MAX_SHOWN,
            "is_held": row.outcome is Outcome.HELD,
        },
    )


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
    """Take a held mail as proposed."""
    _row(received_id)
    try:
        handled = processing.accept_held(received_id, by=str(request.user))
    except (processing.NotHeld, LookupError):
        messages.warning(request, _("This mail is no longer held: somebody has decided already."))
    else:
        say = messages.success if handled.outcome in (Outcome.COMMENT, Outcome.ITEM) else messages.warning
        text = handled.reason or Outcome(handled.outcome).label
        say(request, f"{text} {handled.item}".strip())
    return redirect("inbox:detail", received_id=received_id)


@require_POST
@administrators_only
def discard(request: HttpRequest, received_id: int) -> HttpResponse:
    """Decide against a held mail. Its source stays."""
    _row(received_id)
    try:
        processing.discard_held(received_id, by=str(request.user))
    except processing.NotHeld:
        messages.warning(request, _("This mail is no longer held: somebody has decided already."))
    return redirect("inbox:detail", received_id=received_id)
