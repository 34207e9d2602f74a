"""{% load connections %}: how steps of a test are shown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from django import template
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from depesche.mailroom.connections.certificates import in_groups
from depesche.mailroom.connections.diagnosis.records import Report
from depesche.mailroom.connections.diagnosis.reports import as_text
from depesche.mailroom.connections.diagnosis.steps import HIDDEN, LABELS, Step, StepName

register = template.Library()


@register.filter
def transcript(lines: Iterable[str]) -> SafeString:
    """The lines, what we said in bold, what was hidden as a mark. Redacted long before it comes here."""
    mark = format_html("<mark>{}</mark>", _("hidden"))
    rows = []
    for line in lines:
        row = format_html_join(mark, "{}", ((part,) for part in line.split(HIDDEN)))
        rows.append(format_html("<b>{}</b>", row) if line.startswith("C:") else row)
    return mark_safe("\n".join(rows))  # noqa: S308  each row was escaped above


@register.filter
def duration(ms: int) -> str:
    """420 ms, 6.1 s."""
    if ms < 1000:
        return f"{ms}\N{NO-BREAK SPACE}ms"
    return f"{number_format(ms / 1000, 1)}\N{NO-BREAK SPACE}s"


@register.filter
def report_text(report: Report) -> str:
    """The whole test, to be copied."""
    return as_text(report)


@register.filter
def fingerprint(sha256: str) -> str:
    """`7C:41:0E…`"""
    return in_groups(sha256)


@register.filter
def step_label(name: StepName) -> str:
    return str(LABELS[StepName(name)])


@register.filter
def number_in(step: Step, report: Report) -> int:
    return report.number_of(step)


@register.filter
def assignments(change: Mapping[str, str]) -> str:
    """`encryption=tls port=587`"""
    return " ".join(f"{key}={value}" for key, value in change.items())


@register.filter
def place_of(code: str) -> str:
    """Where this cause is set right: certificate, incoming, or "" for the page with the form."""
    if code.startswith("cert-"):
        return "certificate"
    return "incoming" if code in _AT_THE_MAILBOX else ""


_AT_THE_MAILBOX = frozenset({"mailbox-login", "mailbox-unreachable", "mailbox-not-addressed", "not-arrived"})


@register.filter
def as_json(value: object) -> str:
    return json.dumps(value)
