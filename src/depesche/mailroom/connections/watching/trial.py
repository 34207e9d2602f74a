"""Trying the ways of alarm with what stands in a form, saved or not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext as _

from depesche.mailroom.connections.watching import actions, telling, webhook
from depesche.mailroom.connections.watching.forms import AlarmForm
from depesche.mailroom.connections.watching.models import Way
from depesche.mailroom.connections.watching.queries import AlarmWays


@dataclass(frozen=True)
class Tried:
    """How a test through one way ended: `said` is one sentence in the reader's language."""

    way: str
    ok: bool
    said: str


def tell(form: AlarmForm, *, now: datetime) -> list[Tried]:
    """Tell a test alarm through every way of a valid form; empty when none is set up."""
    wanted = form.cleaned_data
    ways = AlarmWays(language=wanted["language"], mail=wanted["mail"], mail_to=tuple(wanted["mail_to"]))
    tried = []
    if where := actions.webhook_of(form):
        with translation.override(ways.spoken):
            payload = telling.test_payload(now)
        answer = webhook.post(
            where[0], payload, identity="test", secret=where[1], seconds=int(now.timestamp())
        )
        fine = _("%(host)s took it (%(status)s).") % {"host": where[0].host, "status": answer.status}
        tried.append(Tried(Way.WEBHOOK, answer.taken, answer.error or fine))
    if ways.mail:
        tried.append(_by_mail(ways, now))
    return tried


def _by_mail(ways: AlarmWays, now: datetime) -> Tried:
    if not telling.a_connection_works():
        return Tried(Way.MAIL, False, _("No connection works just now: an alarm by mail would wait."))
    with translation.override(ways.spoken):
        payload = telling.test_payload(now)
        subject = telling.headline(payload["title"], "test")
        error = telling.write(subject, f"{payload['why']}\n\n{payload['link']}\n", ways, now=now)
    if error:
        return Tried(Way.MAIL, False, error)
    to = ", ".join(ways.mail_to or telling.administrators())
    return Tried(Way.MAIL, True, _("A mail to %(to)s is in the outbox.") % {"to": to})
