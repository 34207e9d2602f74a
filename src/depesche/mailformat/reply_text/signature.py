"""Where the signature of a stretch of text begins."""

from __future__ import annotations

import re
from collections.abc import Sequence

from depesche.mailformat.reply_text.clutter import (
    contact_signs,
    is_closing,
    is_device_note,
    is_disclaimer,
    is_footer,
)
from depesche.mailformat.reply_text.markers import is_rule

_DELIMITERS = frozenset({"--", "-- ", "—", "–", "- -", "—-", "-–", "--=20", "\\--"})
_POSTSCRIPT = re.compile(r"p\.?\s?s\.?[\s:.]|nachtrag|edit:", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\[(?:image|cid|logo|bild|inline image)[:\s][^\]]{0,300}\]", re.IGNORECASE)
_LONGEST_SIGNATURE = 30
_LONGEST_RULED = 12
_SENTENCE_END = re.compile(r"[.!?…][)\"'”»]?$")


def signature_start(contents: Sequence[str], *, names: Sequence[str], below_quote: bool, last: bool) -> int:
    """How many lines at the beginning of `contents` are text. `last`: no further text follows in the mail.

    `below_quote`: text stands above the quote already, so that what is below it may be nothing but clutter.
    """
    end = _without_trailing_clutter(contents, len(contents))
    end = min(end, _at_delimiter(contents, end, names))
    end = _without_trailing_clutter(contents, end)
    if last:
        end = min(end, _at_disclaimer(contents, end))
        end = min(end, _at_card(contents, end, names))
        end = _without_trailing_clutter(contents, end)
    if below_quote and last and end and _is_only_clutter(contents[:end], names):
        return 0
    return end


def _without_trailing_clutter(contents: Sequence[str], end: int) -> int:
    while end > 0:
        line = contents[end - 1]
        if line and not is_rule(line) and not is_device_note(line) and line not in _DELIMITERS:
            break
        end -= 1
    return end


def _at_delimiter(contents: Sequence[str], end: int, names: Sequence[str]) -> int:
    """The first delimiter line below which only a signature stands. Looks at the last lines alone."""
    below = 0
    found = end
    for index in range(end - 1, -1, -1):
        line = contents[index]
        if not line:
            continue
        if line in _DELIMITERS and not (below > 2 and _is_prose(contents[index + 1 : end])):
            found = index
        elif 0 < below <= _LONGEST_RULED and len(line) >= 2 and is_rule(line):
            ruled = [text for text in contents[index + 1 : end] if text]
            found = index if _looks_like_signature(ruled, names) else found
        below += 1
        if below > _LONGEST_SIGNATURE:
            break
    return found


def _is_prose(contents: Sequence[str]) -> bool:
    """Whole sentences over several lines: then the delimiter was a dash between two parts of the letter."""
    sentences = sum(len(text) >= 50 and _SENTENCE_END.search(text) is not None for text in contents)
    return sentences >= 3 and not any(contact_signs(text) or is_disclaimer(text) for text in contents)


def _looks_like_signature(lines: Sequence[str], names: Sequence[str]) -> bool:
    points = 0
    for line in lines:
        if is_footer(line):
            return True
        if len(line) > 100 and not is_disclaimer(line):
            return False
        points += contact_signs(line)
        points += any(name in line.lower() for name in names)
        points += is_closing(line)
        points -= line.endswith("?")
    if len(lines) <= 4 and all(len(line) <= 60 and not _SENTENCE_END.search(line) for line in lines):
        points += 1
    return points >= 1 + (len(lines) > 6)


def _at_disclaimer(contents: Sequence[str], end: int) -> int:
    """Paragraphs of a law department at the end of the letter."""
    for index in range(max(0, end - 40), end):
        if not is_disclaimer(contents[index]) or index == 0:
            continue
        before = [text for text in contents[:index] if text]
        if before and not contents[index - 1]:
            return index
    return end


def _at_card(contents: Sequence[str], end: int, names: Sequence[str]) -> int:
    """Below "Kind regards, Jane Doe": the address card. The closing and the name stay."""
    closing = -1
    for index in range(end - 1, max(-1, end - 40), -1):
        if contents[index] and is_closing(contents[index]):
            closing = index
            break
    if closing < 0:
        return end
    position = closing + 1
    while position < end and not contents[position]:
        position += 1
    if position >= end:
        return end
    if len(contents[position].split()) <= 5 and contact_signs(contents[position]) == 0:
        position += 1  # the name
    rest = [text for text in contents[position:end] if text]
    if len(rest) < 2 or any(_POSTSCRIPT.match(text) for text in rest):
        return end
    signs = sum(contact_signs(text) for text in rest)
    return position if signs >= 3 else end


def _is_only_clutter(contents: Sequence[str], names: Sequence[str]) -> bool:
    """A name, a closing, a card or a footer below the quote: the letter itself stands above it."""
    lines = [text for text in contents if text and not _PLACEHOLDER.fullmatch(text)]
    if not lines or len(lines) > 15:
        return not lines
    if is_footer(" ".join(lines)[:2_000]) and len(lines) <= 10:
        return True
    if any(line.endswith("?") for line in lines):
        return False
    if is_closing(lines[0]) and len(lines) <= 8:
        return True
    return (
        len(lines) <= 8
        and sum(contact_signs(line) for line in lines) >= 2
        and _looks_like_signature(lines, names)
    )
