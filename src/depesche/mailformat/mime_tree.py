"""The tree of MIME parts, read in one pass that no input can make slow, deep or fail.

The standard library's parser asks every open multipart about every line and recurses into each part: a
thousand levels end in RecursionError or in minutes. Here one loop walks over the lines that begin with two
hyphens and looks each up in a dictionary of the open boundaries; parts are slices of the one buffer,
decoded when asked for. What is broken is read as a person would read it, and named in `defects`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from depesche.mailformat.cms import signed_content
from depesche.mailformat.decoding import decode_text, decode_transfer
from depesche.mailformat.header_text import header_text, parse_parameters, raw_text


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a mail is looked at. What lies beyond is left unread and named as a defect."""

    octets: int = 100_000_000
    depth: int = 1_000
    parts: int = 10_000
    headers: int = 1_000
    header_octets: int = 1_000_000
    body_characters: int = 5_000_000


@dataclass(slots=True)
class Part:
    """One part. `children` of a multipart are its parts, of a message/rfc822 the one message in it."""

    source: bytes
    headers: list[tuple[str, bytes]]
    start: int
    end: int
    depth: int
    content_type: str = "text/plain"
    parameters: dict[str, str] = field(default_factory=dict)
    children: list[Part] = field(default_factory=list)
    preamble_end: int = -1

    def raw_header(self, name: str) -> bytes | None:
        """The first value of that name, unfolded but not decoded."""
        wanted = name.lower()
        for key, value in self.headers:
            if key == wanted:
                return value
        return None

    def header_all(self, name: str) -> tuple[str, ...]:
        """All values of that name in order, decoded, on one line, without control characters."""
        wanted = name.lower()
        return tuple(header_text(raw_text(value)) for key, value in self.headers if key == wanted)

    def header(self, name: str) -> str:
        """The first value of that name, decoded; empty when there is none."""
        value = self.raw_header(name)
        return "" if value is None else header_text(raw_text(value))

    @property
    def raw_body(self) -> bytes:
        return self.source[self.start : self.end]

    def data(self) -> tuple[bytes, bool]:
        """The octets of the body with the transfer encoding undone, and whether that was well formed."""
        return decode_transfer(self.raw_body, self.header("content-transfer-encoding"))

    def text(self) -> tuple[str, bool]:
        """The body as text, and whether encoding and charset were as declared."""
        octets, whole = self.data()
        text, honest = decode_text(octets, self.parameters.get("charset", ""))
        return text, whole and honest

    @property
    def disposition(self) -> tuple[str, dict[str, str]]:
        return parse_parameters(raw_text(self.raw_header("content-disposition") or b""))

    def walk(self) -> Iterator[Part]:
        """This part and all below it, in the order of the mail."""
        stack = [self]
        while stack:
            part = stack.pop()
            yield part
            stack.extend(reversed(part.children))


_HEADER_LINE = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
_MBOX_FROM = re.compile(rb">?From [^\n]{1,300}\n")
_KNOWN_HEADER = re.compile(
    rb"(?:from|to|cc|subject|date|message-id|mime-version|content-[a-z-]+|received|return-path|references|"
    rb"in-reply-to|reply-to|sender|x-[a-z0-9-]+|delivered-to)[ \t]*:",
    re.IGNORECASE,
)


def normalise_lines(raw: bytes) -> bytes:
    """All line ends as LF. Lone CRs count as line ends only where a mail has hardly any LF."""
    data = raw
    for _ in range(4):
        if b"\r\n" not in data:
            break
        data = data.replace(b"\r\n", b"\n")
    head = data[:20_000]
    if head.count(b"\r") > 3 * head.count(b"\n") + 1:
        data = data.replace(b"\r", b"\n")
    return data


def read_headers(
    data: bytes, start: int, end: int, limits: Limits, defects: list[str]
) -> tuple[list[tuple[str, bytes]], int]:
    """The header fields from `start` and where the body begins."""
    headers: list[tuple[str, bytes]] = []
    name: str | None = None
    value: list[bytes] = []
    position = start
    ceiling = min(end, start + limits.header_octets)

    def keep() -> None:
        if name is not None:
            if len(headers) < limits.headers:
                headers.append((name, b" ".join(value)))
            elif len(headers) == limits.headers:
                defects.append("more headers than are read")

    while position < ceiling:
        newline = data.find(b"\n", position, end)
        line_end = end if newline < 0 else newline
        after = end if newline < 0 else newline + 1
        line = data[position : min(line_end, position + 100_000)]
        if not line.strip(b"\r"):
            position = after
            break
        if line[:1] in (b" ", b"\t") and name is not None:
            if not line.strip() and not _folded_on(data, after, end):
                position = after  # a line of blanks where the empty line should be
                break
            value.append(line.strip(b" \t\r"))
            position = after
            continue
        match = _HEADER_LINE.match(line)
        if match is None:
            if _MBOX_FROM.match(data, position) and (name is None or line.startswith(b">")):
                position = after
                continue
            following = _KNOWN_HEADER.match(data, after) if after < end else None
            if following is not None and name is not None and not line.startswith(b"--"):
                defects.append("a header line that is none")
                value.append(line.strip(b" \t\r"))
                position = after
                continue
            if name is not None or headers:
                defects.append("no empty line between header and body")
            break
        keep()
        name = match.group(1).decode("ascii").lower()
        value = [line[match.end() :].strip(b" \t\r")]
        position = after
    keep()
    return headers, position


