"""HTML as a flat stream of tags and texts, in linear time whatever its nesting.

Parsers that build a tree need 30 to 45 seconds for half a megabyte of nested `<div>`. Reading a letter
needs no tree: the stream and a stack of open elements tell as much, and no shape of input makes them slow.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

#: Characters of HTML that are taken apart; of what lies behind only the bare text is read.
LONGEST_HTML = 1_000_000
_FAILURES = 20
_LONGEST_ATTRIBUTES = 20_000

_NAME = re.compile(r"(/?)([A-Za-z][^\s/>]{0,60}+)")
_REST = re.compile(r"(?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+>")
_ATTRIBUTE = re.compile(
    r"(?<![^\s/\"'])([A-Za-z_:@][\w:.-]{0,60}+)\s{0,20}+=\s{0,20}+(\"[^\"]*+\"|'[^']*+'|[^\s\"'>]++)"
)
#: Elements whose content is no text of the letter.
_RAW = frozenset(
    {"style", "script", "title", "template", "noscript", "xml", "svg", "textarea", "head", "noembed"}
)
_RAW_END = {name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in _RAW}
_HEAD_END = re.compile(r"</head\s*>|<body[\s>]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tag:
    """A start or end tag; `rest` is what stands behind the name, not yet taken apart."""

    name: str
    closing: bool
    rest: str

    def attributes(self) -> dict[str, str]:
        """Attribute names in lower case to decoded values; the first of each name counts."""
        found: dict[str, str] = {}
        for match in _ATTRIBUTE.finditer(self.rest[:_LONGEST_ATTRIBUTES]):
            value = match.group(2)
            if value[:1] in "\"'":
                value = value[1:-1]
            found.setdefault(match.group(1).lower(), unescape(value))
            if len(found) >= 60:
                break
        return found


_TAG = re.compile(r"<[^<>]*+>?")


def without_tags(source: str) -> str:
    """The bare text, for what is too long to be read properly."""
    return unescape(_TAG.sub(" ", source))


def unescape(text: str) -> str:
    """Character references decoded. A reference of thousands of digits is left as it stands."""
    if "&" not in text:
        return text
    try:
        return html.unescape(text)
    except ValueError:
        return text


class Tokens:
    """Tags, and the texts between them with their character references decoded. `position`: how far it was
    read.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0

    def __iter__(self) -> Iterator[Tag | str]:
        for position, token in _tokens(self.source[:LONGEST_HTML]):
            self.position = position
            yield token

    def unread(self) -> str:
        """The bare text behind the last token that was taken."""
        return without_tags(self.source[self.position :])


def _tokens(source: str) -> Iterator[tuple[int, Tag | str]]:
    """Each token with the position behind it."""
    position = 0
    failures = 0
    never_closed: set[str] = set()
    end = len(source)
    last_close = source.rfind(">")
    while position < end:
        start = source.find("<", position)
        if start < 0 or start > last_close:
            break
        if start > position:
            yield start, unescape(source[position:start])
        following = source[start + 1 : start + 2]
        if following in ("!", "?"):
            position = _skip_declaration(source, start)
            continue
        name = _NAME.match(source, start + 1)
        if name is None:
            yield start + 1, "<"
            position = start + 1
            continue
        rest = _REST.match(source, name.end()) if failures < _FAILURES else None
        if rest is not None:
            tag_end = rest.end()
        else:
            # A quote that never closes: the tag ends at the next bracket.
            failures += 1
            tag_end = source.find(">", name.end()) + 1
            if tag_end == 0:
                break
        tag = Tag(name.group(2).lower(), bool(name.group(1)), source[name.end() : tag_end - 1])
        position = tag_end
        if tag.name in _RAW and tag.name not in never_closed and not tag.closing and tag.rest[-1:] != "/":
            finish = (_HEAD_END if tag.name == "head" else _RAW_END[tag.name]).search(source, position)
            if finish is None:
                never_closed.add(tag.name)
                if tag.name in ("head", "title", "noscript", "xml"):
                    continue  # what follows may be the letter
                return
            position = finish.start() if finish.group().lower().startswith("<body") else finish.end()
            continue
        yield position, tag
    if position < end:
        yield end, unescape(source[position:])


def _skip_declaration(source: str, start: int) -> int:
    """Where reading goes on behind a comment, a doctype or a conditional of Office."""
    if source.startswith("<!--", start):
        finish = source.find("-->", start + 4)
        if source.startswith("<!-->", start):
            return start + 5
        if finish >= 0:
            return finish + 3
        # A comment that never closes ends at the next bracket, as browsers of old did.
    finish = source.find(">", start)
    return len(source) if finish < 0 else finish + 1
