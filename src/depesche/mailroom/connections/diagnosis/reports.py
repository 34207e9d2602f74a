"""A test as plain text, to be copied into a mail to whoever runs the server. No secret is in the steps."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone
from django.utils.translation import gettext as _

from depesche.mailroom.connections.diagnosis.records import Report
from depesche.mailroom.connections.diagnosis.steps import HIDDEN, Step


def as_text(report: Report) -> str:
    """Everything that the test has found out, in the language in force."""
    moment = timezone.localtime(report.started_at)
    title = _("Test of the mail connection") if report.what == "outgoing" else _("Test of the mailbox")
    lines = [f"{title}, {moment:%Y-%m-%d %H:%M:%S %z}", ""]
    for step in report.steps:
        lines += _step(step)
    return "\n".join(lines).rstrip() + "\n"


def _step(step: Step) -> Iterator[str]:
    ms = f", {step.ms} ms" if step.ms is not None else ""
    yield f"{step.label} ({step.name.value}): {step.result}{ms}"
    if step.fact:
        yield f"    {step.fact}"
    if step.cause is not None:
        yield f"    {_('Cause')} ({step.cause.code}): {step.cause.title}. {step.cause.sentence}"
        yield f"    {_('Remedy')}: {step.cause.remedy}"
    for line in step.transcript:
        yield "    | " + line.replace(HIDDEN, f"({_('hidden')})")
