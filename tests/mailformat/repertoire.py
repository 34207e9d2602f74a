"""Texts that a charset has characters for, beside those that look so and are lost on the way."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

from depesche.mailformat.charset import Charset

#: Encoded without an error, and yet not what comes back; or syntax of the headers themselves.
TRICKY = '¥‾ㅤ똠〜①€\x85\x1b\x0e =?_\t\n\r"\\'


@cache
def _own(codec: str) -> str:
    found = []
    # Every seventh character of the BMP is as good a sample as all of them, and is there at once.
    for code in (*range(0x20, 0x600), *range(0x600, 0xD800, 7), *range(0xE000, 0x10000, 7)):
        try:
            chr(code).encode(codec)
        except UnicodeError:
            continue
        found.append(chr(code))
    return "".join(found)


def texts(charset: Charset, *, min_size: int = 0, max_size: int = 100) -> st.SearchStrategy[str]:
    """Texts mostly of the charset's own characters."""
    characters = st.sampled_from(_own(charset.codec)) | st.sampled_from(TRICKY)
    return st.text(characters, min_size=min_size, max_size=max_size)
