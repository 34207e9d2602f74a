"""The decision: which lines are new. One pass marks what each line is, one decides, none looks twice.

The rules, in their order:
1. An older mail that is not marked with ">" begins at a separator, a forwarded header or an attribution and
   goes on to the end.
2. Quoted lines with an answer below them are answers between the lines: the answers are kept, and with two or
   more of them the quoted words they answer as well. A single quote with the answer below it goes.
3. A quote that nobody introduced, above the text, is the writer's own and stays.
4. Signatures, device notes and list footers go; a closing with the writer's name stays.
Nothing is lost: each line is either kept or in what was cut, in the order of the mail.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from depesche.mailformat.letter_lines import Line, Mark
from depesche.mailformat.reply_text import markers
from depesche.mailformat.reply_text.attributions import attribution_ending_at
from depesche.mailformat.reply_text.device_notes import is_device_note
from depesche.mailformat.reply_text.forms import DATE, Marker, is_rule
from depesche.mailformat.reply_text.known import KnownText
from depesche.mailformat.reply_text.separators import SEPARATORS
from depesche.mailformat.reply_text.signature import signature_start

#: How many lines of a quoted block are kept as the context of an answer between the lines.
CONTEXT_LINES = 14


#: So many lines that may end an attribution are looked at together with those above them; hostile mails have
#: more.
_MOST_CANDIDATES = 1_000


class _Is(Enum):
    TEXT = "text"
    QUOTE = "quote"
    MARKER = "marker"
    CLUTTER = "clutter"


@dataclass(frozen=True, slots=True)
class Cut:
    """For each line, whether it is kept. Also what was found."""

    keep: tuple[bool, ...]
    had_quote: bool
    had_signature: bool
    open_end: bool  # the last line belongs to something that was cut, and what follows would too


@dataclass(slots=True)
class _Block:
    """Neighbouring lines of one sort. Blank lines belong to the text block they stand in or before."""

    is_quote: bool
    start: int
    end: int
    introduced: bool = False


def cut(lines: Sequence[Line], *, forward: bool, names: Sequence[str], known: KnownText) -> Cut:
    """Decide line by line. `forward`: the mail passes another one on, so that the older mail is its
    content.
    """
    contents = [line.content for line in lines]
    kinds = [_Is.TEXT] * len(lines)
    for index, line in enumerate(lines):
        if line.depth > 0:
            kinds[index] = _Is.QUOTE
        elif line.mark is Mark.SIGNATURE or (line.content and is_device_note(line.content, certain=True)):
            kinds[index] = _Is.CLUTTER
    _bars_are_quotes(lines, kinds)
    _initials_are_quotes(contents, kinds)
    found = _find_markers(lines, contents, kinds)
    limit = len(lines)
    introduced: set[int] = set()
    has_text_before = False
    last_content = max((index for index, content in enumerate(contents) if content), default=-1)
    seen = 0
    for marker in found:
        following = _next_line(lines, marker.end)
        quoted = following is not None and kinds[following] is _Is.QUOTE
        if marker.kind == "attribution" and marker.weak and not quoted:
            continue
        while seen < marker.start and not has_text_before:
            has_text_before = kinds[seen] is _Is.TEXT and bool(contents[seen])
            seen += 1
        if marker.kind == "reply-above":
            limit = _back_over_rules(lines, marker.start)
            break
        if marker.kind == "forward" and (forward or not has_text_before):
            continue
        if marker.kind == "cut-below" and forward:
            continue
        if quoted and following is not None:
            for index in range(marker.start, marker.end):
                kinds[index] = _Is.MARKER
            introduced.add(following)
            continue
        if forward and marker.kind in ("header", "separator", "attribution"):
            continue
        if has_text_before or marker.kind == "cut-below":
            limit = _back_over_rules(lines, marker.start)
            break
        # At the top of the mail, with nothing above it: what follows is all there is, and stays.
        if marker.kind == "attribution" or marker.end > last_content:
            continue
        for index in range(marker.start, marker.end):
            kinds[index] = _Is.MARKER
    _comparisons_are_text(lines, kinds, introduced)
    limit = _cut_known(lines, kinds, limit, known)
    _overflow_is_quote(lines, kinds, limit)
    blocks = _blocks(lines, kinds, limit, introduced)
    for block in blocks:
        if block.is_quote and not block.introduced:
            block.introduced = _introduces_itself(lines, kinds, contents, block)
    had_quote = (
        limit < len(lines) or any(kind is _Is.MARKER for kind in kinds) or any(b.is_quote for b in blocks)
    )
    keep, had_signature = _decide(lines, kinds, blocks, names)
    had_signature = had_signature or any(kind is _Is.CLUTTER for kind in kinds)
    open_end = limit < len(lines) or (bool(keep) and not keep[-1] and kinds[-1] is not _Is.TEXT)
    return Cut(tuple(keep), had_quote, had_signature, open_end)


def _next_line(lines: Sequence[Line], start: int) -> int | None:
    """The next line with something on it, over at most five blank ones."""
    for index in range(start, min(len(lines), start + 6)):
        if lines[index].content:
            return index
        if lines[index].depth:
            return index
    return None


def _bars_are_quotes(lines: Sequence[Line], kinds: list[_Is]) -> None:
    """Some programs mark quotes with a bar: only where several lines in a row have one, and it is no
    table.
    """
    start = 0
    while start < len(lines):
        end = start
        closed = 0
        while end < len(lines) and kinds[end] is _Is.TEXT and lines[end].content.startswith("|"):
            closed += lines[end].content.endswith("|") and len(lines[end].content) > 1
            end += 1
        if end - start >= 2 and closed == 0:
            for index in range(start, end):
                kinds[index] = _Is.QUOTE
        start = max(end, start + 1)


_INITIALS = re.compile(r"[^\W\d_]{1,12}>(?=\s|$)")


def _initials_are_quotes(contents: Sequence[str], kinds: list[_Is]) -> None:
    """The Bat! and Supercite mark with initials: "JD> ". Only below an attribution: prompts look alike."""
    index = 0
    while index < len(contents):
        match = _INITIALS.match(contents[index]) if kinds[index] is _Is.TEXT else None
        end = index + 1
        if match is not None:
            while end < len(contents) and contents[end].startswith(match.group(0)):
                end += 1
            above = index - 1
            while above > 0 and not contents[above] and index - above < 4:
                above -= 1
            if end - index >= 2 and above >= 0 and attribution_ending_at(contents, above, -1) is not None:
                kinds[index:end] = [_Is.QUOTE] * (end - index)
        index = end


def _comparisons_are_text(lines: Sequence[Line], kinds: list[_Is], introduced: set[int]) -> None:
    """ "> 50 % of all cases", on a line of its own that nothing introduced, means "more than"."""
    for index, line in enumerate(lines):
        if (
            line.depth == 1
            and line.content[:1].isdigit()
            and index not in introduced
            and not any(kinds[near] is _Is.QUOTE for near in (index - 1, index + 1) if 0 <= near < len(lines))
            and kinds[index] is _Is.QUOTE
        ):
            kinds[index] = _Is.TEXT


def _find_markers(lines: Sequence[Line], contents: Sequence[str], kinds: list[_Is]) -> list[Marker]:
    """All markers in unquoted lines, in order, and those on the first line of a quote."""
    found: list[Marker] = []
    floor = -1
    index = 0
    candidates = 0
    count = len(lines)
    while index < count:
        line = lines[index]
        content = contents[index]
        if line.mark is Mark.CUT_BELOW:
            found.append(Marker(index, index + 1, "cut-below"))
            return found
        if line.mark is Mark.ATTRIBUTION and content:
            found.append(Marker(index, index + 1, "attribution"))
            floor = index
            index += 1
            continue
        if not content or kinds[index] is not _Is.TEXT:
            marker = _groupwise(lines, kinds, index) if line.depth == 3 else None
            if marker is not None:
                found.append(marker)
            if kinds[index] is _Is.QUOTE:
                floor = index
            index += 1
            continue
        candidates += content[-1] in ":：" or content[0].isdigit()
        marker = _marker_at(contents, index, floor if candidates <= _MOST_CANDIDATES else index - 1)
        if marker is None and content.startswith(">>> "):  # in HTML it is no mark of a quote
            ruled = markers.groupwise_at(contents[index : index + 4], 0)
            marker = Marker(index, index + ruled.end, ruled.kind) if ruled is not None else None
        if marker is not None:
            found.append(marker)
            floor = marker.end - 1
            index = max(marker.end, index + 1)
            continue
        index += 1
    return found


def _groupwise(lines: Sequence[Line], kinds: list[_Is], index: int) -> Marker | None:
    """Three marks out of nothing: no quote in a quote, but GroupWise's line above the older mail."""
    around = [lines[near].depth for near in (index - 1, index + 1) if 0 <= near < len(lines)]
    if any(depth >= 2 for depth in around):
        return None
    marker = markers.groupwise_at([line.shown for line in lines[index : index + 4]], 0)
    if marker is None:
        return None
    kinds[index] = _Is.TEXT
    return Marker(index, index + marker.end, marker.kind)


