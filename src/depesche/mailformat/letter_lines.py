"""The lines of a letter, with what is known of each before anything is decided."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

_QUOTE = re.compile(r"[ \t]{0,3}+((?:>[ \t]?+)++)")
_NO_QUOTE = re.compile(r">From [A-Za-z]|[ \t]{0,3}>=")  # mbox escapes "From "; and a comparison is none
#: Zero-width marks, soft hyphens and direction marks that programs sprinkle at line ends.
_INVISIBLE = str.maketrans(
    "",
    "",
    "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u1427\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
)


class Mark(Enum):
    """What the HTML structure says about a line; plain text knows only NONE."""

    NONE = "none"
    ATTRIBUTION = "attribution"  # the program itself calls this line one
    CUT_BELOW = "cut below"  # an older mail begins here and goes on to the end
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class Line:
    """`shown` is the line as it would be kept, `content` without quote marks and invisible characters."""

    shown: str
    content: str
    depth: int = 0
    mark: Mark = Mark.NONE

    @property
    def blank(self) -> bool:
        return not self.content


def visible(text: str) -> str:
    """The text without outer spaces and without characters that nobody sees."""
    return (text if text.isascii() else text.translate(_INVISIBLE)).strip()


def plain_line(raw: str) -> Line:
    """A line of a plain-text body."""
    shown = raw.rstrip().replace("\x0c", "")
    bare = shown if shown.isascii() else shown.translate(_INVISIBLE)
    if ">" in bare[:8] and not _NO_QUOTE.match(bare):
        match = _QUOTE.match(bare)
        if match:
            depth = match.group(1).count(">")
            return Line(shown, bare[match.end() :].strip(), depth)
    return Line(shown, bare.strip(), 0)


_TORN_TAIL = re.compile(r"[:：]|\S[^<>@]{0,40}[:：]")


def plain_lines(text: str, *, most: int) -> tuple[list[Line], str]:
    """The first `most` lines of a plain-text body, and what follows them, unread."""
    lines: list[Line] = []
    recent: list[str] = []
    rows = text.replace("\r\n", "\n").replace("\r", "\n").split("\n", most)
    rest = rows.pop() if len(rows) > most else ""
    for raw in rows:
        line = plain_line(raw)
        if line.depth == 1 and recent and _TORN_TAIL.fullmatch(line.content):
            # A wrapped attribution: the ">" that closes an address has come to stand at the start of a line.
            before = " ".join(recent)
            if before.count("<") > before.count(">"):
                line = Line(line.shown, f"> {line.content}", 0)
        if line.depth:
            recent.clear()
        elif line.content:
            recent = [*recent[-2:], line.content[:500]]
        lines.append(line)
    return lines, rest
