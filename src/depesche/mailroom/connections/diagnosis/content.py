"""The mails of a test: short, in the language of the person who asked for it, and recognisable."""

from __future__ import annotations

import dataclasses
import html
import secrets as chance
from collections.abc import Sequence
from datetime import datetime

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from depesche.mailformat import compose
from depesche.mailformat.addresses import Address
from depesche.mailroom.connections.choices import Sender
from depesche.mailroom.connections.diagnosis.plan import Plan
from depesche.mailroom.connections.sender_policy import from_for


def test_mail(plan: Plan, *, now: datetime) -> bytes:
    """The test mail as it is submitted (8-bit, CRLF), signed as any other mail is."""
    settings = plan.settings
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
    return _mail(
        plan,
        subject=_("Test mail from %(name)s") % {"name": settings.system_name},
        paragraphs=paragraphs,
        author=from_for(settings, sender="system").author,
        to=plan.to,
        message_id=plan.message_id,
        now=now,
    )


def mail_from_user(plan: Plan, *, recipient: str, now: datetime) -> bytes:
    """A mail From the person who tests, in header lines and encoding as a notice would be."""
    settings = plan.settings
    as_user = dataclasses.replace(settings, sender=Sender.USER.value)
    policy = from_for(as_user, sender="user", author_name=plan.user_name, author_address=plan.user_address)
    paragraphs = [
        _("With this mail %(name)s finds out whether the mail server accepts mails From a person.")
        % {"name": settings.system_name},
        _("It was accepted. %(address)s can stand as sender.") % {"address": plan.user_address},
        _("Nobody needs to answer it."),
    ]
    return _mail(
        plan,
        subject=_("Test of the sender address %(address)s") % {"address": plan.user_address},
        paragraphs=paragraphs,
        author=policy.author,
        to=recipient,
        message_id=compose.message_id(f"test.{chance.token_hex(12)}", policy.reverse_path.partition("@")[2]),
        now=now,
    )


def _mail(
    plan: Plan,
    *,
    subject: str,
    paragraphs: Sequence[str],
    author: Address,
    to: str,
    message_id: str,
    now: datetime,
) -> bytes:
    charset = plan.settings.charset
    draft = compose.Draft(
        subject=subject,
        text="\n\n".join(paragraphs) + "\n",
        html="".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in paragraphs),
        date=timezone.localtime(now),
        auto_submitted="auto-generated",
        charset=charset,
    )
    content = compose.compose(draft, boundary=chance.token_hex(12))
    block = compose.from_headers(author, charset=charset)
    header = compose.personal_headers(to=(Address("", to),), message_id=message_id, charset=charset)
    if plan.signer is not None:
        return plan.signer.joined(block, header, content.octets, now)
    return block + header + content.octets
