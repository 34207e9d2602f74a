"""Header fields that no input can break out of.

Only this module makes a `Field`, and only from values that cannot carry a line end: a cleaned text, an
`Address`, a checked message id, token or URL. `block` joins fields to octets and checks the whole once more.

Folding: lines of at most 78 characters wherever there is a place to fold (76 with encoded words, RFC 2047
§2), never more than 998; no line of white space alone, and the first word stays beside the field's name,
since some servers lose an empty first line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NewType

from depesche.mailformat.addresses import Address
from depesche.mailformat.characters import one_line
from depesche.mailformat.charset import UTF_8, Charset
from depesche.mailformat.encoded_words import MAX_WORD, encode_words

Field = NewType("Field", str)
"""One complete header field, folded, with its CRLF. Made by the functions of this module alone."""

MAX_TEXT = 4_000  # characters of an unstructured value; a longer one is cut
MAX_REFERENCES = 21  # the first one, which roots the thread, and the last twenty
_LINE = 78
_ENCODED_LINE = 76
_UNFOLDABLE = 900  # characters without a space that may stand on one line; RFC 5322 ends it at 998


class HeaderError(ValueError):
    """A header's name or value that must not be written: a mistake of the calling code, not of its input."""


_FIELD_NAME = re.compile(r"[!-9;-~]{1,76}")
_TOKEN = re.compile(r"[!#$%&'*+.0-9A-Z^_`a-z{|}~\-]{1,200}")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,900}>")
_URL = re.compile(r"(?:https?://|mailto:)[!-;=?-~]{1,900}")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~\-]+)*")
_BLOCK = re.compile(rb"(?:[!-9;-~]+:[^\r\n\0]*\r\n(?:[ \t]+[^\r\n\0 \t][^\r\n\0]*\r\n)*)*")

#: Fields with a place of their own in the composer, or that only a server may write. Lower case.
RESERVED = frozenset(
    {
        "from",
        "sender",
        "reply-to",
        "to",
        "cc",
        "bcc",
        "message-id",
        "date",
        "subject",
        "in-reply-to",
        "references",
    }
    | {"auto-submitted", "list-id", "list-unsubscribe", "list-unsubscribe-post", "precedence", "mime-version"}
    | {"return-path", "received", "dkim-signature", "authentication-results", "delivered-to", "apparently-to"}
)
_RESERVED_FAMILIES = ("content-", "resent-", "arc-")


def is_field_name(name: str) -> bool:
    """Whether the name is one of RFC 5322 (visible ASCII without a colon, at most 76 characters)."""
    return _FIELD_NAME.fullmatch(name) is not None


def is_extra_name(name: str) -> bool:
    """Whether code outside the composer may set the field: a valid name, and none that is set elsewhere."""
    lower = name.lower()
    return is_field_name(name) and lower not in RESERVED and not lower.startswith(_RESERVED_FAMILIES)


def block(fields: Iterable[Field]) -> bytes:
    """The fields as octets, in order, without the blank line. ASCII, but for addresses that need SMTPUTF8."""
    octets = "".join(fields).encode()
    if _BLOCK.fullmatch(octets) is None:
        raise HeaderError("a header block with a line that is no field")
    return octets


def _head(name: str) -> str:
    if _FIELD_NAME.fullmatch(name) is None:
        raise HeaderError(f"not the name of a header field: {name[:80]!r}")
    return name + ": "


def _fold(head: str, words: Iterable[str], limit: int = _LINE) -> Field:
    """The words behind the head, with a fold instead of a space wherever a line would pass the limit."""
    pieces = [head]
    column = len(head)
    first = True
    for word in words:
        if first:
            first = False
        elif column + 1 + len(word) > limit:
            pieces.append("\r\n ")
            column = 1
        else:
            pieces.append(" ")
            column += 1
        pieces.append(word)
        column += len(word)
    pieces.append("\r\n")
    return Field("".join(pieces))


def _column(head: str, words: Iterable[str], limit: int) -> int:
    """Where the line stands after `_fold(head, words, limit)`."""
    column = len(head)
    first = True
    for word in words:
        column = (
            1 + len(word)
            if not first and column + 1 + len(word) > limit
            else column + (not first) + len(word)
        )
        first = False
    return column


