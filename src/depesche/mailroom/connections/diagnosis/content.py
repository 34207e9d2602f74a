"""The test mail: short, in the language of the person who asked for it, and recognisable."""

from __future__ import annotations

import html
import secrets as chance
from datetime import datetime

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from depesche.mailformat import compose
from depesche.mailformat.addresses import Address
from depesche.mailroom.connections.diagnosis.plan import Plan
from depesche.mailroom.connections.sender_policy import from_for


def test_mail(plan: Plan, *, now: datetime) -> bytes:
    """The whole mail as it is submitted (8-bit, CRLF)."""
    settings = plan.settings
    policy = from_for(settings, sender="system")
    local = timezone.localtime(now)
    # Translators: a date with its year, as a Django date format: "17 November 2026"
    moment = f"{formats.date_format(local, _('j F Y'))}, {local:%H:%M}"
    paragraphs = [
        _("This is the test mail of %(name)s. It has arrived: the connection works.")
        % {"name": settings.system_name},
        _("It went through %(host)s, port %(port)s, on %(moment)s.")
        % {"host": settings.host, "port": plan.config.port, "moment": moment},
        _("Nobody needs to answer it."),
    ]
    draft = compose.Draft(
        subject=_("Test mail from %(name)s") % {"name": settings.system_name},
        text="\n\n".join(paragraphs) + "\n",
        html="".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in paragraphs),
        date=timezone.localtime(now),
        auto_submitted="auto-generated",
        charset=settings.charset,
    )
    content = compose.compose(draft, boundary=chance.token_hex(12))
    return (
        compose.from_headers(policy.author, charset=settings.charset)
        + compose.personal_headers(
            to=(Address("", plan.to),), message_id=plan.message_id, charset=settings.charset
        )
        + content.octets
    )
