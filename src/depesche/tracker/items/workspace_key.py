"""The short key of a workspace, the prefix of its items and of the subjects of their mails. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Final

KEY: Final = re.compile(r"[A-Z][A-Z0-9]{0,9}")
_GERMAN: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


def key_for(name: str, taken: Collection[str]) -> str:
    """A key for a workspace of this name that is not taken: the name itself where it is one (`NW`), the
    initials of several words, else the first letters; numbered when taken.

    >>> key_for("NW", ()), key_for("Nordlicht plant", ()), key_for("Werkstatt", {"WER"})
    ('NW', 'NP', 'WER2')
    """
    if KEY.fullmatch(name) and name not in taken:
        return name
    plain = unicodedata.normalize("NFKD", name.translate(_GERMAN)).encode("ascii", "ignore").decode("ascii")
    words = re.findall(r"[A-Za-z][A-Za-z0-9]*", plain)
    if not words:
        stem = "W"
    elif len(words) == 1:
        whole = words[0].upper()
        stem = whole if len(whole) <= 4 else whole[:3]
    else:
        stem = "".join(word[0] for word in words[:4]).upper()
    key, number = stem, 2
    while key in taken:
        key, number = f"{stem}{number}", number + 1
    return key
