"""The outbox page: what goes out, what the server said, what happens next and how to step in. Administrators
only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections.diagnosis.pauses import reason_of_pause
from depesche.mailroom.outbox import actions, addresses, queries
from depesche.mailroom.outbox.categories import Category
from depesche.mailroom.outbox.queries import RecipientDetail
from depesche.mailroom.outbox.states import State, sources_of
from depesche.mailroom.pages.numbers import whole_number
from depesche.mailroom.pages.rights import administrators_only

_PAGE = 50
_RETRIABLE = (sources_of(State.QUEUED) - {State.IN_FLIGHT}) | {State.DEFERRED}
_CANCELLABLE = sources_of(State.CANCELLED)
_KINDS: dict[str, object] = {
    Category.NOTICE: gettext_lazy("notice about an item"),
    Category.REMINDER: gettext_lazy("reminder"),
    Category.ACCOUNT: gettext_lazy("account mail"),
    Category.ANSWER: gettext_lazy("automatic answer"),
    Category.MAIL: gettext_lazy("mail of a program"),
}


@require_safe
@administrators_only
def recipient_list(request: HttpRequest) -> HttpResponse:
    """All recipients, newest first, by state and search words; with htmx the live part alone."""
    wanted = request.GET.get("state", "")
    state = wanted if wanted in State.values else ""
    before = request.GET.get("before", "")
    text = request.GET.get("q", "").strip()[:200]
    rows = queries.recipients(state or None, text, whole_number(before), _PAGE + 1)
    stats = queries.stats()
    health = connections.health()
    live = request.headers.get("HX-Target") == "outbox-live"
    return render(
        request,
        "depesche/outbox/live.html" if live else "depesche/outbox/list.html",
        {
            "rows": rows[:_PAGE],
            "more": rows[_PAGE - 1].id if len(rows) > _PAGE else None,
            "state": state,
            "q": text,
            "before": before,
            "choices": [(one.value, one.label, stats.states.get(one.value, 0)) for one in State],
            "suppressed_addresses": addresses.suppressed_count(),
            "total": sum(stats.states.values()),
            "failed": stats.states.get(State.FAILED, 0),
            "stats": stats,
            "health": health,
            "reason_of_pause": reason_of_pause(health),
        },
    )


@dataclass(frozen=True)
class Event:
    """One station on the wire of a mail."""

    state: str
    at: datetime | None
    words: str
    seconds: float | None = None


def _events(detail: RecipientDetail) -> list[Event]:
    row = detail.row
    events = [Event("queued", row.created_at, "")]
    for one in detail.attempts:
        took = (one.ended_at - one.started_at).total_seconds() if one.started_at else None
        events.append(Event(one.outcome, one.ended_at, one.reply, took))
    last = detail.attempts[-1].outcome if detail.attempts else "queued"
    if row.accepted_at is not None and row.state is not State.ACCEPTED:
        events.append(Event("accepted", row.accepted_at, ""))
    if row.state.value != last:
        at = row.accepted_at if row.state is State.ACCEPTED else row.updated_at
        events.append(Event(row.state.value, at, row.reply if row.state is not State.QUEUED else ""))
    return events


@require_safe
@administrators_only
def detail(request: HttpRequest, recipient_id: int) -> HttpResponse:
    """One recipient: the next step first, then the wire of attempts."""
    found = queries.recipient(recipient_id)
    if found is None:
        raise Http404
    state = found.row.state
    return render(
        request,
        "depesche/outbox/detail.html",
        {
            "detail": found,
            "row": found.row,
            "events": _events(found),
            "kind": _KINDS.get(found.row.category, found.row.category),
            "next": _next_step(found),
            "flows": connections.health().flow is connections.Flow.FLOWING,
            "may_retry": state in _RETRIABLE and not found.erased,
            "may_cancel": state in _CANCELLABLE,
            "now_label": _("Try now") if state is State.DEFERRED else _("Send again"),
            "moving": state in (State.QUEUED, State.IN_FLIGHT, State.UNCERTAIN, State.DEFERRED),
        },
    )


def _next_step(detail: RecipientDetail) -> str:
    """What the system does next, as a sentence; the template adds times."""
    row = detail.row
    health = connections.health()
    if row.state in (State.QUEUED, State.DEFERRED) and health.flow is connections.Flow.UNCONFIGURED:
        return _("It waits until a server and a system address are configured.")
    if row.state in (State.QUEUED, State.DEFERRED) and health.flow is connections.Flow.PAUSED:
        return _("It waits: the connection is paused. It goes as soon as the connection works again.")
    if row.state is State.QUEUED and row.next_attempt_at and row.next_attempt_at <= timezone.now():
        return _("It goes out as soon as a connection is free.")
    return {
        State.QUEUED: _("It goes out at the time below."),
        State.IN_FLIGHT: _("It is being handed to the server now."),
        State.ACCEPTED: _("Nothing: the server has taken responsibility for it."),
        State.DEFERRED: _("The server asked to try again later."),
        State.FAILED: _("Nothing by itself: the server refused it for good."),
        State.UNCERTAIN: _(
            "The line was cut between the content and the server’s answer. It goes again with the same "
            "Message-ID, so that mail programs can see that both are one."
        ),
        State.HELD: _(
            "It waits for you: the line was cut between the content and the server’s answer, and a mail of "
            "this kind is not repeated without a person’s decision."
        ),
        State.EXPIRED: _("Nothing by itself: its time had passed before the server took it."),
        State.DELIVERED: _("Nothing: a report says that it was delivered."),
        State.DELAYED: _("The receiving side reports a delay and keeps trying."),
        State.BOUNCED: _("Nothing by itself: a report says that it could not be delivered."),
        State.CANCELLED: _("Nothing: it was withdrawn."),
        State.SUPPRESSED: _(
            "Nothing by itself: it was not tried, since earlier mails to this address came back."
        ),
    }[row.state]


@require_POST
@administrators_only
def retry(request: HttpRequest, recipient_id: int) -> HttpResponse:
    """Queue one recipient again."""
    if actions.retry([recipient_id]):
        messages.success(request, _("Queued again. It goes out as soon as a connection is free."))
    else:
        messages.error(request, _("It was not queued again: its state no longer permits it."))
    return redirect("outbox:detail", recipient_id)


@require_POST
@administrators_only
def cancel(request: HttpRequest, recipient_id: int) -> HttpResponse:
    """Withdraw one recipient that has not gone out."""
    if actions.cancel([recipient_id]):
        messages.success(request, _("Withdrawn. It will not go out."))
    else:
        messages.error(request, _("It could not be withdrawn: it is already on its way."))
    return redirect("outbox:detail", recipient_id)


@require_POST
@administrators_only
def retry_failed(request: HttpRequest) -> HttpResponse:
    """Queue every failed recipient again."""
    count = actions.retry_all_failed()
    messages.success(
        request,
        ngettext("%(count)d mail was queued again.", "%(count)d mails were queued again.", count)
        % {"count": count},
    )
    return redirect("outbox:list")
