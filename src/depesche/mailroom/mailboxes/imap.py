"""A mailbox over IMAP4rev1 (RFC 3501), by imapclient."""

from __future__ import annotations

import contextlib
import imaplib
import logging
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from imapclient import DELETED, SEEN, IMAPClient, imap4
from imapclient.exceptions import IMAPClientError

from depesche.mailroom.mailboxes.bearer import log_in
from depesche.mailroom.mailboxes.config import (
    MAX_MAIL,
    Cursor,
    Fetched,
    Found,
    MailboxConfig,
    Passed,
    Position,
    Stop,
    WhenTaken,
    nobody,
)
from depesche.mailroom.mailboxes.errors import MailboxStage, explained
from depesche.mailroom.mailboxes.idle import Idle
from depesche.mailroom.mailboxes.security import begin_tls
from depesche.mailroom.mailboxes.session import Connected, Session

log = logging.getLogger(__name__)


class _Connection(imap4.IMAP4WithTimeout):  # type: ignore[misc]  # the library has no types
    """The library's connection, which hands over its socket as soon as it is made."""

    def __init__(self, config: MailboxConfig, connected: Connected) -> None:
        self._connected = connected
        super().__init__(config.host, config.port, config.timeout)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        return self._connected(super()._create_socket(timeout))


class _Client(IMAPClient):  # type: ignore[misc]  # the library has no types
    """The library's client; see session.Client."""

    def __init__(self, config: MailboxConfig, connected: Connected) -> None:
        self._connect: Callable[[], imaplib.IMAP4] = lambda: _Connection(config, connected)
        super().__init__(config.host, port=config.port, ssl=False, timeout=config.timeout, use_uid=True)

    def _create_IMAP4(self) -> imaplib.IMAP4:
        return self._connect()

    def greeting(self) -> object:
        return self.welcome

    def offers_tls(self) -> bool:
        return bool(self.has_capability("STARTTLS"))

    def connection(self) -> socket.socket:
        made: socket.socket = self.socket()
        return made

    def let_go(self) -> None:
        self.shutdown()

    def start_tls(self, context: ssl.SSLContext) -> None:
        """STARTTLS. Unlike the library's own, it notices what was put in behind the reply, and forgets all
        that was said in clear."""
        imap = self._imap
        answer, words = imap._simple_command("STARTTLS")
        if answer != "OK":
            raise imaplib.IMAP4.error(words[-1])
        imap.sock = begin_tls(imap.sock, imap.file, context, self.host)
        imap.file = imap.sock.makefile("rb")
        imap.untagged_responses = {}
        self._cached_capabilities = None
        self._starttls_done = True


