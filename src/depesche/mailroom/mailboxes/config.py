"""What a mailbox is to its users: how to reach it, how far it was read, what is new in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import TracebackType
from typing import Protocol, Self

from depesche.smtpclient.config import Encryption, TokenSource, Trust

MAX_MAIL = 50 * 1024 * 1024  # octets; of a larger mail only the beginning is fetched


@dataclass(frozen=True)
class MailboxConfig:
    """One mailbox and how to speak to it. `protocol` is "imap" or "pop3"; `timeout` in seconds a step.

    With `token`, the login is by OAuth 2.0, and neither user name nor password is used.
    """

    protocol: str
    host: str
    port: int
    encryption: Encryption
    username: str
    password: str = field(repr=False)
    allow_clear_password: bool = False
    trust: Trust = field(default_factory=Trust)
    timeout: float = 30.0
    folder: str = "INBOX"
    token: TokenSource | None = None

    @property
    def login_name(self) -> str:
        """Who logs in; "" for the account that consented (OAuth 2.0)."""
        return self.token.username if self.token is not None else self.username

    @property
    def name(self) -> str:
        """The mailbox as one word, for the row that remembers how far it was read. No secret in it."""
        return f"{self.protocol}://{self.login_name}@{self.host}:{self.port}/{self.folder}"[:255]


@dataclass(frozen=True)
class Cursor:
    """How far a mailbox has been read. Empty: never.

    IMAP: under `uidvalidity`, every mail up to `last_uid` was gone through. `boundary` is the last mail that
    was there when these numbers were first seen: of the mails up to it, only the unread ones are ours where
    the mailbox is new to us (`since` None), and where the server numbered anew those that came after the day
    `since` (stored ones are recognised).
    POP3: `seen` names the mails that are stored but may still be at the server, each as "UIDL digest".
    """

    uidvalidity: int | None = None
    last_uid: int = 0
    boundary: int = 0
    since: date | None = None
    seen: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Position:
    """Where a mail stands in its mailbox: `uid` for IMAP; for POP3 `uidl`, its `number` in this session and
    the `digest` of its header. `whole` is False where only the beginning of a huge mail was fetched.
    """

    uid: int = 0
    uidvalidity: int = 0
    uidl: str = ""
    number: int = 0
    digest: str = ""
    whole: bool = True

    def __str__(self) -> str:
        return self.uidl or f"{self.uidvalidity}/{self.uid}"


@dataclass(frozen=True)
class Fetched:
    """A mail as it stands in the mailbox: still unmarked, still there."""

    position: Position
    raw: bytes = field(repr=False)


class Stop(Protocol):
    """What tells to end a wait; a threading.Event is one. Asked about once a second."""

    def is_set(self) -> bool: ...


class Mailbox(Protocol):
    """An open, logged-in mailbox. Every method raises MailboxError when the connection fails."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    unreadable: int
    """How many mails the server named but would not hand over; they are left alone."""

    def new_mails(self, cursor: Cursor) -> Iterator[Fetched]:
        """Mails that the cursor does not cover, oldest first, one at a time. Nothing is marked by that."""

    def mark_taken(self, positions: Sequence[Position]) -> None:
        """These mails are stored with us: mark (IMAP) or delete (POP3) them at the server."""

    def advanced(self, cursor: Cursor, taken: Sequence[Position]) -> Cursor:
        """The cursor once these mails, in the order in which they came, are stored."""

    def caught_up(self, cursor: Cursor, *, today: date) -> Cursor:
        """The cursor once everything that `new_mails` named is stored."""

    def wait(self, seconds: float, stop: Stop) -> bool:
        """Wait until something arrives (True), or the time is over or `stop` is set (False). Where the
        server cannot tell, returns False at once."""
