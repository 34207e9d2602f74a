"""Octets in, replies out (RFC 5321 §4.2). Incremental: cut anywhere, the same replies come out.

A server is not trusted: lines, the number of lines and the whole reply are bounded, so that endless
continuation lines end the session instead of filling memory. A bare LF ends a line as well: some servers send
it.
"""

from __future__ import annotations

from depesche.smtpclient.reply import Reply

MAX_LINE = 4096  # RFC 5321 permits 512 octets; real servers write longer ones
MAX_LINES = 256
MAX_REPLY = 65536


class MalformedReply(ValueError):
    """The server said something that is not a reply. ``octets`` is the beginning of it."""

    def __init__(self, why: str, octets: bytes = b"") -> None:
        super().__init__(why)
        self.octets = octets[:80]


class ReplyParser:
    """Feed it what arrives; it hands out complete replies. Once `failed` is set, nothing more comes out of
    it."""

    __slots__ = ("_code", "_lines", "_rest", "_size", "failed")

    def __init__(self) -> None:
        self.failed: MalformedReply | None = None
        self._rest = b""
        self._code = 0
        self._lines: list[bytes] = []
        self._size = 0

    @property
    def pending(self) -> bool:
        """Whether something has arrived that is no complete reply."""
        return bool(self._rest or self._lines or self.failed)

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that are complete now. What comes before a mistake of the server is still handed
        out."""
        replies: list[Reply] = []
        if self.failed is None:
            try:
                self._feed(data, replies)
            except MalformedReply as error:
                self.failed = error
                self._rest, self._lines = b"", []
        return replies

    def _feed(self, data: bytes, replies: list[Reply]) -> None:
        if self._rest:
            data = self._rest + data
        lines = data.split(b"\n")
        self._rest = rest = lines.pop()
        for octets in lines:
            line = octets[:-1] if octets.endswith(b"\r") else octets
            if len(line) > MAX_LINE:
                raise MalformedReply("a line that is too long", line)
            digits = line[:3]
            separator = line[3:4]
            if not (len(digits) == 3 and digits.isdigit() and b"200" <= digits < b"600"):
                raise MalformedReply("no reply code at the beginning of the line", line)
            if separator not in (b"", b" ", b"-", b"\t"):
                raise MalformedReply("no space after the reply code", line)
            code = int(digits)
            if not self._lines and separator != b"-":  # by far the most replies
                replies.append(Reply.from_wire(code, (line[4:],)))
                continue
            if self._lines and code != self._code:
                raise MalformedReply("the lines of one reply have different codes", line)
            self._code = code
            self._lines.append(line[4:])
            self._size += len(line)
            if len(self._lines) > MAX_LINES or self._size > MAX_REPLY:
                raise MalformedReply("a reply without end", line)
            if separator != b"-":
                replies.append(Reply.from_wire(code, tuple(self._lines)))
                self._lines = []
                self._size = 0
        if len(rest) > MAX_LINE:
            raise MalformedReply("a line without end", rest)