def unstructured(name: str, text: str, charset: Charset = UTF_8) -> Field:
    """A field of free text, such as Subject; decodes to the same text.

    Control characters, line separators and lone surrogates are taken out first; more than 4,000 characters
    are cut. ASCII stays readable: only from the first to the last word that needs it is the text encoded. A
    text that merely looks like an encoded word is encoded too, so that nobody decodes it into something else.
    """
    head = _head(name)
    text = one_line(text)
    if len(text) > MAX_TEXT:
        text = one_line(text[: MAX_TEXT - 1]) + "…"
    plain = text.isascii() and "=?" not in text
    if plain and len(head) + len(text) <= _LINE and "  " not in text:
        return Field(f"{head}{text}\r\n")
    words = text.split(" ")
    odd = [
        index
        for index, word in enumerate(words)
        if not word or not word.isascii() or "=?" in word or len(word) > _UNFOLDABLE
    ]
    if not odd:
        return _fold(head, words)
    before, span, after = words[: odd[0]], words[odd[0] : odd[-1] + 1], words[odd[-1] + 1 :]
    room = _ENCODED_LINE - _column(head, before, _ENCODED_LINE) - bool(before)
    encoded = encode_words(" ".join(span), charset, room=room)
    return _fold(head, [*before, *encoded, *after], _ENCODED_LINE)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _mailbox(address: Address) -> str | None:
    """The mailbox on one line; None when its name needs encoding."""
    name = address.display_name
    if not name:
        return address.addr_spec
    if "=?" in name:
        return None
    if _ATOMS.fullmatch(name):
        return f"{name} <{address.addr_spec}>"
    if name.isascii() and len(name) <= 60 and "  " not in name:
        return f"{_quoted(name)} <{address.addr_spec}>"
    return None


def mailboxes(name: str, addresses: Sequence[Address], charset: Charset = UTF_8) -> Field:
    """An address field (From, To, Cc, Reply-To, …). HeaderError when there is no address."""
    head = _head(name)
    if len(addresses) == 1:
        line = _mailbox(addresses[0])
        if line is not None and len(head) + len(line) <= _LINE:
            return Field(f"{head}{line}\r\n")
    elif not addresses:
        raise HeaderError(f"{name} without an address")
    words: list[str] = []
    limit = _LINE
    for index, address in enumerate(addresses):
        comma = "," if index < len(addresses) - 1 else ""
        line = _mailbox(address)
        display_name = address.display_name
        if line is None:
            limit = _ENCODED_LINE
            room = _ENCODED_LINE - _column(head, words, limit) - bool(words)
            words += encode_words(display_name, charset, room=room)
            words.append(f"<{address.addr_spec}>{comma}")
        elif display_name and len(head) + len(line) >= _LINE:
            # Too long for a line of its own: its name may be folded, a quoted one only as a whole.
            name_part = line.removesuffix(f" <{address.addr_spec}>")
            words += [name_part] if name_part.startswith('"') else name_part.split(" ")
            words.append(f"<{address.addr_spec}>{comma}")
        else:
            words.append(line + comma)
    return _fold(head, words, limit)


def is_message_id(text: str) -> bool:
    """Whether the text is one message id with its angle brackets, of characters that may stand in a
    header."""
    return _MESSAGE_ID.fullmatch(text) is not None


def message_ids(name: str, ids: Sequence[str]) -> Field:
    """A field of message ids, each with its angle brackets. HeaderError for anything else."""
    for one in ids:
        if _MESSAGE_ID.fullmatch(one) is None:
            raise HeaderError(f"{name}: not a message id")
    if len(ids) == 1 and len(name) + len(ids[0]) <= _LINE - 2:
        return Field(f"{_head(name)}{ids[0]}\r\n")
    return _fold(_head(name), ids)


def references(ids: Sequence[str]) -> Field:
    """The References field: what is no message id is left out, since other programs' ids come from outside;
    of a long thread its first and its last twenty stand. An empty Field when none is left.
    """
    usable = list(dict.fromkeys(one for one in ids if is_message_id(one)))
    if len(usable) > MAX_REFERENCES:
        usable = [usable[0], *usable[1 - MAX_REFERENCES :]]
    return message_ids("References", usable) if usable else Field("")


def token(name: str, value: str) -> Field:
    """A field with one token, such as Precedence. HeaderError for anything else."""
    if _TOKEN.fullmatch(value) is None:
        raise HeaderError(f"{name}: not a token")
    return Field(f"{_head(name)}{value}\r\n")


def urls(name: str, values: Sequence[str]) -> Field:
    """A field of URLs in angle brackets (RFC 2369): http, https and mailto, ASCII. HeaderError for anything
    else."""
    if not values or not all(_URL.fullmatch(value) for value in values):
        raise HeaderError(f"{name}: not http, https or mailto URLs in ASCII")
    last = len(values) - 1
    return _fold(
        _head(name), [f"<{value}>{'' if index == last else ','}" for index, value in enumerate(values)]
    )


