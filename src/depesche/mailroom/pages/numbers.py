"""Numbers out of addresses and forms, where anybody may have typed anything."""

from __future__ import annotations

_MOST = 18  # digits: what a row's id can have in every database


def whole_number(text: str) -> int | None:
    """The number that these digits are; None for anything else, and for more digits than an id can have.

    >>> whole_number("482"), whole_number("-1"), whole_number("9" * 19)
    (482, None, None)
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST else None
