"""The composer: what all recipients share is written once, what is theirs alone in a few microseconds each.

    mail = from_headers(...) + personal_headers(...) + compose(...).octets

`compose` makes subject, date, threading fields and the MIME body; `personal_headers` To, Message-ID, Reply-To
and what else is for one recipient; `from_headers` waits until submission, when the connection's sender policy
is known. Each part is octets with CRLF line ends and goes through untouched. Deterministic: date, nonce and
boundary come from the caller. Bodies are written as 8 bits; `to_seven_bit` is for servers without 8BITMIME.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from depesche.mailformat import headers
from depesche.mailformat.addresses import Address, canonical_domain
from depesche.mailformat.characters import clean_name, one_line, well_formed
from depesche.mailformat.charset import UTF_8, Charset, choose, offered
from depesche.mailformat.headers import Field, HeaderError
from depesche.mailformat.transfer import (
    base64_lines,
    crlf,
    encode_text,
    has_long_line,
    needs_8bit,
    needs_smtputf8,
    to_seven_bit,
)

__all__ = [
    "Attachment",
    "Content",
    "Draft",
    "HeaderError",
    "ListId",
    "compose",
    "from_headers",
    "message_id",
    "needs_8bit",
    "needs_smtputf8",
    "personal_headers",
    "to_seven_bit",
]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file. With a `content_id` (no angle brackets) and an HTML text it is shown inside it, as
    `cid:content_id`.

    The name is reduced to a harmless one and the type to `application/octet-stream` when it is none. A
    message/rfc822 stays a message where it can (its lines end in CRLF then); everything else is kept octet
    for octet.
    """

    filename: str
    content_type: str
    data: bytes
    content_id: str | None = None


@dataclass(frozen=True, slots=True)
class ListId:
    """List-Id (RFC 2919): a dotted name that never changes, and words for people."""

    identifier: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What all recipients of a mail share. Texts have any line ends; `date` has a time zone.

    `auto_submitted`: `auto-generated`, `auto-replied` or None (a person wrote it). `headers`: further fields
    as (name, text); HeaderError for a name that is invalid or has a place of its own. `charset`: the key of
    the one wanted; UTF-8 is taken when it cannot carry subject and texts. Ids of other mails that are none
    are left out.
    """

    subject: str
    text: str
    date: datetime
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    auto_submitted: str | None = None
    list_id: ListId | None = None
    precedence: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    charset: str = "utf-8"


@dataclass(frozen=True, slots=True)
class Content:
    """The shared part of a mail: its header fields (no From, To, Message-ID …), a blank line, the body; CRLF.

    `charset` is the key of the one used, `fell_back` whether it is another than the one wanted.
    """

    octets: bytes
    charset: str
    fell_back: bool
    needs_8bit: bool


@dataclass(frozen=True, slots=True)
class _Part:
    """A MIME entity: its Content-… fields and its body, which ends without the CRLF of a delimiter."""

    fields: str
    body: bytes
    eight_bit: bool


def _text_lines(text: str) -> str:
    """Any text as lines that end in LF, the last one too; without NUL."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        text = text.replace("\0", "")
    return text if text.endswith("\n") else text + "\n"


def _text_part(subtype: str, text: str, charset: Charset) -> _Part:
    """A text with LF line ends that the charset carries; its last line end is the entity's."""
    octets = text.replace("\n", "\r\n").encode(charset.codec)
    eight_bit = not octets.isascii()
    if has_long_line(octets):
        encoding, octets = encode_text(octets)
        eight_bit = False
    else:
        encoding = "8bit" if eight_bit else "7bit"
    fields = (
        f"Content-Type: text/{subtype}; charset={charset.mime_name}\r\n"
        f"Content-Transfer-Encoding: {encoding}\r\n"
    )
    return _Part(fields, octets, eight_bit)


def _multipart(
    kind: str, nonce: str, parts: Sequence[_Part], parameters: Sequence[Sequence[str]] = ()
) -> _Part:
    boundary, attempt = f"=_{kind}_{nonce}", 0
    while any(b"--" + boundary.encode("ascii") in part.body for part in parts):
        attempt += 1
        boundary = f"=_{kind}{attempt}_{nonce}"
    eight_bit = any(part.eight_bit for part in parts)
    pieces: list[bytes] = []
    opener = f"--{boundary}\r\n"
    for part in parts:
        pieces += ((opener + part.fields + "\r\n").encode("ascii"), part.body)
        opener = f"\r\n--{boundary}\r\n"
    pieces.append(f"\r\n--{boundary}--\r\n".encode("ascii"))
    fields = headers.parameterized(
        "Content-Type", f"multipart/{kind}", [[f'boundary="{boundary}"'], *parameters]
    ) + (f"Content-Transfer-Encoding: {'8bit' if eight_bit else '7bit'}\r\n")
    return _Part(fields, b"".join(pieces), eight_bit)


