"""A message of Django's mail API as ours: what is asked of `EmailMessage` is kept, how it is written is our
own.

Django's bytes differ between its versions and its headers have let line breaks through; so only the values
are taken from its message, and mailformat composes the mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from html import unescape
from mimetypes import guess_type
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.dateparse import parse_datetime
from django.utils.html import strip_tags

from depesche.mailformat import headers
from depesche.mailformat.addresses import Address, parse_address, parse_address_list
from depesche.mailformat.charset import offered
from depesche.mailformat.compose import Attachment, Draft, ListId
from depesche.mailroom.outbox.categories import Category, SenderKind

CATEGORY_HEADER = "X-Depesche-Category"  # internal: never leaves the house
EXPIRES_HEADER = "X-Depesche-Expires"  # the same; a time in ISO 8601

_PLACED = frozenset(
    {"from", "to", "cc", "bcc", "reply-to", "message-id", "date", "subject", "in-reply-to", "references",
     "auto-submitted", "precedence", "list-id", "list-unsubscribe", "list-unsubscribe-post", "sender"}
)  # fmt: skip
_ID = re.compile(r"<[^<>\s]{1,900}>")


@dataclass(frozen=True)
class Given:
    """What the message asks for. `to` and `cc` are what the fields show,
    which may differ from the envelope."""

    draft: Draft
    category: Category
    author: Address | None  # None: the system address
    envelope: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    message_id: str
    list_unsubscribe: str
    one_click: bool
    expires_at: datetime | None

    @property
    def sender(self) -> SenderKind:
        return SenderKind.SYSTEM if self.author is None else SenderKind.GIVEN


def read(message: EmailMessage, *, message_id: str, charset: str, now: datetime) -> Given:
    """The values of a message. `message_id` is used where it names none; `charset` where it asks for none.

    Raises ValueError (AddressError, HeaderError) for what cannot stand in a mail.
    """
    extra = {str(name).lower(): (str(name), value) for name, value in message.extra_headers.items()}

    def header(name: str) -> str:
        return str(extra[name.lower()][1]) if name.lower() in extra else ""

    to, cc = tuple(map(parse_address, map(str, message.to))), tuple(map(parse_address, map(str, message.cc)))
    bcc = tuple(map(parse_address, map(str, message.bcc)))
    category = Category(header(CATEGORY_HEADER).strip().lower() or Category.MAIL)
    author = _author(header("From") or str(message.from_email))
    text, html, attachments = _bodies(message)
    wanted = message.encoding if isinstance(message.encoding, str) else ""
    draft = Draft(
        subject=header("Subject") or str(message.subject),
        text=text,
        html=html,
        attachments=attachments,
        date=_date(extra.get("date", ("", None))[1], now),
        in_reply_to=next(iter(_ID.findall(header("In-Reply-To"))), None),
        references=tuple(_ID.findall(header("References"))),
        auto_submitted=header("Auto-Submitted").strip() or ("auto-generated" if author is None else None),
        precedence=header("Precedence").strip() or None,
        list_id=_list_id(header("List-Id")),
        headers=tuple(_others(extra)),
        charset=wanted if wanted and offered(wanted) else charset,
    )
    own_id = header("Message-ID").strip()
    return Given(
        draft=draft,
        category=category,
        author=author,
        envelope=_once((*to, *cc, *bcc)),
        to=tuple(parse_address_list(header("To"))) or to,
        cc=tuple(parse_address_list(header("Cc"))) or cc,
        reply_to=tuple(parse_address_list(header("Reply-To")))
        or tuple(map(parse_address, map(str, message.reply_to))),
        message_id=own_id or message_id,
        list_unsubscribe=header("List-Unsubscribe"),
        one_click="list-unsubscribe-post" in extra,
        expires_at=_expiry(header(EXPIRES_HEADER)),
    )


def personal(given: Given) -> bytes:
    """The header lines beside From and the shared content; the same for all recipients of one message."""
    codec = offered(given.draft.charset) or offered("utf-8")
    assert codec is not None
    fields = []
    if given.to:
        fields.append(headers.mailboxes("To", given.to, codec))
    elif not given.cc:
        fields.append(headers.UNDISCLOSED)
    if given.cc:
        fields.append(headers.mailboxes("Cc", given.cc, codec))
    if given.reply_to:
        fields.append(headers.mailboxes("Reply-To", given.reply_to, codec))
    fields.append(headers.message_ids("Message-ID", (given.message_id,)))
    urls = re.findall(r"<([^<>\s]+)>", given.list_unsubscribe)
    if urls:
        fields.append(headers.urls("List-Unsubscribe", urls))
        if given.one_click:
            fields.append(headers.ONE_CLICK)
    return headers.block(fields)


def _once(addresses: Sequence[Address]) -> tuple[Address, ...]:
    """Each mailbox once, in order: nobody gets a mail twice for standing in To and in Cc."""
    return tuple({address.addr_spec: address for address in reversed(addresses)}.values())[::-1]


def _author(text: str) -> Address | None:
    """The From that was asked for; None for the defaults of Django's settings, which mean the system."""
    if text in {settings.DEFAULT_FROM_EMAIL, settings.SERVER_EMAIL}:
        return None
    return parse_address(text)


