"""Header fields as they come: unfolded, decoded (RFC 2047, RFC 2231, and what people send instead), harmless.

No value that leaves this module contains a control character: they are removed *after* decoding, since an
encoded word can carry a line break past any check made before. Everything here is linear in its input.
"""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_to_bytes

from depesche.mailformat.characters import one_line
from depesche.mailformat.decoding import decode_text
from depesche.mailformat.encoded_words import decode_words

#: Marks that turn the direction of text, with which a name can pretend to be another.
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff]")
_WHITE = re.compile(r"[ \t]{2,}")


def clean(text: str) -> str:
    """One line of text without control characters; runs of white space become one space."""
    return _WHITE.sub(" ", _TURNS.sub("", one_line(text)))


def raw_text(value: bytes, label: str = "") -> str:
    """A raw header value as text, encoded words still in it: UTF-8 or the body's charset for undeclared
    bytes.
    """
    return decode_text(value, label)[0]


def header_text(value: str) -> str:
    """A header value decoded for showing: one line, no control characters, at most 20,000 characters."""
    return clean(decode_words(value[:60_000]))[:20_000]


_PARAM_NAME = re.compile(r"\s*([A-Za-z0-9!#$%&+^_`{|}~.-]+)(\*[0-9]{1,3})?(\*)?\s*=\s*")


def parse_parameters(value: str) -> tuple[str, dict[str, str]]:
    """`type; name=value …` with RFC 2231 continuations and charsets. First in lower case; tolerant;
    bounded.
    """
    value = value[:60_000]
    head, _, rest = value.partition(";")
    plain: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, str, bool]]] = {}
    for raw in _split_parameters(rest):
        match = _PARAM_NAME.match(raw)
        if match is None:
            continue
        name = match.group(1).lower()
        text = raw[match.end() :].strip()
        if text.startswith('"'):
            text = _unquote(text)
        extended = match.group(3) is not None
        if match.group(2) is not None or extended:
            index = int(match.group(2)[1:]) if match.group(2) else 0
            pieces.setdefault(name, []).append((index, text, extended))
        else:
            plain.setdefault(name, text)
    for name, parts in pieces.items():
        parts.sort(key=lambda part: part[0])
        plain[name] = _join_2231(parts)
    return clean(head).lower(), {name: clean(decode_words(text)) for name, text in plain.items()}


def _join_2231(parts: list[tuple[int, str, bool]]) -> str:
    label = ""
    data: list[bytes] = []
    for position, (_, text, extended) in enumerate(parts):
        if extended:
            octets = text
            if position == 0 and text.count("'") >= 2:
                label, _, octets = text.split("'", 2)
            data.append(unquote_to_bytes(octets))
        else:
            data.append(text.encode("utf-8", "surrogatepass"))
    return decode_text(b"".join(data), label)[0]


def _split_parameters(rest: str) -> list[str]:
    """Split at semicolons outside quotes."""
    out: list[str] = []
    start = 0
    quoted = False
    skip = False
    for position, character in enumerate(rest):
        if skip:
            skip = False
        elif character == "\\" and quoted:
            skip = True
        elif character == '"':
            quoted = not quoted
        elif character == ";" and not quoted:
            out.append(rest[start:position])
            start = position + 1
            if len(out) >= 200:
                return out
    out.append(rest[start:])
    if quoted and len(out) == 1 and ";" in rest:
        return rest.split(";")[:200]  # a quote that never closes: the semicolons count after all
    return out


def _unquote(text: str) -> str:
    out: list[str] = []
    position = 1
    while position < len(text):
        character = text[position]
        if character == "\\" and position + 1 < len(text):
            # Windows paths in file names come with bare backslashes: only a quote or a backslash is escaped.
            following = text[position + 1]
            out.append(following if following in '"\\' else character + following)
            position += 2
            continue
        if character == '"':
            break
        out.append(character)
        position += 1
    return "".join(out)


_MESSAGE_ID = re.compile(r"<([^<>]{1,996})>")
_BARE_ID = re.compile(r"[^\s<>,;\"()]{1,250}@[^\s<>,;\"()]{1,250}")


def message_ids(value: str, *, limit: int = 200) -> tuple[str, ...]:
    """Every Message-ID in a header value, in order, with its angle brackets and without white space."""
    value = value[:60_000]
    found = [f"<{''.join(inner.split())}>" for inner in _MESSAGE_ID.findall(value)]
    if not found:
        # Some programs leave the brackets out, others break the closing one off.
        found = [
            f"<{token}>" for token in value.replace("<", " ").replace(">", " ").split() if _bare_id(token)
        ]
    unique = dict.fromkeys(identifier for identifier in found if len(identifier) > 2)
    result = tuple(unique)
    # Threads: the first and the newest count most.
    return result if len(result) <= limit else (result[0], *result[-(limit - 1) :])


def _bare_id(token: str) -> bool:
    return len(token) <= 500 and _BARE_ID.fullmatch(token) is not None


def header_date(value: str) -> datetime | None:
    """The Date header as it says, or None. Without a zone it stays naive."""
    text = clean(value)[:120]
    if not text:
        return None
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def decode_text_header(value: str) -> str:
    """A field value from a status part, with encoded words (Exchange writes them there too) decoded."""
    return decode_words(value[:60_000]) if "=?" in value else value