_PATH = re.compile(r"[/\\]")
_MEDIA_TYPE = re.compile(r"\s*([A-Za-z0-9!#$&^_.+\-]{1,60})/([A-Za-z0-9!#$&^_.+\-]{1,100})\s*")
_MEDIA_PARAMETER = re.compile(
    r';\s*([A-Za-z0-9!#$&^_.+\-]{1,40})=(?:"([^"\\\r\n]{0,200})"|([^\s;"]{1,200}))\s*'
)
_MESSAGES = frozenset({"rfc822", "delivery-status", "disposition-notification", "feedback-report"})
_CONTENT_ID = re.compile(r"[!-;=?-~]{1,200}")


def safe_filename(name: str) -> str:
    """The name of a file without folders and control characters, at most 200 characters; `attachment` for
    none."""
    name = clean_name(_PATH.split(one_line(name[-1000:]))[-1], 1000).strip()
    if len(name) > 200:
        stem, dot, suffix = name.rpartition(".")
        name = f"{stem[: 199 - len(suffix)]}.{suffix}" if dot and len(suffix) <= 20 else name[:200]
    name = name.strip()
    return name if name.strip(". ") else "attachment"


def _media(attachment: Attachment) -> tuple[str, list[list[str]], bytes | None]:
    """Type, parameters, and the body where it must not be encoded (messages)."""
    match = _MEDIA_TYPE.match(attachment.content_type)
    main, sub = (match[1].lower(), match[2].lower()) if match else ("application", "octet-stream")
    parameters: list[list[str]] = []
    names = {"name", "boundary"}
    for name, quoted, plain in _MEDIA_PARAMETER.findall(attachment.content_type):
        if name.lower() not in names and "*" not in name:
            names.add(name.lower())
            parameters.append(headers.parameter(name, quoted or plain))
    if main == "message" and sub in _MESSAGES:
        body = crlf(attachment.data)
        if b"\0" not in body and not has_long_line(body):
            return f"message/{sub}", [], body
    if main in ("message", "multipart"):  # they may not be encoded as base64
        return "application/octet-stream", [], None
    if main == "text" and "charset" not in names:
        try:
            attachment.data.decode("utf-8")
            parameters.append(["charset=UTF-8"])
        except UnicodeDecodeError:
            pass
    return f"{main}/{sub}", parameters, None


def _file_part(attachment: Attachment, charset: Charset, *, inline: bool) -> _Part:
    filename = safe_filename(attachment.filename)
    media, parameters, message = _media(attachment)
    parameters.append(headers.encoded_parameter("name", filename, charset))
    fields = headers.parameterized("Content-Type", media, parameters)
    if message is None:
        encoding, body, eight_bit = "base64", base64_lines(attachment.data).removesuffix(b"\r\n"), False
    else:
        eight_bit = not message.isascii()
        encoding, body = "8bit" if eight_bit else "7bit", message
    disposition = headers.parameterized(
        "Content-Disposition", "inline" if inline else "attachment", [headers.parameter("filename", filename)]
    )
    fields = Field(f"{fields}Content-Transfer-Encoding: {encoding}\r\n{disposition}")
    if attachment.content_id is not None:
        content_id = attachment.content_id.removeprefix("<").removesuffix(">")
        if _CONTENT_ID.fullmatch(content_id) is None:
            raise HeaderError("Content-ID: visible ASCII without angle brackets")
        fields = Field(f"{fields}Content-ID: <{content_id}>\r\n")
    return _Part(fields, body, eight_bit)


_NONCE = re.compile(r"[A-Za-z0-9]{1,40}")


def _body(draft: Draft, text: str, html: str | None, charset: Charset, nonce: str) -> _Part:
    part = _text_part("plain", text, charset)
    files = draft.attachments
    if html is not None:
        rich = _text_part("html", html, charset)
        if files:
            shown = [file for file in files if file.content_id is not None]
            files = tuple(file for file in files if file.content_id is None)
            if shown:
                inner = [rich, *(_file_part(file, charset, inline=True) for file in shown)]
                rich = _multipart("related", nonce, inner, [['type="text/html"']])
        part = _multipart("alternative", nonce, (part, rich))
    if files:
        part = _multipart(
            "mixed", nonce, [part, *(_file_part(file, charset, inline=False) for file in files)]
        )
    return part