def _marker_at(contents: Sequence[str], index: int, floor: int) -> Marker | None:
    kind = markers.separator_kind(contents[index])
    if kind is not None:
        end = index + 1
        following = end
        while following < len(contents) and following < end + 4 and not contents[following]:
            following += 1
        if kind in ("separator", "forward") and following < len(contents):
            block = markers.header_block_at(contents, following, separated=True)
            if block is not None:
                end = block.end
        return Marker(index, end, kind)
    above = index > 0 and (_rule_above(contents, index) or _title_above(contents, index))
    block = markers.header_block_at(contents, index, separated=above)
    if block is not None:
        return block
    if markers.is_one_line_header(contents[index]):
        return Marker(index, index + 1, "header")
    return attribution_ending_at(contents, index, floor)


def _title_above(contents: Sequence[str], index: int) -> bool:
    return contents[index - 1].strip(" :").lower() in SEPARATORS


def _rule_above(contents: Sequence[str], index: int) -> bool:
    for above in range(index - 1, max(-1, index - 4), -1):
        if contents[above]:
            return is_rule(contents[above])
    return False


def _back_over_rules(lines: Sequence[Line], start: int) -> int:
    """Rules and blank lines directly above belong to what is cut."""
    limit = start
    while limit > 0 and (lines[limit - 1].blank or is_rule(lines[limit - 1].content)):
        limit -= 1
    if limit > 0 and start - limit <= 2:
        above = lines[limit - 1].content
        if markers.is_ruled_title(above) or above.strip(" :").lower() in SEPARATORS:
            limit -= 1
    return limit