def _folded_on(data: bytes, position: int, end: int) -> bool:
    """Whether a header line, or the continuation of one, follows."""
    if position >= end:
        return False
    return data[position : position + 1] in (b" ", b"\t") or _KNOWN_HEADER.match(data, position) is not None


@dataclass(slots=True)
class _Open:
    part: Part
    boundary: bytes | None  # None: a message, or a leaf


class _Builder:
    """One walk over one buffer. `open` is the chain from the root to the part being read."""

    def __init__(self, data: bytes, limits: Limits, defects: list[str]) -> None:
        self.data = data
        self.limits = limits
        self.defects = defects
        self.open: list[_Open] = []
        self.levels: dict[bytes, list[int]] = {}
        self.count = 0
        self.guesses = 0

    def build(self, start: int, end: int, depth: int) -> Part:
        root = self._begin(start, end, depth, "text/plain")
        data = self.data
        # A delimiter line stands behind a line end; the search begins with the one in front of the body.
        before = self._body_start() - 1
        while self.levels:
            if before < 0 and data.startswith(b"--"):
                line_start = 0
            else:
                found = data.find(b"\n--", max(before, 0), end)
                if found < 0:
                    break
                line_start = found + 1
            newline = data.find(b"\n", line_start, end)
            line_end = end if newline < 0 else newline
            before = line_end
            level, closing = self._boundary_level(data[line_start + 2 : min(line_end, line_start + 1_100)])
            if level is None:
                continue
            self._close_above(level, max(line_start - 1, start))
            owner = self.open[level]
            if owner.part.preamble_end < 0:
                owner.part.preamble_end = max(line_start - 1, owner.part.start)
            if closing:
                self._forget(level)
                continue
            if self.count >= self.limits.parts:
                self.defects.append("more parts than are read")
                break
            default = "message/rfc822" if owner.part.content_type == "multipart/digest" else "text/plain"
            self._begin(min(line_end + 1, end), end, owner.part.depth + 1, default)
            before = max(self._body_start() - 1, line_end)
        if any(entry.boundary is not None for entry in self.open) and root.children:
            self.defects.append("a multipart that is not closed")
        self._close_above(-1, end)
        return root

    def _body_start(self) -> int:
        return self.open[-1].part.start

    def _boundary_level(self, line: bytes) -> tuple[int | None, bool]:
        token = line.rstrip()
        levels = self.levels.get(token)
        if levels:
            return levels[-1], False
        if token.endswith(b"--"):
            levels = self.levels.get(token[:-2].rstrip(b" \t"))
            if levels:
                return levels[-1], True
        return None, False

    def _begin(self, start: int, end: int, depth: int, default_type: str) -> Part:
        """Open the part whose header starts here; a message in it is opened too, down to the first leaf."""
        first: Part | None = None
        while True:
            headers, body = read_headers(self.data, start, end, self.limits, self.defects)
            part = Part(self.data, headers, body, end, depth)
            self.count += 1
            first = first or part
            _set_type(part, default_type, self.defects)
            if self.open:
                self.open[-1].part.children.append(part)
            if depth >= self.limits.depth:
                self.defects.append("nested deeper than is read")
                self.open.append(_Open(part, None))
                return first
            boundary = self._boundary_of(part)
            self.open.append(_Open(part, boundary))
            if boundary is not None:
                self.levels.setdefault(boundary, []).append(len(self.open) - 1)
                return first
            encoding = part.header("content-transfer-encoding").lower()
            if not part.content_type.startswith(("message/rfc822", "message/global")) or (
                part.content_type.startswith("message/global-") or encoding in ("base64", "quoted-printable")
            ):
                return first
            if self.count >= self.limits.parts:
                return first
            start, depth, default_type = _skip_mbox_from(self.data, body, end), depth + 1, "text/plain"

    def _boundary_of(self, part: Part) -> bytes | None:
        if not part.content_type.startswith("multipart/"):
            return None
        declared = part.parameters.get("boundary", "").encode("utf-8", "surrogatepass").rstrip()
        if declared and len(declared) <= 1_000:
            delimiter = b"--" + declared
            if self.data.startswith(delimiter, part.start) or self.count > 50:
                return declared
            if self.data.find(b"\n" + delimiter, max(part.start - 1, 0), part.end) >= 0:
                return declared
        self.defects.append("a multipart whose boundary is missing or wrong")
        self.guesses += 1
        return _guess_boundary(self.data, part.start, part.end) if self.guesses <= 20 else None

    def _close_above(self, level: int, end: int) -> None:
        while len(self.open) - 1 > level:
            entry = self.open.pop()
            entry.part.end = max(min(entry.part.end, end), entry.part.start)
            if entry.boundary is not None:
                self._drop_level(entry.boundary, len(self.open))

    def _forget(self, level: int) -> None:
        entry = self.open[level]
        if entry.boundary is not None:
            self._drop_level(entry.boundary, level)
            entry.boundary = None

    def _drop_level(self, boundary: bytes, level: int) -> None:
        levels = self.levels.get(boundary)
        if levels and levels[-1] == level:
            levels.pop()
            if not levels:
                del self.levels[boundary]


