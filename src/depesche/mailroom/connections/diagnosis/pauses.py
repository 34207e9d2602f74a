"""Why no mail goes out, in the reader's language: what the workers wrote down, explained."""

from __future__ import annotations

from django.utils.translation import gettext

from depesche.mailroom.connections import access, queries
from depesche.mailroom.connections.diagnosis.causes import code_of, explain
from depesche.mailroom.connections.diagnosis.replies import ABOUT_SENDER
from depesche.mailroom.connections.diagnosis.steps import Cause
from depesche.mailroom.connections.queries import Flow, Health


def cause_of_pause(health: Health) -> Cause:
    """Why no mail goes out, and what to do."""
    if health.flow is Flow.UNCONFIGURED:
        return explain("no-server")
    detail = health.reply
    if health.cause == "not-configured":
        detail = _what_is_missing() or detail
    facts = dict(health.facts)
    if health.cause not in ABOUT_SENDER:  # then the address in question is some recipient's
        facts.pop("address", None)
    return explain(
        code_of(health.cause, health.stage),
        facts,
        detail=detail or gettext("The reason was not written down."),
    )


def reason_of_pause(health: Health) -> str:
    """Why no mail goes out, as one sentence or two; empty while it flows."""
    if health.flow is Flow.FLOWING:
        return ""
    cause = cause_of_pause(health)
    return f"{cause.title}. {cause.sentence}".rstrip(".") + "."


def _what_is_missing() -> str:
    """The worker wrote its sentence down in its own language; this one is in the reader's."""
    try:
        access.smtp_config(queries.outgoing())
    except access.NotConfigured as error:
        return str(error)
    return ""