#: To for a mail whose recipients are not named.
UNDISCLOSED = Field("To: undisclosed-recipients:;\r\n")
#: Beside a List-Unsubscribe with an https URL: one POST to it is enough (RFC 8058).
ONE_CLICK = Field("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def date(name: str, when: datetime) -> Field:
    """A date of RFC 5322 §3.3, in English whatever the locale. HeaderError when the time zone is missing."""
    offset = when.utcoffset()
    if offset is None:
        raise HeaderError(f"{name} needs a time zone")
    minutes = round(offset.total_seconds() / 60)
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    return Field(
        f"{_head(name)}{_DAYS[when.weekday()]}, {when.day:02d} {_MONTHS[when.month - 1]} {when.year:04d} "
        f"{when.hour:02d}:{when.minute:02d}:{when.second:02d} {sign}{minutes // 60:02d}{minutes % 60:02d}\r\n"
    )


def list_id(identifier: str, description: str = "", charset: Charset = UTF_8) -> Field:
    """List-Id (RFC 2919): `Description <identifier>`. HeaderError when the identifier is no dotted name."""
    if not re.fullmatch(r"[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]+)+", identifier) or len(identifier) > 255:
        raise HeaderError("List-Id: not a dotted name")
    name = one_line(one_line(description)[:256])
    words: list[str]
    if not name:
        words = []
    elif _ATOMS.fullmatch(name) and "=?" not in name:
        words = name.split(" ")
    elif name.isascii() and "=?" not in name and len(name) <= 60:
        words = [_quoted(name)]
    else:
        words = encode_words(name, charset, room=_ENCODED_LINE - len("List-Id: "))
    return _fold("List-Id: ", [*words, f"<{identifier}>"], _ENCODED_LINE)


# --- Parameters (RFC 2045, RFC 2231)
# --------------------------------------------------------------------------

_ATTRIBUTE_CHARS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`{|}~")
_PERCENT = tuple(chr(o) if o in _ATTRIBUTE_CHARS else f"%{o:02X}" for o in range(256))
_PLAIN = re.compile(r"[A-Za-z0-9._\-]{1,60}")


def parameter(attribute: str, value: str) -> list[str]:
    """`attribute=value` as words to fold, without the semicolons: as it is, quoted, or by RFC 2231.

    A text outside ASCII becomes `attribute*=UTF-8''…`; a long one is split into `attribute*0*`,
    `attribute*1*`, … between characters, since some readers decode each piece for itself.
    """
    value = one_line(value)
    if _PLAIN.fullmatch(value):
        return [f"{attribute}={value}"]
    if value.isascii() and len(value) <= 256 and not set('"\\') & set(value) and "=?" not in value:
        return [f'{attribute}="{value}"']
    coded = ["".join(map(_PERCENT.__getitem__, char.encode())) for char in value]
    room = _LINE - len(attribute) - len("*00*=UTF-8'';") - 2
    if sum(map(len, coded)) <= room:
        return [f"{attribute}*=UTF-8''{''.join(coded)}"]
    pieces: list[str] = []
    line = ""
    for char in coded:
        if len(line) + len(char) > room:
            pieces.append(line)
            line = ""
        line += char
    pieces.append(line)
    return [
        f"{attribute}*{n}*={chr(0x27).join(('UTF-8', '', '')) if n == 0 else ''}{p}"
        for n, p in enumerate(pieces)
    ]


_UNSAFE_IN_QUOTES = str.maketrans('"\\;', "'__")


def encoded_parameter(attribute: str, value: str, charset: Charset = UTF_8) -> list[str]:
    """`attribute="=?UTF-8?Q?…?="`: against RFC 2047, yet what Outlook and others read in Content-Type's name.

    Some readers decode first and look for parameters then: what could end the quotation is replaced.
    """
    value = one_line(value)
    if value.isascii() and len(value) <= 256 and "=?" not in value and not set('"\\') & set(value):
        return [f'{attribute}="{value}"']
    value = value.translate(_UNSAFE_IN_QUOTES)
    words = encode_words(value, charset, width=MAX_WORD - 2, room=MAX_WORD - len(attribute) - 3)
    words[0] = f'{attribute}="{words[0]}'
    words[-1] += '"'
    return words


def parameterized(name: str, value: str, parameters: Sequence[Sequence[str]] = ()) -> Field:
    """A field such as Content-Type: a value, and parameters as the functions above make them."""
    if not re.fullmatch(r"[!-:<-~]{1,200}", value):
        raise HeaderError(f"{name}: not a token")
    words = [value]
    for group in parameters:
        words[-1] += ";"
        for index, word in enumerate(group):
            if index and "*" in word.partition("=")[0]:
                words[-1] += ";"
            words.append(word)
    return _fold(_head(name), words, _ENCODED_LINE)