def compose(draft: Draft, *, boundary: str) -> Content:
    """The shared part of a mail. `boundary`: 1 to 40 letters and digits, by chance; ValueError for another.

    text/plain; multipart/alternative with HTML; multipart/related around the HTML for files with a content
    id; multipart/mixed for the other files. HeaderError (a ValueError) for mistakes of the caller; no text,
    name or file is refused.
    """
    if _NONCE.fullmatch(boundary) is None:
        raise ValueError("the boundary is 1 to 40 letters and digits")
    subject = one_line(draft.subject)
    text = well_formed(_text_lines(draft.text))
    html = None if draft.html is None else well_formed(_text_lines(draft.html))
    wanted = charset = offered(draft.charset)
    if charset is not UTF_8:
        key = choose(draft.charset, (subject, text) if html is None else (subject, text, html))
        charset = offered(key) or UTF_8

    fields = [headers.date("Date", draft.date), headers.unstructured("Subject", subject, charset)]
    if draft.in_reply_to is not None and headers.is_message_id(draft.in_reply_to):
        fields.append(headers.message_ids("In-Reply-To", (draft.in_reply_to,)))
    if draft.references:
        fields.append(headers.references(draft.references))
    if draft.auto_submitted is not None:
        fields.append(headers.token("Auto-Submitted", draft.auto_submitted))
    if draft.list_id is not None:
        fields.append(headers.list_id(draft.list_id.identifier, draft.list_id.description, charset))
    if draft.precedence is not None:
        fields.append(headers.token("Precedence", draft.precedence))
    if draft.headers:
        fields += _extra(draft.headers, charset)
    part = _body(draft, text, html, charset, boundary)
    fields.append(Field(f"MIME-Version: 1.0\r\n{part.fields}"))
    octets = headers.block(fields) + b"\r\n" + part.body
    return Content(octets, charset.key, wanted is not charset, part.eight_bit)


def _extra(pairs: Sequence[tuple[str, str]], charset: Charset) -> list[Field]:
    for name, _ in pairs:
        if not headers.is_extra_name(name):
            raise HeaderError(f"not a header field to be set by hand: {name[:80]!r}")
    return [headers.unstructured(name, value, charset) for name, value in pairs]


def personal_headers(  # noqa: PLR0913 - one keyword for each field; a value object would only rename them
    *,
    to: Sequence[Address],
    message_id: str,
    cc: Sequence[Address] = (),
    reply_to: Address | Sequence[Address] | None = None,
    list_unsubscribe: tuple[Sequence[str], bool] | None = None,
    in_reply_to: str | None = None,
    references: Sequence[str] = (),
    extra: Sequence[tuple[str, str]] = (),
    charset: str = "utf-8",
) -> bytes:
    """The fields for one recipient; without any address in `to` and `cc`, To is `undisclosed-recipients:;`.

    `list_unsubscribe`: URLs (https, http, mailto), and whether one POST to the https one is enough (RFC
    8058). `in_reply_to`, `references`: for threads whose ids differ from person to person; then not in the
    Draft too. A name that the charset cannot carry is written in UTF-8. HeaderError for mistakes of the
    caller.
    """
    codec = offered(charset) or UTF_8
    fields = []
    if to:
        fields.append(headers.mailboxes("To", to, codec))
    elif not cc:
        fields.append(headers.UNDISCLOSED)
    if cc:
        fields.append(headers.mailboxes("Cc", cc, codec))
    if reply_to:
        answers = (reply_to,) if isinstance(reply_to, Address) else reply_to
        fields.append(headers.mailboxes("Reply-To", answers, codec))
    fields.append(headers.message_ids("Message-ID", (message_id,)))
    if in_reply_to is not None and headers.is_message_id(in_reply_to):
        fields.append(headers.message_ids("In-Reply-To", (in_reply_to,)))
    if references:
        fields.append(headers.references(references))
    if list_unsubscribe is not None:
        urls, one_click = list_unsubscribe
        fields.append(headers.urls("List-Unsubscribe", urls))
        if one_click:
            if not any(url.startswith("https://") for url in urls):
                raise HeaderError("List-Unsubscribe with one click needs an https URL (RFC 8058)")
            fields.append(headers.ONE_CLICK)
    if extra:
        fields += _extra(extra, codec)
    return headers.block(fields)


def from_headers(author: Address, *, sender: Address | None = None, charset: str = "utf-8") -> bytes:
    """From, and Sender where another mailbox submits the mail."""
    codec = offered(charset) or UTF_8
    fields = [headers.mailboxes("From", (author,), codec)]
    if sender is not None and sender.addr_spec != author.addr_spec:
        fields.append(headers.mailboxes("Sender", (sender,), codec))
    return headers.block(fields)


def reply_to_header(address: Address, *, charset: str = "utf-8") -> bytes:
    """Reply-To alone, for a mail whose From gave way to another address."""
    return headers.block([headers.mailboxes("Reply-To", (address,), offered(charset) or UTF_8)])


_ID_LEFT = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-]+)*")


def message_id(nonce: str, domain: str) -> str:
    """`<nonce@domain>`; ValueError unless nonce is a dot-atom and domain a domain, together at most 250
    characters."""
    if _ID_LEFT.fullmatch(nonce) is None:
        raise ValueError("the left side of a message id is letters, digits and dots")
    domain = canonical_domain(domain)
    if len(nonce) + len(domain) > 247:
        raise ValueError("the message id is longer than 250 characters")
    return f"<{nonce}@{domain}>"
