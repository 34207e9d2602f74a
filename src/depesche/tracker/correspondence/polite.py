"""One polite answer to a mail that was not taken (RFC 3834): to a person, once a day, never into a loop."""

from __future__ import annotations

import re
import secrets
from enum import Enum
from typing import Final

from django.utils import translation
from django.utils.html import escape
from django.utils.translation import gettext as _

from depesche.mailformat import compose
from depesche.mailformat.addresses import Address, AddressError
from depesche.mailformat.compose import Draft
from depesche.mailroom.connections import queries as connections
from depesche.mailroom.inbox.handlers import IncomingMail
from depesche.mailroom.inbox.models import PoliteAnswer
from depesche.mailroom.outbox import actions as outbox
from depesche.mailroom.outbox.actions import Category, NewMessage, NewRecipient, SenderKind
from depesche.tracker.accounts import letter
from depesche.tracker.accounts.letter import Letter
from depesche.tracker.correspondence import envelope, language
from depesche.tracker.threads import marks
from depesche.tracker.threads.addresses import ThreadAddresses

MOST_A_DAY: Final = 200  # to all senders together: forged senders must not make a mill of us
_ROBOTS: Final = re.compile(
    r"(?:no-?_?reply|do-?not-?reply|noresponse|mailer-daemon|mail-daemon|postmaster|bounces?|abuse|list-?manager|"
    r"majordomo|listserv|owner-|root$|nobody$|.*-(?:bounces?|request|owner)$)",
    re.IGNORECASE,
)


class Refusal(Enum):
    """Why a mail was not taken."""

    NOT_KNOWN = "not_known"  # the sender
    NO_ITEMS = "no_items"  # items by mail are off, and it is no answer
    NOT_ALLOWED = "not_allowed"  # to comment on this item
    NO_WORKSPACE = "no_workspace"  # in which the sender could make an item
    PARTLY = "partly"  # taken, but for some files or commands
    TAKEN = "taken"  # a guest's mail: this is where to answer


def answer(
    mail: IncomingMail,
    reason: Refusal,
    *,
    own: ThreadAddresses,
    speaks: str = "",
    item: str = "",
    detail: str = "",
    thread: tuple[int, int] | None = None,
) -> bool:
    """Write the answer, unless there must be none; whether one was written. `speaks`: the language, where
    known; `detail`: what follows the sentence; `thread`: item and person to whom a reply to it belongs.

    Part of the transaction in which the mail is processed.
    """
    to = recipient(mail, own)
    if to is None or own.system is None:
        return False
    day = mail.received_at.date()
    if PoliteAnswer.objects.filter(day=day).count() >= MOST_A_DAY:
        return False
    _row, first = PoliteAnswer.objects.get_or_create(address=to.key[:320], day=day)
    if not first:
        return False
    parsed = mail.reading.mail
    spoken = speaks or language.guess(f"{parsed.subject}\n{mail.reading.text}")
    with translation.override(spoken):
        said = _letter(reason, item, parsed.subject, spoken, detail)
        text, html = letter.text(said), letter.html(said)
    settings = connections.outgoing()
    answered = parsed.message_id if parsed.message_id else None
    content = compose.compose(
        Draft(
            subject=said.subject,
            text=text,
            html=html,
            date=mail.received_at,
            in_reply_to=answered,
            references=(*parsed.references[-10:], *((answered,) if answered else ())),
            auto_submitted="auto-replied",
            headers=marks.of(own.system),
            charset=settings.charset,
        ),
        boundary=secrets.token_hex(12),
    )
    nonce = secrets.token_hex(10)
    message_id, reply_to = compose.message_id(f"answer.{nonce}", own.domain), None
    if thread is not None:
        message_id = own.message_id(*thread, f"a{nonce}", now=mail.received_at)
        reply_to = own.reply_address(*thread, now=mail.received_at)
    header = compose.personal_headers(
        to=[to], message_id=message_id, reply_to=reply_to, charset=settings.charset
    )
    message = NewMessage(
        category=Category.ANSWER, content=content, subject=said.subject, sender=SenderKind.SYSTEM, item=item
    )
    outbox.enqueue(message, [NewRecipient(to.addr_spec, message_id, header)], now=mail.received_at)
    return True


def recipient(mail: IncomingMail, own: ThreadAddresses) -> Address | None:
    """Who gets the answer; None where nobody must: a null or missing sender, a robot, ourselves, or a mail
    that was not addressed to us.

    RFC 3834 §4: the answer goes to the reverse-path. Where the source does not tell it, to From.
    """
    parsed = mail.reading.mail
    writer = envelope.writer(mail)
    if writer is None or own.system is None or not envelope.is_addressed_to_us(mail, own):
        return None
    path = mail.envelope_sender if mail.envelope_sender is not None else parsed.return_path
    if path == "":
        return None
    try:
        to = Address(writer.display_name, path) if path is not None else writer
    except AddressError:
        return None
    if any(_ROBOTS.match(address.local) for address in (to, writer)):
        return None
    return None if any(envelope.is_address(to, ours) for ours in own.all) else to


def _letter(reason: Refusal, item: str, subject: str, spoken: str, detail: str) -> Letter:
    words = {
        Refusal.NOT_KNOWN: _(
            "Your mail was not taken over, because this address is not known here. Please write from the "
            "address with which you are registered, or ask the people who run this service to register you."
        ),
        Refusal.NO_ITEMS: _(
            "Your mail was not taken over. This address takes answers to its own mails only; it makes no "
            "new items."
        ),
        Refusal.NOT_ALLOWED: _(
            "Your mail was not taken over, because you are not a member of the workspace of %(item)s."
        ),
        Refusal.NO_WORKSPACE: _(
            "Your mail was not taken over, because you are not a member of any workspace yet. Please ask "
            "the people who run this service."
        ),
        Refusal.PARTLY: _("Your mail has become part of %(item)s, but not all of it was taken over."),
        Refusal.TAKEN: _(
            "Your mail has arrived and is kept as %(item)s. If you have more to say about it, please answer "
            "this mail."
        ),
    }[reason] % {"item": item}
    words = f"{words}\n\n{detail}" if detail else words
    server = connections.outgoing().system_name or "Depesche"
    title = " ".join(subject.split())[:200]
    return Letter(
        language=spoken,
        subject=_subject(reason) % {"subject": title or _("(no subject)"), "item": item},
        speaker=server,
        deed=_("About your mail"),
        title=title,
        words=words,
        words_html="".join(f'<p style="margin:0 0 12px;">{escape(part)}</p>' for part in words.split("\n\n")),
        why=_("This is an automatic answer. You get at most one a day."),
        preheader=words,
    )


def _subject(reason: Refusal) -> str:
    if reason is Refusal.PARTLY:
        return _("[%(item)s] Taken over in part: %(subject)s")
    if reason is Refusal.TAKEN:
        return _("[%(item)s] Arrived: %(subject)s")
    return _("Not taken over: %(subject)s")