class ImapMailbox(Session):
    """See config.Mailbox. Opening connects, secures, logs in and selects the folder."""

    def __init__(self, config: MailboxConfig, passed: Passed = nobody) -> None:
        super().__init__(config, passed)
        self._client = self._opened(lambda connected: _Client(config, connected))
        self._idle = Idle(self._client)
        with self._logging_in():
            self._login()
        try:
            with explained(MailboxStage.FOLDER, hide=config.password):
                self._select(config.folder)
                passed(MailboxStage.FOLDER, config.folder)
        except BaseException:
            self.close()
            raise

    def _login(self) -> None:
        config = self._config
        if config.token is not None:
            log_in(config.token, self._mechanisms, self._client.sasl_login)
        elif self._client.has_capability("AUTH=PLAIN") and (
            self._client.has_capability("LOGINDISABLED") or not (config.username + config.password).isascii()
        ):
            # LOGIN takes ASCII only; SASL PLAIN takes any UTF-8 (RFC 4616).
            self._client.plain_login(config.username, config.password)
        else:
            self._client.login(config.username, config.password)

    def _mechanisms(self) -> list[str]:
        return [
            name.decode("ascii", "replace").upper().removeprefix("AUTH=")
            for name in self._client.capabilities()
            if name.upper().startswith(b"AUTH=")
        ]

    def _select(self, folder: str) -> None:
        try:
            selected = self._client.select_folder(folder)
        except imaplib.IMAP4.readonly:  # a shared folder without the right to write
            selected = self._client.select_folder(folder, readonly=True)
            selected[b"READ-ONLY"] = [b""]
        self._uidvalidity = int(selected.get(b"UIDVALIDITY", 0))
        self._uidnext = int(selected.get(b"UIDNEXT", 0)) or max(self._client.search(["ALL"]), default=0) + 1
        self._count = int(selected.get(b"EXISTS", 0))
        # Where nothing can be marked (a shared folder that is read-only), the cursor alone remembers.
        permanent = selected.get(b"PERMANENTFLAGS", (SEEN,))
        self._writable = b"READ-ONLY" not in selected
        self._can_mark = self._writable and SEEN in permanent

    def close(self) -> None:
        """Log out; never raises."""
        with contextlib.suppress(Exception):
            self._idle.end()
        with contextlib.suppress(Exception):
            self._client.logout()
        with contextlib.suppress(Exception):
            self._client.shutdown()

    def look_around(self) -> Found:
        with explained(MailboxStage.FOLDER):
            self._idle.end()
            takes = self._takes()
            makes = takes in ("move", "copy") and not self._client.folder_exists(self._config.move_to)
            return Found(self._count, self._client.has_capability("IDLE"), takes, makes)

    def _takes(self) -> str:
        if not self._writable:
            return "nothing"
        if self._config.taken is WhenTaken.LEAVE:
            return "mark" if self._can_mark else "nothing"
        if self._config.taken is WhenTaken.DELETE:
            return "remove"
        return "move" if self._client.has_capability("MOVE") else "copy"

    def new_mails(self, cursor: Cursor) -> Iterator[Fetched]:
        with explained(MailboxStage.FETCH):
            self._idle.end()
            self._client.noop()  # what arrived since is announced only after a command
            uids = self._wanted(self._begun(cursor))
        for uid in uids:
            with explained(MailboxStage.FETCH):
                raw = self._fetch(uid)
            if raw is not None:  # None: deleted in the meantime, or broken at the server
                position = Position(uid=uid, uidvalidity=self._uidvalidity, whole=len(raw) < MAX_MAIL)
                yield Fetched(position, raw)

    def _fetch(self, uid: int) -> bytes | None:
        try:
            # PEEK: the mail stays unread until it is stored.
            answer = self._client.fetch([uid], [f"BODY.PEEK[]<0.{MAX_MAIL}>"])
        except imaplib.IMAP4.abort:
            raise
        except (imaplib.IMAP4.error, IMAPClientError) as error:
            # Some servers refuse a single mail that they cannot convert. It must not hold up the others.
            log.warning("The mail with UID %s cannot be fetched: %s", uid, error)
            self.unreadable += 1
            return None
        return _body(answer.get(uid, {}))

    def _begun(self, cursor: Cursor) -> Cursor:
        """The cursor in the numbers of this session."""
        if cursor.uidvalidity == self._uidvalidity:
            return cursor
        return replace(cursor, uidvalidity=self._uidvalidity, last_uid=0, boundary=self._uidnext - 1)

    def _wanted(self, cursor: Cursor) -> list[int]:
        search, last = self._client.search, cursor.last_uid
        start = max(last, cursor.boundary) + 1
        found = {uid for uid in search(["UID", f"{start}:*"]) if uid >= start}  # "n:*" names the last, always
        if last < cursor.boundary:
            ours = ["UNSEEN"] if cursor.since is None else ["SINCE", cursor.since - timedelta(days=1)]
            found.update(search(["UID", f"{last + 1}:{cursor.boundary}", *ours]))
        elif last > cursor.boundary and self._takes() in ("move", "copy"):
            # All that we took has left the folder: what is there was missed, or its move was cut off.
            found.update(search(["UID", f"{cursor.boundary + 1}:{last}", "UNDELETED"]))
        elif last > cursor.boundary and self._can_mark:
            # All that we took is marked, so what is not was missed: some servers show a lower number late.
            found.update(search(["UID", f"{cursor.boundary + 1}:{last}", "UNSEEN"]))
        return sorted(found)

    def mark_taken(self, positions: Sequence[Position]) -> None:
        uids = [position.uid for position in positions]
        takes = self._takes()
        with explained(MailboxStage.MARK):
            self._idle.end()
            if uids and self._can_mark:
                self._client.add_flags(uids, [SEEN], silent=True)
            if takes in ("move", "copy"):
                self._move(uids, copies=takes == "copy")
            elif takes == "remove":
                # What was fetched in part only stays where it is whole.
                self._remove([position.uid for position in positions if position.whole])

    def _move(self, uids: list[int], *, copies: bool) -> None:
        """By MOVE (RFC 6851), which cannot be cut in two; else copied first, and then removed."""
        if not uids:
            return
        take = self._client.copy if copies else self._client.move
        try:
            take(uids, self._config.move_to)
        except imaplib.IMAP4.abort:
            raise
        except (imaplib.IMAP4.error, IMAPClientError):
            if self._client.folder_exists(self._config.move_to):
                raise
            self._client.create_folder(self._config.move_to)
            with contextlib.suppress(imaplib.IMAP4.error, IMAPClientError):
                self._client.subscribe_folder(self._config.move_to)
            take(uids, self._config.move_to)
        if copies:
            self._remove(uids)

    def _remove(self, uids: list[int]) -> None:
        """These alone: without UIDPLUS (RFC 4315), EXPUNGE would take what others marked as well, so that it
        is used only where nothing else is marked; else the marks stay."""
        if not uids:
            return
        self._client.add_flags(uids, [SEEN, DELETED], silent=True)
        if self._client.has_capability("UIDPLUS"):
            self._client.uid_expunge(uids)
        elif set(self._client.search(["DELETED"])) <= set(uids):
            self._client.expunge()

    def advanced(self, cursor: Cursor, taken: Sequence[Position]) -> Cursor:
        begun = self._begun(cursor)
        return replace(begun, last_uid=max([begun.last_uid, *(position.uid for position in taken)]))

    def caught_up(self, cursor: Cursor, *, today: date) -> Cursor:
        begun = self._begun(cursor)
        return replace(begun, last_uid=max(begun.last_uid, begun.boundary), since=today)

    def wait(self, seconds: float, stop: Stop) -> bool:
        """IDLE (RFC 2177), as a wake-up only: what arrived is then read as ever."""
        if not self._client.has_capability("IDLE"):
            return False
        with explained(MailboxStage.FETCH):
            return self._idle.wait(seconds, stop)


def _body(answer: dict[bytes, Any]) -> bytes | None:
    for name, value in answer.items():
        if name.startswith(b"BODY[]") and isinstance(value, bytes):
            return value
    return None
