"""Content as it goes over the wire: every line ends with CRLF, and dots are stuffed (RFC 5321 §2.3.8,
§4.5.2).

A bare CR or LF is what SMTP smuggling lives on: servers disagree about what ends a line. So there is none
left. Content that is right already, as our composer writes it, costs three counts and a search, all in C.
"""

from __future__ import annotations

import re

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
