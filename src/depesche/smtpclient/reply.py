"""What the server says: one reply, its code, its enhanced status code (RFC 5321 §4.2, RFC 3463, RFC 2034).

A reply is made in the hot path, four times for each message, and most are never looked at again. So the
octets are kept as they came, and text is made of them only when somebody asks.
"""

from __future__ import annotations

import enum
import re
from typing import NamedTuple


class Persistence(enum.Enum):
    """How long a refusal holds."""

    TRANSIENT = "transient"
    PERMANENT = "permanent"


class EnhancedStatus(NamedTuple):
    """An enhanced status code, for example ``5.1.1`` (RFC 3463)."""

    klass: int
    subject: int
    detail: int

    def __str__(self) -> str:
        return f"{self.klass}.{self.subject}.{self.detail}"


GIST = 1000
"""Characters of a server's words in which a meaning is looked for."""

_ENHANCED = re.compile(r"\A([245])\.(\d{1,3})\.(\d{1,3})(?=\s|$)[ \t]*")
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")


def _decode(octets: bytes) -> str:
    """Text of a reply line. Never fails and never keeps a control character: it is shown on pages and
    terminals."""
    if octets.isascii():
        text = octets.decode("ascii")
        if text.isprintable():
            return text
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        text = octets.decode("latin-1")
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


class Reply:
    """One complete reply. Immutable; equal by code and words.

    ``lines`` are the lines without code and separator, the enhanced status code still in them.
    """

    __slots__ = ("_lines", "_raw", "code")

    code: int
    _raw: tuple[bytes, ...] | None
    _lines: tuple[str, ...] | None

    def __init__(self, code: int, lines: tuple[str, ...] | str = ()) -> None:
        self.code = code
        self._raw = None
        self._lines = tuple(_CONTROLS.sub("\N{REPLACEMENT CHARACTER}", line) for line in _as_tuple(lines))

    @classmethod
    def from_wire(cls, code: int, raw: tuple[bytes, ...]) -> Reply:
        """A reply whose lines (code and separator cut off) are decoded only when they are wanted."""
        self = cls.__new__(cls)
        self.code = code
        self._raw = raw
        self._lines = None
        return self

    @property
    def lines(self) -> tuple[str, ...]:
        if self._lines is None:
            self._lines = tuple(map(_decode, self._raw or ()))
        return self._lines

    @property
    def enhanced(self) -> EnhancedStatus | None:
        """The first enhanced status code in any of the lines whose class agrees with the reply code, or
        None."""
        for line in self.lines:
            if (found := _ENHANCED.match(line)) and int(found[1]) == self.code // 100:
                return EnhancedStatus(int(found[1]), int(found[2]), int(found[3]))
        return None

    @property
    def text(self) -> str:
        """The server's words in one line, without any code."""
        return " ".join(filter(None, (_ENHANCED.sub("", line, count=1).strip() for line in self.lines)))

    @property
    def gist(self) -> str:
        """The beginning of `text`, at most GIST characters: what a meaning is looked for in. A server may say
        64 KB, and patterns that wander over all of it would hold up everybody else."""
        return self.text[:GIST]

    @property
    def persistence(self) -> Persistence | None:
        """TRANSIENT for 4xx, PERMANENT for 5xx, None where nothing was refused."""
        if 400 <= self.code < 500:
            return Persistence.TRANSIENT
        if 500 <= self.code < 600:
            return Persistence.PERMANENT
        return None

    @property
    def positive(self) -> bool:
        return 200 <= self.code < 300

    def scrubbed(self, *secrets: str) -> Reply:
        """The same reply where none of the given secrets can be read, should the server have repeated one."""
        lines = self.lines
        for secret in filter(None, secrets):
            lines = tuple(line.replace(secret, "(secret)") for line in lines)
        return self if lines == self.lines else Reply(self.code, lines)

    def __str__(self) -> str:
        return " ".join(filter(None, (str(self.code), str(self.enhanced or ""), self.text)))

    def __repr__(self) -> str:
        return f"Reply({self.code}, {self.lines!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reply) and (self.code, self.lines) == (other.code, other.lines)

    def __hash__(self) -> int:
        return hash((self.code, self.lines))


def _as_tuple(lines: tuple[str, ...] | str) -> tuple[str, ...]:
    return (lines,) if isinstance(lines, str) else tuple(lines)
