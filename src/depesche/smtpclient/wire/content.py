"""Content as it goes over the wire: every line ends with CRLF, and dots are stuffed (RFC 5321 §2.3.8,
§4.5.2).

A bare CR or LF is what SMTP smuggling lives on: servers disagree about what ends a line. So there is none
left. Content that is right already, as our composer writes it, costs three counts and a search, all in C;
what many messages have in common costs that once (`SharedContent`).
"""

from __future__ import annotations

import re
from typing import NamedTuple

_ANY_LINE_END = re.compile(rb"\r\n|\r|\n")


def normalised(content: bytes) -> bytes:
    """The content with CRLF at the end of each line, the last one included."""
    ends = content.count(b"\r\n")
    if content.count(b"\n") != ends or content.count(b"\r") != ends:
        content = _ANY_LINE_END.sub(b"\r\n", content)
    if content and not content.endswith(b"\r\n"):
        content += b"\r\n"
    return content


def dot_stuffed(content: bytes) -> bytes:
    """Normalised content with each dot at the beginning of a line doubled."""
    if b"\r\n." in content:
        content = content.replace(b"\r\n.", b"\r\n..")
    if content.startswith(b"."):
        content = b"." + content
    return content


class SharedContent:
    """What many messages end with, byte for byte: the body, and the header fields that all have.

    Immutable. It is looked through once, however many messages share it.
    """

    __slots__ = ("is_ascii", "octets", "stuffed")

    def __init__(self, octets: bytes) -> None:
        self.octets = normalised(octets)
        self.stuffed = dot_stuffed(self.octets)  # the same object where there is nothing to stuff
        self.is_ascii = self.octets.isascii()

    @property
    def size(self) -> int:
        """Octets that it holds in memory."""
        return len(self.octets) + (len(self.stuffed) if self.stuffed is not self.octets else 0)


class Normalised(NamedTuple):
    """The whole content of one message. `stuffed` None: not known yet."""

    octets: bytes
    is_ascii: bool
    stuffed: bytes | None = None


def content_of(own: bytes, shared: SharedContent | None) -> Normalised:
    """A message's own octets and what it shares with others behind them, as one normalised content."""
    if shared is None:
        octets = normalised(own)
        return Normalised(octets, octets.isascii())
    if own and not own.endswith(b"\r\n"):  # a line reaches across: only the whole can be normalised
        octets = normalised(own + shared.octets)
        return Normalised(octets, octets.isascii())
    own = normalised(own)
    octets = own + shared.octets
    own_stuffed = dot_stuffed(own)
    clean = own_stuffed is own and shared.stuffed is shared.octets
    stuffed = octets if clean else own_stuffed + shared.stuffed
    return Normalised(octets, shared.is_ascii and own.isascii(), stuffed)
