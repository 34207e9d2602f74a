"""Mail status: first the answer whether mail flows, then the way of a mail."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from depesche.mailroom.connections import alarms, figures, queries
from depesche.mailroom.connections.diagnosis.pauses import cause_of_pause
from depesche.mailroom.connections.queries import Flow
from depesche.mailroom.connections.views.alarms import shown
from depesche.mailroom.connections.views.common import failover_card
from depesche.mailroom.pages.rights import administrators_only

# The page has places of its own for these.
_SAID_OTHERWISE = frozenset(
    {"no-server", "paused", "mails-held", "mails-fail", "inbox-held", "failover-in-use"}
)


@require_safe
@administrators_only
def status(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    outgoing, health = queries.outgoing(), queries.health()
    cause = cause_of_pause(health) if health.flow is Flow.PAUSED else None
    outbox, inbox = figures.outbox(now), figures.inbox(now)
    found = [alarm for alarm in alarms.current(now) if alarm.code not in _SAID_OTHERWISE]
    trouble = next((one for one in found if one.level is alarms.Level.CRITICAL), None)
    waiting = (
        outbox is not None and (outbox.needs_person or outbox.failed),
        inbox is not None and inbox.held,
        found,
    )
    context = {
        "health": health,
        "failover": failover_card(),
        "failover_cap": queries.health(1).effective_cap,
        "flow": health.flow.value,
        "cause": cause,
        "outgoing": outgoing,
        "incoming": queries.incoming(),
        "outbox": outbox,
        "inbox": inbox,
        "alarms": [shown(alarm) for alarm in found],
        "trouble": trouble.words if trouble is not None and health.flow is Flow.FLOWING else None,
        "needs_nobody": not any(waiting),
    }
    return render(request, "depesche/connections/status.html", context)