def _cut_known(lines: Sequence[Line], kinds: Sequence[_Is], limit: int, known: KnownText) -> int:
    """Where the words that we wrote ourselves begin, if they end the text without any mark."""
    if not known:
        return limit
    start = limit
    ours = 0
    foreign = 0
    for index in range(limit - 1, -1, -1):
        content = lines[index].content
        if not content:
            continue
        if kinds[index] is not _Is.TEXT or known.contains(content):
            ours += 1
            foreign = 0
            start = index
            continue
        foreign += 1
        if foreign > 1 or not ours:  # what stands below our words is an answer, however short
            break
    return start if ours >= 2 else limit


def _overflow_is_quote(lines: Sequence[Line], kinds: list[_Is], limit: int) -> None:
    """A quoted line that a gateway broke in two leaves its end without a mark: between two quoted lines."""
    for index in range(1, limit - 1):
        if kinds[index] is _Is.TEXT and kinds[index - 1] is _Is.QUOTE and kinds[index + 1] is _Is.QUOTE:
            before = lines[index - 1].content
            here = lines[index].content
            if (
                len(before) >= 60
                and here
                and len(here) <= 30
                and before[-1] not in ".!?:;"
                and here[0].islower()
            ):
                kinds[index] = _Is.QUOTE


def _blocks(lines: Sequence[Line], kinds: Sequence[_Is], limit: int, introduced: set[int]) -> list[_Block]:
    """Blocks of text and of quote; blank lines between two quoted lines belong to the quote."""
    blocks: list[_Block] = []
    apart = False
    for index in range(limit):
        kind = kinds[index]
        apart = apart or kind is _Is.MARKER
        if kind is _Is.QUOTE:
            if blocks and blocks[-1].is_quote and not apart:
                blocks[-1].end = index + 1
                blocks[-1].introduced |= index in introduced
            else:
                blocks.append(_Block(True, index, index + 1, index in introduced))
            apart = False
        elif kind is _Is.TEXT and lines[index].content:
            if blocks and not blocks[-1].is_quote:
                blocks[-1].end = index + 1
            else:
                blocks.append(_Block(False, index, index + 1))
    return blocks


