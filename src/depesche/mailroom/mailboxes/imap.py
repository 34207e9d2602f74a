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
from types import TracebackType
from typing import Any, Self

from imapclient import DELETED, SEEN, IMAPClient, imap4
from imapclient.exceptions import IMAPClientError

from depesche.mailroom.mailboxes.bearer import Exchange, obtained, told
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
from depesche.mailroom.mailboxes.errors import MailboxStage, explained, words
from depesche.mailroom.mailboxes.idle import Idle, keep_alive
from depesche.mailroom.mailboxes.security import (
    begin_tls,
    check_clear_password,
    check_peer,
    implicit_tls,
    negotiated,
    secure,
)
from depesche.smtpclient import tls
from depesche.smtpclient.config import TokenSource

log = logging.getLogger(__name__)


class _Plain(imap4.IMAP4WithTimeout):  # type: ignore[misc]  # the library has no types
    """The library's connection, which says when it is made: before it, nobody is there; after it, whoever is
    there says nothing."""

    def __init__(self, config: MailboxConfig, passed: Callable[[], None]) -> None:
        self._passed = passed
        super().__init__(config.host, config.port, config.timeout)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        made: socket.socket = super()._create_socket(timeout)
        self._passed()
        return made


class _Tls(_Plain):
    """The same with TLS from the first byte."""

    def __init__(
        self, config: MailboxConfig, passed: Callable[[], None], shaken: Callable[[socket.socket], None]
    ) -> None:
        self._mailbox, self._shaken = config, shaken
        self._context = tls.context(config.trust)
        super().__init__(config, passed)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        plain = super()._create_socket(timeout)
        made: socket.socket = plain
        try:
            made = self._context.wrap_socket(plain, server_hostname=self.host)
            check_peer(self._mailbox, made)
            self._shaken(made)
        except BaseException:
            made.close()
            raise
        return made


class _Client(IMAPClient):  # type: ignore[misc]  # the library has no types
    def __init__(self, config: MailboxConfig, connect: Callable[[], imaplib.IMAP4]) -> None:
        self._connect = connect
        super().__init__(config.host, port=config.port, ssl=False, timeout=config.timeout, use_uid=True)

    def _create_IMAP4(self) -> imaplib.IMAP4:
        return self._connect()

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


class ImapMailbox:
    """See config.Mailbox. Opening connects, secures, logs in and selects the folder."""

    def __init__(self, config: MailboxConfig, passed: Passed = nobody) -> None:
        self._config = config
        self._passed = passed
        self._stage = MailboxStage.CONNECT
        self.unreadable = 0
        with explained(lambda: self._stage, hide=config.password):
            self._client = self._connect()
        self._idle = Idle(self._client)
        try:
            with explained(MailboxStage.LOGIN, hide=config.password):
                self._login()
                passed(MailboxStage.LOGIN, "")
            with explained(MailboxStage.FOLDER, hide=config.password):
                self._select(config.folder)
                passed(MailboxStage.FOLDER, config.folder)
        except BaseException:
            self.close()
            raise

    def _next(self, stage: MailboxStage, said: str = "") -> None:
        """The stage under way has been passed."""
        before, self._stage = self._stage, stage
        self._passed(before, said)

    def _shaken(self, connection: socket.socket) -> None:
        self._next(MailboxStage.GREETING, negotiated(connection))

    def _connect(self) -> IMAPClient:
        config = self._config
        implicit = implicit_tls(config)
        after = MailboxStage.TLS if implicit else MailboxStage.GREETING

        def connect() -> imaplib.IMAP4:
            if implicit:
                return _Tls(config, lambda: self._next(after), self._shaken)
            return _Plain(config, lambda: self._next(after))

        client = _Client(config, connect)
        try:
            self._encrypted = implicit
            self._next(MailboxStage.TLS, words(client.welcome))
            if not implicit:
                with explained(MailboxStage.TLS):
                    self._encrypted = secure(
                        config, offered=client.has_capability("STARTTLS"), start_tls=client.start_tls
                    )
                    if self._encrypted:
                        check_peer(config, client.socket())
                self._passed(MailboxStage.TLS, negotiated(client.socket()))
            keep_alive(client.socket())
        except BaseException:
            with contextlib.suppress(Exception):
                client.shutdown()
            raise
        return client

    def _login(self) -> None:
        config = self._config
        check_clear_password(config, encrypted=self._encrypted)
        if config.token is not None:
            self._login_by_token(config.token)
        elif self._client.has_capability("AUTH=PLAIN") and (
            self._client.has_capability("LOGINDISABLED") or not (config.username + config.password).isascii()
        ):
            # LOGIN takes ASCII only; SASL PLAIN takes any UTF-8 (RFC 4616).
            self._client.plain_login(config.username, config.password)
        else:
            self._client.login(config.username, config.password)

    def _login_by_token(self, source: TokenSource) -> None:
        offered = [
            name.decode("ascii", "replace").upper().removeprefix("AUTH=")
            for name in self._client.capabilities()
            if name.upper().startswith(b"AUTH=")
        ]
        token = obtained(source)
        exchange = Exchange(offered, token)
        with told(source, token, exchange), explained(MailboxStage.LOGIN, hide=token.token):
            self._client.sasl_login(exchange.name, exchange.respond)

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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

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
