"""What was said, line by line, with every secret replaced *before* it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from depesche.smtpclient.reply import Reply

SECRET = "(secret)"  # noqa: S105  stands in its place


@dataclass
class Transcript:
    """The lines of one session: ``C:`` what we said, ``S:`` what the server said, ``*:`` what happened
    besides.

    Give it to a session as its tap. Content appears as its size only. What is passed to `hide` never appears,
    not even where the server repeats it. At most `limit` lines are kept; after that only the number grows.
    """

    limit: int = 1000
    lines: list[str] = field(default_factory=list)
    dropped: int = 0
    _secrets: set[str] = field(default_factory=set, repr=False)

    def hide(self, *secrets: str) -> None:
        """Replace these wherever they would appear from now on."""
        # Shorter ones would blot out half the dialogue, and what we say ourselves is redacted at its source.
        self._secrets.update(secret for secret in secrets if len(secret) >= 4)

    def client(self, line: str) -> None:
        self._keep("C: " + line)

    def server(self, reply: Reply) -> None:
        last = len(reply.lines) - 1
        for number, line in enumerate(reply.lines):
            self._keep(f"S: {reply.code}{' ' if number == last else '-'}{line}".rstrip())

    def note(self, text: str) -> None:
        """Something that is no line of the dialogue: TLS began, the connection was lost."""
        self._keep("*: " + text)

    def _keep(self, line: str) -> None:
        if len(self.lines) >= self.limit:
            self.dropped += 1
            return
        # The longest first: one secret may be part of another.
        for secret in sorted(self._secrets, key=len, reverse=True):
            line = line.replace(secret, SECRET)
        self.lines.append(line)

    def __iter__(self) -> Iterator[str]:
        return iter(self.lines)

    def __str__(self) -> str:
        more = [f"*: {self.dropped} more lines"] if self.dropped else []
        return "\n".join([*self.lines, *more])