def _introduces_itself(
    lines: Sequence[Line], kinds: list[_Is], contents: Sequence[str], block: _Block
) -> bool:
    """Apple Mail and Open-Xchange quote the attribution too: then it is the first that is quoted."""
    window = contents[block.start : min(block.end, block.start + 26)]
    for index in range(min(6, len(window))):
        if not window[index]:
            continue
        found = attribution_ending_at(window[:6], index, -1)
        if found is None and index == 0:
            found = markers.header_block_at(window, 0, separated=False)
        if found is None and index == 1 and DATE.search(window[0]) is not None:
            found = markers.header_block_at(
                window, 1, separated=True
            )  # Orange: "> Message du 03/03/26 10:11"
            found = Marker(0, found.end, found.kind) if found is not None else None
        if found is not None and not found.weak:
            for marked in range(found.start, found.end):
                kinds[block.start + marked] = _Is.MARKER
            return True
    return False


def _decide(
    lines: Sequence[Line], kinds: Sequence[_Is], blocks: list[_Block], names: Sequence[str]
) -> tuple[list[bool], bool]:
    keep = [False] * len(lines)
    had_signature = False
    ends: dict[int, int] = {}
    seen_text = False
    last_text = max((position for position, block in enumerate(blocks) if not block.is_quote), default=-1)
    for position, block in enumerate(blocks):
        if block.is_quote:
            continue
        contents = [
            lines[index].content if kinds[index] is _Is.TEXT else ""
            for index in range(block.start, block.end)
        ]
        below_quote = position > 0 and seen_text
        last = position == last_text
        size = signature_start(contents, names=names, below_quote=below_quote, last=last)
        had_signature |= size < len(contents)
        ends[position] = block.start + size
        seen_text = seen_text or size > 0
    answers = [
        position
        for position, block in enumerate(blocks)
        if not block.is_quote and ends[position] > block.start
    ]
    for position in answers:
        block = blocks[position]
        for index in range(block.start, ends[position]):
            keep[index] = kinds[index] is _Is.TEXT
    for position in answers:
        if position + 1 < len(blocks) and _told(
            lines, blocks[position], blocks[position + 1], ends[position]
        ):
            _keep_context(lines, kinds, keep, blocks[position + 1], whole=True)
    below = [position for position in answers if position > 0 and blocks[position - 1].is_quote]
    between = len(answers) >= 2
    for position in below:
        quote = blocks[position - 1]
        if between or not quote.introduced:
            _keep_context(lines, kinds, keep, quote, whole=not between)
    return keep, had_signature


_LONGEST_TOLD = 4


def _told(lines: Sequence[Line], text: _Block, quote: _Block, end: int) -> bool:
    """Whether the writer quotes something: a sentence with a colon, and a few lines directly below it."""
    if quote.introduced or not quote.is_quote or quote.end - quote.start > _LONGEST_TOLD:
        return False
    last = lines[text.end - 1].content
    if end != text.end or quote.start - text.end > 1 or not last.endswith((":", "：")):
        return False
    return DATE.search(last) is None and "@" not in last and sum(w[0].islower() for w in last.split()) >= 1


def _keep_context(
    lines: Sequence[Line], kinds: Sequence[_Is], keep: list[bool], quote: _Block, *, whole: bool
) -> None:
    start = quote.start
    if not whole and quote.end - quote.start > CONTEXT_LINES:
        # The paragraph that is answered: from the end back to a blank line.
        start = quote.end - 1
        while start > quote.start and quote.end - start < CONTEXT_LINES:
            start -= 1
            if lines[start].blank and quote.end - start > CONTEXT_LINES // 2:
                break
    while start < quote.end and (kinds[start] is not _Is.QUOTE or lines[start].blank):
        start += 1  # not the attribution, nor the blank lines below it
    for index in range(start, quote.end):
        keep[index] = kinds[index] is _Is.QUOTE
