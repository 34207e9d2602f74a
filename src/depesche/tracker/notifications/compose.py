"""From a Letter to what the outbox takes: shared content once, a few header lines for each person."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from django.utils import translation

from depesche.mailformat import compose
from depesche.mailformat.addresses import Address
from depesche.mailformat.charset import offered
from depesche.mailformat.compose import Content, Draft, ListId
from depesche.mailroom.connections import queries as connections
from depesche.mailroom.outbox.actions import NewRecipient
from depesche.tracker.accounts import letter, links
from depesche.tracker.accounts.letter import Letter
from depesche.tracker.items.changes import NOTHING
from depesche.tracker.notifications.notice_letter import EventToTell, letter_for
from depesche.tracker.notifications.recipients import Reason
from depesche.tracker.threads import addresses as threads
from depesche.tracker.threads import marks
from depesche.tracker.threads.addresses import ThreadAddresses

PRECEDENCE: Final = "list"  # old vacation programs, which know no Auto-Submitted, keep still


@dataclass(frozen=True)
class MailSettings:
    """What of the settings goes into mails; read once for a batch."""

    addresses: ThreadAddresses
    charset: str
    server: str
    one_click: bool  # RFC 8058 permits https alone

    @classmethod
    def now(cls) -> MailSettings:
        outgoing = connections.outgoing()
        return cls(
            addresses=threads.addresses(),
            charset=outgoing.charset,
            server=outgoing.system_name or "Depesche",
            one_click=links.absolute("").startswith("https://"),
        )

    @cached_property
    def plain(self) -> bool:
        """Whether our own arrows and dashes would make a mail fall back to UTF-8 (M14)."""
        charset = offered(self.charset)
        try:
            f"→{NOTHING}".encode(charset.codec if charset is not None else "utf-8")
        except UnicodeEncodeError:
            return True
        return False

    def unsubscribe(self, item_id: int, person_id: int) -> str:
        """The address that mutes the item for this person, without signing in."""
        before, after = self._unsubscribe
        return f"{before}{threads.mute_token(item_id, person_id)}{after}"

    @cached_property
    def _unsubscribe(self) -> tuple[str, str]:
        # Looked up once: finding the path of a page costs more than all else in a recipient's header lines.
        before, _token, after = links.page("unsubscribe", "TOKEN").partition("TOKEN")
        return before, after

    @cached_property
    def list_host(self) -> str:
        host = links.host()
        return "localhost" if host.startswith("[") else host


@dataclass(frozen=True)
class Composed:
    """A mail that waits for its recipients."""

    subject: str
    content: Content


def notice(
    event: EventToTell,
    item_id: int,
    reasons: Sequence[Reason],
    language: str,
    *,
    settings: MailSettings,
    now: datetime,
) -> Composed:
    """The notice of an event for everybody with these reasons and this language."""
    with translation.override(language):
        said = letter_for(event, reasons, language)
        root = threads.root_id(item_id)
        workspace = event.key.rpartition("-")[0].lower()
        draft = Draft(
            subject=said.subject,
            text=letter.text(said),
            html=letter.html(said),
            date=now,
            in_reply_to=root,
            references=(root,),
            auto_submitted="auto-generated",
            list_id=ListId(f"{workspace}.{settings.list_host}", event.workspace),
            precedence=PRECEDENCE,
            headers=marks.of(settings.addresses.system),
            charset=settings.charset,
        )
    return Composed(said.subject, compose.compose(draft, boundary=secrets.token_hex(12)))


def plain(said: Letter, *, settings: MailSettings, now: datetime, auto_submitted: str) -> Composed:
    """A mail outside any thread: a reminder."""
    with translation.override(said.language):
        draft = Draft(
            subject=said.subject,
            text=letter.text(said),
            html=letter.html(said),
            date=now,
            auto_submitted=auto_submitted,
            headers=marks.of(settings.addresses.system),
            charset=settings.charset,
        )
    return Composed(said.subject, compose.compose(draft, boundary=secrets.token_hex(12)))


def noticed(
    *, address: Address, person_id: int, item_id: int, event_id: int, settings: MailSettings, now: datetime
) -> NewRecipient:
    """One person's copy of a notice. Its Message-ID follows from event, person and `now`, when the
    planning of the event began: the same notice planned again after a crash could never pass for another
    mail."""
    message_id = settings.addresses.message_id(item_id, person_id, f"e{event_id}", now=now)
    header = compose.personal_headers(
        to=[address],
        message_id=message_id,
        reply_to=settings.addresses.reply_address(item_id, person_id, now=now),
        list_unsubscribe=([settings.unsubscribe(item_id, person_id)], settings.one_click),
        charset=settings.charset,
    )
    return NewRecipient(
        address=address.addr_spec, message_id=message_id, header=header, person=str(person_id)
    )


def reminded(*, address: Address, person_id: int, settings: MailSettings) -> NewRecipient:
    """One person's reminder; an answer to it would belong to no item, so it has no Reply-To of its own."""
    nonce = f"reminder.{secrets.token_hex(10)}"
    message_id = compose.message_id(nonce, settings.addresses.domain)
    header = compose.personal_headers(to=[address], message_id=message_id, charset=settings.charset)
    return NewRecipient(
        address=address.addr_spec, message_id=message_id, header=header, person=str(person_id)
    )
