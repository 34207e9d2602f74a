"""`/metrics`: figures for Prometheus, counted from the database when they are asked for.

Numbers alone, no address and no name: like `/readyz` it is open to whoever reaches the server.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from depesche.mailroom.connections import alarms
from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections.queries import Flow
from depesche.mailroom.inbox import queries as inbox
from depesche.mailroom.outbox import queries as outbox
from depesche.mailroom.outbox.states import State


class Figures(Collector):
    """What outbox, connection and inbox say of themselves at this moment."""

    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        stats, health, settings = outbox.stats(now), connections.health(), connections.outgoing()
        by_state = GaugeMetricFamily(
            "depesche_outbox_recipients", "Recipients in the outbox, by state", labels=["state"]
        )
        for state in State:
            by_state.add_metric([state.value], stats.states.get(state.value, 0))
        yield by_state
        oldest = (now - stats.oldest_due_at).total_seconds() if stats.oldest_due_at else 0.0
        seen = alarms.lately(now, "")
        for name, text, value in (
            ("outbox_remaining", "Recipients that are due or in flight", stats.remaining),
            ("outbox_oldest_due_seconds", "Seconds since the oldest of them was due", oldest),
            ("outbox_accepted_per_second", "Recipients accepted a second by all workers, lately", stats.rate),
            ("workers", "Workers that are alive", stats.workers),
            ("connections_used", "SMTP connections held by the workers", stats.slots_used),
            ("connections_effective", "SMTP connections permitted just now", health.effective_cap),
            ("connections_configured", "maxNoOfSMTPConnections", settings.max_connections),
            ("mail_flows", "1 while mail flows, 0 while it is paused", int(health.flow is Flow.FLOWING)),
            ("inbox_held", "Received mails that wait for a person", inbox.held_count()),
            ("alarms", "Alarms that are not over", len(seen)),
        ):
            yield GaugeMetricFamily(f"depesche_{name}", text, value=float(value))


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    registry = CollectorRegistry()
    registry.register(Figures())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
