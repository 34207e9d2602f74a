"""Where the signature of a stretch of text begins.

When in doubt a line is text: a signature that stays is untidy, a sentence that goes is lost to the reader.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from depesche.mailformat.reply_text.clutter import (
    contact_signs,
    is_closing,
    is_disclaimer,
    is_disclaimer_paragraph,
    is_footer,
    is_prose,
)
from depesche.mailformat.reply_text.device_notes import is_device_note
from depesche.mailformat.reply_text.forms import is_rule

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
    delimiters: list[int] = []
    for index in range(end - 1, -1, -1):
        line = contents[index]
        if not line:
            continue
        if line in _DELIMITERS:
            delimiters.append(index)
            if not _is_letter(contents[index + 1 : end]):
                found = index
        elif 0 < below <= _LONGEST_RULED and len(line) >= 2 and is_rule(line):
            ruled = [text for text in contents[index + 1 : end] if text]
            found = index if _looks_like_signature(ruled, names) else found
        below += 1
        if below > _LONGEST_SIGNATURE:
            break
    if len(delimiters) > 1:
        # Two dashes and text below the second: points of a list, or something set between dashes.
        last = [text for text in contents[delimiters[0] + 1 : end] if text]
        if last and not _looks_like_signature(last, names, gratitude=False):
            return end
    return found


def _is_letter(under: Sequence[str]) -> bool:
    """Whole sentences over several lines: then the delimiter was a dash between two parts of the letter."""
    sentences = sum(len(text) >= 50 and _SENTENCE_END.search(text) is not None for text in under)
    return sentences >= 3 and not any(contact_signs(text) or is_disclaimer(text) for text in under)


def _looks_like_signature(lines: Sequence[str], names: Sequence[str], *, gratitude: bool = True) -> bool:
    """Without `gratitude` a closing and a name are no sign of one: a letter ends with them as well."""
    points = 0
    for line in lines:
        if is_footer(line):
            return True
        if len(line) > 100 and not is_disclaimer(line):
            return False
        if is_closing(line):
            points += gratitude
            continue
        signs = contact_signs(line)
        if not signs and (is_prose(line) or (points < 1 and _SENTENCE_END.search(line))):
            # Wrapped disclaimers and slogans are prose too, but not above everything else.
            if points < 2 and not is_disclaimer_paragraph(lines):
                return False
            continue
        points += signs
        points += gratitude and any(name in line.lower() for name in names)
    if (
        gratitude
        and len(lines) <= 4
        and all(len(line) <= 60 and not _SENTENCE_END.search(line) for line in lines)
    ):
        points += 1
    return points >= 1 + (len(lines) > 6)


def _paragraph(contents: Sequence[str], start: int, end: int) -> Sequence[str]:
    stop = start
    while stop < end and contents[stop] and stop - start < 40:
        stop += 1
    return contents[start:stop]


def _at_disclaimer(contents: Sequence[str], end: int) -> int:
    """Paragraphs of a law department at the end of the letter, with nothing but such below them."""
    for index in range(max(1, end - 60), end):
        if not contents[index] or contents[index - 1]:
            continue  # not the beginning of a paragraph
        paragraph = _paragraph(contents, index, end)
        if not is_disclaimer_paragraph(paragraph) or not any(contents[:index]):
            continue
        rest = contents[index + len(paragraph) : end]
        if not any(line.endswith("?") for line in rest) and sum(map(len, rest)) <= 4_000:
            return index
    return end


def _is_name(line: str, names: Sequence[str]) -> bool:
    words = line.strip(" ,*_").split()
    if not 0 < len(words) <= 5 or contact_signs(line) or line.endswith((":", "?", "!")):
        return False
    if any(name in line.lower() for name in names) or len(words) == 1:
        return True
    return not any(word[0].islower() or word[0].isdigit() for word in words if len(word) > 3)


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
    if position >= end or not (_is_name(contents[position], names) or contact_signs(contents[position])):
        return end
    if contact_signs(contents[position]) == 0:
        position += 1  # the name
    elif position > closing + 1 and not _COMPANY_FIRST.search(contents[position]):
        return end  # a list of numbers below "Thanks." is what the letter is about
    rest = [text for text in contents[position:end] if text]
    if len(rest) < 2 or any(_POSTSCRIPT.match(text) or is_prose(text) for text in rest):
        return end
    signs = sum(contact_signs(text) for text in rest)
    return position if signs >= 3 else end


_COMPANY_FIRST = re.compile(r"\b(?:gmbh|ag|kg|ug|inc|ltd|llc|e\.v)\b", re.IGNORECASE)


def _is_only_clutter(contents: Sequence[str], names: Sequence[str]) -> bool:
    """A name, a closing, a card or a footer below the quote: the letter itself stands above it."""
    lines = [text for text in contents if text and not _PLACEHOLDER.fullmatch(text)]
    if not lines or len(lines) > 15:
        return not lines
    if (len(lines) <= 10 and _is_footer_block(lines)) or is_disclaimer_paragraph(lines):
        return True
    if any(line.endswith("?") for line in lines):
        return False
    if (
        is_closing(lines[0])
        and len(lines) <= 8
        and not any(is_prose(line) or line.endswith(":") for line in lines[1:])
    ):
        return True
    return (
        2 <= len(lines) <= 8
        and not any(is_prose(line) or line.endswith((".", "!", ":")) for line in lines)
        and sum(contact_signs(line) for line in lines) >= 2
        and _looks_like_signature(lines, names)
    )


def _is_footer_block(lines: Sequence[str]) -> bool:
    """A footer has a link, a rule above it or more than one of its phrases; a sentence about one has not."""
    phrases = sum(is_footer(line) for line in lines)
    if not phrases:
        return is_footer(" ".join(lines)[:2_000]) and any("://" in line for line in lines)
    return phrases >= 2 or any("://" in line or "@" in line or is_rule(line) for line in lines)