def _bodies(message: EmailMessage) -> tuple[str, str | None, tuple[Attachment, ...]]:
    """Text, HTML and files. HTML alone gets a plain text beside it; other alternatives become files."""
    text, html, files = str(message.body), None, []
    if message.content_subtype == "html":
        text, html = _plain(text), text
    for alternative in getattr(message, "alternatives", None) or ():
        content, mimetype = alternative[0], str(alternative[1])
        if mimetype == "text/html" and html is None and isinstance(content, str):
            html = content
        else:
            files.append(_file(f"alternative.{mimetype.rpartition('/')[2]}", content, mimetype))
    files += [_attachment(one) for one in message.attachments]
    return text, html, tuple(files)


def _plain(html: str) -> str:
    lines = (line.strip() for line in unescape(strip_tags(html)).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def _attachment(one: Any) -> Attachment:
    if isinstance(one, Message):
        return _mime_part(one)
    filename, content, mimetype = one
    return _file(filename or "", content, mimetype or "")


def _mime_part(part: Message) -> Attachment:
    """A part that the caller made with the standard library."""
    content_id = (part.get("Content-ID") or "").strip().strip("<>") or None
    if part.get_content_maintype() in ("message", "multipart"):
        payload = part.get_payload()
        inner = payload[0] if isinstance(payload, list) and payload else part
        data = inner.as_bytes() if isinstance(inner, Message) else str(inner).encode()
        return Attachment(part.get_filename() or "message.eml", "message/rfc822", data)
    decoded = part.get_payload(decode=True)
    data = decoded if isinstance(decoded, bytes) else str(part.get_payload()).encode()
    kind = str(part.get("Content-Type") or "application/octet-stream")
    return Attachment(part.get_filename() or "", kind, data, content_id)


def _file(filename: str, content: Any, mimetype: str) -> Attachment:
    mimetype = mimetype or guess_type(filename)[0] or "application/octet-stream"
    if isinstance(content, EmailMessage):
        content = content.message()
    if isinstance(content, Message):
        return Attachment(filename or "message.eml", "message/rfc822", content.as_bytes())
    if isinstance(content, str):
        charset = "" if "charset" in mimetype or not mimetype.startswith("text/") else "; charset=utf-8"
        return Attachment(filename, mimetype + charset, content.encode())
    return Attachment(filename, mimetype, bytes(content))


def _date(value: object, now: datetime) -> datetime:
    if isinstance(value, datetime):
        moment = value
    elif value:
        try:
            moment = parsedate_to_datetime(str(value))
        except ValueError:
            moment = now
    else:
        moment = now
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _expiry(text: str) -> datetime | None:
    if not text.strip():
        return None
    moment = parse_datetime(text.strip())
    if moment is None:
        raise ValueError(f"{EXPIRES_HEADER} is a time such as 2026-11-23T12:00:00+00:00")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _list_id(text: str) -> ListId | None:
    found = re.fullmatch(r"\s*(.*?)\s*<([^<>\s]+)>\s*", text)
    return ListId(found[2], found[1].strip('"')) if found else None


def _others(extra: Mapping[str, tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    internal = {CATEGORY_HEADER.lower(), EXPIRES_HEADER.lower()}
    for lower, (name, value) in extra.items():
        if lower not in _PLACED and lower not in internal:
            yield name, str(value)


def with_category(
    message: EmailMessage, category: Category, expires_at: datetime | None = None
) -> EmailMessage:
    """Mark a message for our backend: account mails are urgent, confidential and end with their link."""
    message.extra_headers[CATEGORY_HEADER] = category.value
    if expires_at is not None:
        message.extra_headers[EXPIRES_HEADER] = expires_at.isoformat()
    return message
