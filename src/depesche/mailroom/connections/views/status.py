"""Mail status: first the answer whether mail flows, then the way of a mail."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from depesche.mailroom.connections import figures, queries
from depesche.mailroom.connections.diagnosis.pauses import cause_of_pause
from depesche.mailroom.connections.queries import Flow
from depesche.mailroom.connections.views.keystore import entry_of
from depesche.mailroom.pages.rights import administrators_only


@require_safe
@administrators_only
def status(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    outgoing, health = queries.outgoing(), queries.health()
    cause = cause_of_pause(health) if health.flow is Flow.PAUSED else None
    entries = [entry_of(row, now) for row in queries.keystore()]
    outbox, inbox = figures.outbox(now), figures.inbox(now)
    ending = [entry for entry in entries if entry.state != "fine"]
    waiting = (
        outbox is not None and (outbox.needs_person or outbox.failed or not outbox.workers),
        inbox is not None and inbox.held,
        ending,
    )
    context = {
        "health": health,
        "flow": health.flow.value,
        "cause": cause,
        "outgoing": outgoing,
        "incoming": queries.incoming(),
        "outbox": outbox,
        "inbox": inbox,
        "ending": ending,
        "needs_nobody": not any(waiting),
    }
    return render(request, "depesche/connections/status.html", context)