def _set_type(part: Part, default: str, defects: list[str]) -> None:
    raw = part.raw_header("content-type")
    if raw is None:
        part.content_type = default
        return
    value, parameters = parse_parameters(raw_text(raw))
    name = value.split(" ", 1)[0].strip("\"'<>,:")
    if name in ("text", "html", "plain"):
        name = "text/html" if name == "html" else "text/plain"
    if name.count("/") != 1 or name.startswith("/") or name.endswith("/"):
        defects.append("a Content-Type that is none")
        name = "multipart/mixed" if parameters.get("boundary") else "text/plain"
    part.content_type = name
    part.parameters = parameters


_DELIMITER_LINE = re.compile(rb"(?:^|\n)--([^\n\r]{1,200}?)[ \t\r]*(?=\n)")


def _guess_boundary(data: bytes, start: int, end: int) -> bytes | None:
    """The boundary of a multipart that names a wrong one: a line after which a part's header follows."""
    for tries, match in enumerate(
        _DELIMITER_LINE.finditer(data, max(start - 1, 0), min(end, start + 100_000))
    ):
        if tries >= 20:
            break
        token = match.group(1)
        following = data[match.end() + 1 : match.end() + 200].lstrip(b"\n")
        if following[:8].lower() == b"content-" and not token.endswith(b"--"):
            return token.rstrip()
    return None


def _skip_mbox_from(data: bytes, start: int, end: int) -> int:
    position = start
    for _ in range(20):
        if position < end and data[position : position + 1] in (b"\n",):
            position += 1
        else:
            break
    match = _MBOX_FROM.match(data, position)
    return match.end() if match and match.end() <= end else position


def read_tree(raw: bytes, limits: Limits, defects: list[str]) -> Part:
    """The root part of the mail. Never raises; time and memory grow with the size of the mail, not its
    shape.
    """
    if len(raw) > limits.octets:
        defects.append("longer than is read")
        raw = raw[: limits.octets]
    data = normalise_lines(raw)
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    start = 0
    while start < len(data) and data[start : start + 1] in (b"\n", b"\r", b"\x00"):
        start += 1
    if start < len(data):
        start = _skip_mbox_from(data, start, len(data))
    root = _Builder(data, limits, defects).build(start, len(data), 0)
    _open_encoded_messages(root, limits, defects)
    return root


def _open_encoded_messages(root: Part, limits: Limits, defects: list[str]) -> None:
    """Messages hidden in an encoding: attached in base64 (not allowed, and common) or signed opaquely.

    Each decoding shrinks the data, and there is a limit to their number.
    """
    budget = 50
    queue = [part for part in root.walk() if _hides_message(part)]
    while queue and budget:
        part = queue.pop()
        budget -= 1
        if part.depth + 1 >= limits.depth:
            continue
        octets: bytes | None = part.data()[0]
        if part.content_type in SIGNED_TYPES:
            octets = signed_content(octets or b"")
        if not octets:
            continue
        data = normalise_lines(octets)
        start = _skip_mbox_from(data, 0, len(data))
        inner = _Builder(data, limits, defects).build(start, len(data), part.depth + 1)
        if inner.headers:
            part.children.append(inner)
            queue.extend(child for child in inner.walk() if _hides_message(child))


SIGNED_TYPES = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})


def _hides_message(part: Part) -> bool:
    if part.children:
        return False
    if part.content_type in SIGNED_TYPES:
        return True
    return part.content_type in ("message/rfc822", "message/global") and part.header(
        "content-transfer-encoding"
    ).lower() in ("base64", "quoted-printable")
