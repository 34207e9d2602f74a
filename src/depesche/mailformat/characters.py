"""Which characters may stand in a header value or a name, and what becomes of the others.

Everything here is applied to *decoded* text: a control character that arrives hidden in an encoded word
(`=?utf-8?q?hi=0ABcc:_v?=`) must be gone before the text is written anywhere again.
"""

from __future__ import annotations

import re

# Line ends and other vertical or horizontal white space become one space: words stay apart.
_SPACING = re.compile(r"[\t\n\x0b\x0c\r\x1c-\x1f\x85\u2028\u2029]+")
# The other controls of C0 and C1 have no place in a line at all.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
# Embeddings, overrides and isolates can make a name read as another one (moc.live@ -> @evil.com).
# The plain marks (LRM, RLM, ALM) stay: Hebrew and Arabic names need them.
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]+")

MAX_NAME = 256  # characters; longer display names are cut


def well_formed(text: str) -> str:
    """The same text without lone surrogates: pairs are joined, lone ones become U+FFFD.

    The result can always be encoded in UTF-8.
    """
    if text.isascii():
        return text
    try:
        text.encode()  # the quickest way to look for them
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def one_line(text: str) -> str:
    """The text as one clean line: no control characters, no line separators, no surrogates, no outer
    spaces."""
    if text.isascii() and text.isprintable():
        return text.strip(" ")
    text = _SPACING.sub(" ", text)
    return well_formed(_CONTROLS.sub("", text)).strip(" ")


def clean_name(text: str, limit: int = MAX_NAME) -> str:
    """A name safe to show and to write: one line, no bidirectional overrides, at most `limit` characters."""
    if text.isascii() and text.isprintable() and len(text) <= limit:
        return text.strip()
    return one_line(_BIDI.sub("", text[: 4 * limit]))[:limit].strip()
