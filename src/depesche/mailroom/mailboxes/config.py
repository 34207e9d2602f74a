"""What a mailbox is to its users: how to reach it, how far it was read, what is new in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

from depesche.mailroom.mailboxes.errors import MailboxStage
from depesche.smtpclient.config import Encryption, TokenSource, Trust

MAX_MAIL = 50 * 1024 * 1024  # octets; of a larger mail only the beginning is fetched


class WhenTaken(StrEnum):
    """What becomes of a mail at the server once it is stored with us.

    LEAVE: it stays, over IMAP marked as read. MOVE: into the folder `move_to`, IMAP only. DELETE: removed.
    """

    LEAVE = "leave"
    MOVE = "move"
    DELETE = "delete"


@dataclass(frozen=True)
class MailboxConfig:
    """One mailbox and how to speak to it. `protocol` is "imap" or "pop3"; `timeout` in seconds a step.

    With `token`, the login is by OAuth 2.0, and neither user name nor password is used.
    `when_taken` None: as the protocol suggests, IMAP leaves and POP3 deletes.
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
    when_taken: WhenTaken | None = None
    move_to: str = ""

    @property
    def login_name(self) -> str:
        """Who logs in; "" for the account that consented (OAuth 2.0)."""
        return self.token.username if self.token is not None else self.username

    @property
    def taken(self) -> WhenTaken:
        """What becomes of stored mails. POP3 knows no folders: MOVE leaves them there."""
        if self.when_taken is None:
            return WhenTaken.DELETE if self.protocol == "pop3" else WhenTaken.LEAVE
        if self.when_taken is WhenTaken.MOVE and (self.protocol == "pop3" or not self.move_to):
            return WhenTaken.LEAVE
        return self.when_taken

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


@dataclass(frozen=True)
class Found:
    """What a mailbox says of itself once it is open. `wakes`: it tells when a mail arrives (IDLE).

    `takes`: how a stored mail leaves the folder, as the server lets it: "move", "copy" (copied, then removed
    by its number), "remove", "mark" (read), "nothing" (read-only) or "delete" (POP3). `makes_folder`: the
    folder to move to is not there yet.
    """

    mails: int = 0
    wakes: bool = False
    takes: str = "nothing"
    makes_folder: bool = False


Passed = Callable[[MailboxStage, str], None]
"""Called when a stage of opening a mailbox has been passed, with what the server said, without secrets."""


def nobody(stage: MailboxStage, said: str) -> None:
    """A Passed for those who do not want to know."""


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

    def look_around(self) -> Found:
        """What the mailbox says of itself. Changes nothing."""

    def new_mails(self, cursor: Cursor) -> Iterator[Fetched]:
        """Mails that the cursor does not cover, oldest first, one at a time. Nothing is marked by that."""

    def mark_taken(self, positions: Sequence[Position]) -> None:
        """These mails are stored with us: do at the server what `MailboxConfig.taken` says."""

    def advanced(self, cursor: Cursor, taken: Sequence[Position]) -> Cursor:
        """The cursor once these mails, in the order in which they came, are stored."""

    def caught_up(self, cursor: Cursor, *, today: date) -> Cursor:
        """The cursor once everything that `new_mails` named is stored."""

    def wait(self, seconds: float, stop: Stop) -> bool:
        """Wait until something arrives (True), or the time is over or `stop` is set (False). Where the
        server cannot tell, returns False at once."""
