"""Whoever wrote a mail from an item is told when it reaches somebody not: refused, given up, or come back.

It shows in the thread as well; but who waits for an answer does not look there. One mail for each mail that
was written and each time something came of it, by the preferences that hold for notices.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from depesche.mailformat import compose
from depesche.mailformat.addresses import Address, AddressError
from depesche.mailformat.compose import Draft
from depesche.mailroom.connections import queries as connections
from depesche.mailroom.outbox import actions as outbox
from depesche.mailroom.outbox import queries as mails
from depesche.mailroom.outbox.actions import Category, NewMessage, NewRecipient, SenderKind
from depesche.mailroom.outbox.states import State
from depesche.tracker.accounts import letter, links
from depesche.tracker.accounts.letter import Letter, Link
from depesche.tracker.accounts.models import Person
from depesche.tracker.correspondence.models import MailedTo, UndeliveredTold
from depesche.tracker.items import queries
from depesche.tracker.items.models import Item, Watcher
from depesche.tracker.threads import addresses as threads
from depesche.tracker.threads import marks

NOT_THERE: Final = frozenset({State.FAILED, State.EXPIRED, State.BOUNCED, State.SUPPRESSED})
_WATCHED: Final = timedelta(days=14)  # a mail is tried for three days, and a report comes within a week
_MOST_WORDS: Final = 300


class TellWriters:
    """Worker task."""

    name = "undelivered"
    pause = 15.0
    wakes_on_change = False  # nobody waits for such news by the second

    def run(self, now: datetime, stop: threading.Event) -> int:
        return tell(now=now, stop=stop)


def tell(*, now: datetime, stop: threading.Event | None = None) -> int:
    """Tell all writers of what is new; how many mails were written. A kill -9 makes neither a second mail nor
    a gap: the mail and the rows that say who was spoken of are one transaction."""
    watched = MailedTo.objects.filter(
        told=None, recipient__isnull=False, comment__created_at__gt=now - _WATCHED
    ).order_by("comment_id", "id")
    rows = list(watched.select_related("comment__author", "item"))
    states = mails.by_ids(row.recipient for row in rows if row.recipient is not None)
    lost = [
        (row, found.reply)
        for row in rows
        if (found := states.get(row.recipient or 0)) is not None and found.state in NOT_THERE
    ]
    written = 0
    for _comment, group in groupby(lost, key=lambda one: one[0].comment_id):
        if stop is not None and stop.is_set():
            break
        written += _tell(list(group), now)
    return written


def _tell(lost: Sequence[tuple[MailedTo, str]], now: datetime) -> int:
    """One mail about the recipients of one comment; 0 where its writer wants or may have none."""
    first = lost[0][0]
    writer, item = first.comment.author, first.item
    try:
        with transaction.atomic():
            UndeliveredTold.objects.bulk_create(UndeliveredTold(mailed=row, at=now) for row, _said in lost)
            address = _address(writer, item)
            if address is None:
                return 0
            _write(writer, item, address, lost, now)
    except IntegrityError:  # another worker, a moment before
        return 0
    return 1


def _address(writer: Person, item: Item) -> Address | None:
    """Where the writer is told; None where they want no mails about the item, or may not read it any more."""
    muted = Watcher.objects.filter(item=item, person=writer, kind=Watcher.Kind.MUTED).exists()
    if writer.only_account_mails or muted or not queries.may_read(writer, item):
        return None
    try:
        return Address(writer.name, writer.email)
    except AddressError:
        return None


def _write(
    writer: Person, item: Item, address: Address, lost: Sequence[tuple[MailedTo, str]], now: datetime
) -> None:
    own, settings = threads.addresses(), connections.outgoing()
    stop = links.page("unsubscribe", threads.mute_token(item.pk, writer.pk))
    with translation.override(writer.language):
        said = letter_for(
            item, [(row.address, words) for row, words in lost], stop=stop, comment=lost[0][0].comment_id
        )
        text, html = letter.text(said), letter.html(said)
    root = threads.root_id(item.pk)
    content = compose.compose(
        Draft(
            subject=said.subject,
            text=text,
            html=html,
            date=now,
            in_reply_to=root,
            references=(root,),
            auto_submitted="auto-generated",
            headers=marks.of(own.system),
            charset=settings.charset,
        ),
        boundary=secrets.token_hex(12),
    )
    message_id = own.message_id(item.pk, writer.pk, f"u{secrets.token_hex(8)}", now=now)
    header = compose.personal_headers(
        to=[address],
        message_id=message_id,
        reply_to=own.reply_address(item.pk, writer.pk, now=now),
        list_unsubscribe=([stop], stop.startswith("https://")),
        charset=settings.charset,
    )
    message = NewMessage(
        category=Category.NOTICE,
        content=content,
        subject=said.subject,
        sender=SenderKind.SYSTEM,
        item=item.key,
    )
    outbox.enqueue(message, [NewRecipient(address.addr_spec, message_id, header, str(writer.pk))], now=now)


def letter_for(item: Item, lost: Iterable[tuple[str, str]], *, stop: str, comment: int) -> Letter:
    """The mail, in the language in force. `lost`: address, and what was said of it."""
    lines = [f"{address}: {_short(words)}" if words else address for address, words in lost]
    server = connections.outgoing().system_name or "Depesche"
    opening = ngettext(
        "Your mail from %(item)s did not reach this recipient:",
        "Your mail from %(item)s did not reach these recipients:",
        len(lines),
    ) % {"item": item.key}
    advice = _("Check the address and write again from the item, or reach them another way.")
    words = "\n\n".join([opening, *lines, advice])
    page = f"{links.page('item', item.key)}#comment-{comment}"
    return Letter(
        language=translation.get_language() or "en",
        subject=_("[%(item)s] Not delivered: %(title)s") % {"item": item.key, "title": item.title},
        speaker=server,
        deed=_("About your mail"),
        title=item.title,
        title_url=page,
        words=words,
        words_html="".join(f'<p style="margin:0 0 12px;">{escape(part)}</p>' for part in words.split("\n\n")),
        button=Link(_("Open the item"), page),
        why=_("You get this mail because you wrote the one that did not arrive."),
        stop=[Link(_("No more mails about this item"), stop)],
        preheader=f"{opening} {lines[0]}",
    )


def _short(words: str) -> str:
    said = " ".join(words.split())
    return said if len(said) <= _MOST_WORDS else said[: _MOST_WORDS - 1] + "…"
