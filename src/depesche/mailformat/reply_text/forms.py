"""Small readings of single lines that all markers share: dates, dashes, rules."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST_LINE = 500

DATE = re.compile(
    r"\b\d{1,2}[:.h]\d{2}\b|\b(?:19|20)\d\d\b|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b|\d\s?(?:月|年|월|년)|"
    r"\b\d{1,2}\. ?\w{3,12}\b"
)
TIME = re.compile(r"(?<![\d.:])\d{1,2}[:.h]\d{2}(?!\d|\.\d)")

#: Dashes, lines and bullets that programs draw with.
DASHES = "-‐‑‒–—―−─━═╌╍┄┅┈┉⎯⸺⸻﹘﹣－"
DRAWN = f"{DASHES}_=*~# \t|"


def bare(line: str) -> str:
    """The line without emphasis, rules at its sides and superfluous space."""
    return " ".join(
        line.replace("*", " ").replace("\u200e", "").replace("\u200f", "").replace("\xa0", " ").split()
    )


def lower_case(text: str) -> str:
    """In lower case; the Turkish capital with a dot becomes one letter, not two."""
    return text.lower().replace("i\u0307", "i")


def without_rules(line: str) -> str:
    """The line without what is drawn at its sides."""
    return line.strip(DRAWN)


@dataclass(frozen=True, slots=True)
class Marker:
    """Lines `start` to `end` (exclusive) introduce an older mail."""

    start: int
    end: int
    kind: str  # "attribution", "header", "separator", "forward", "reply-above"
    weak: bool = False  # an attribution only if a quote follows


_RULE_CHARACTERS = frozenset(f"{DRAWN}+ᐧ•.·\u200b") - {"|"}


def is_rule(line: str) -> bool:
    """A line drawn with at least two characters: "____", "-- ", "* * *"."""
    text = line.strip()
    return (
        2 <= len(text) <= 400
        and all(character in _RULE_CHARACTERS for character in text)
        and text.strip(". ") != ""
    )
