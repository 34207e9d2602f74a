"""A mailbox over IMAP4rev1 (RFC 3501), by imapclient."""

from __future__ import annotations

import contextlib
import imaplib
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from types import TracebackType
from typing import Any, Self

from imapclient import SEEN, IMAPClient
from imapclient.exceptions import IMAPClientError

from depesche.mailroom.mailboxes.bearer import Exchange, obtained, told
from depesche.mailroom.mailboxes.config import MAX_MAIL, Cursor, Fetched, MailboxConfig, Position, Stop
from depesche.mailroom.mailboxes.errors import MailboxStage, explained
from depesche.mailroom.mailboxes.security import check_clear_password, check_peer, implicit_tls, secure
from depesche.smtpclient import tls
from depesche.smtpclient.config import TokenSource

log = logging.getLogger(__name__)

_IDLE_STEP = 1.0  # seconds after which a stop is noticed
_IDLE_RENEW = 9 * 60.0  # seconds; servers and routers drop silent connections (RFC 2177 says 29 minutes)


class ImapMailbox:
    """See config.Mailbox. Opening connects, secures, logs in and selects the folder."""

    def __init__(self, config: MailboxConfig) -> None:
        self._config = config
        self.unreadable = 0
        with explained(MailboxStage.CONNECT, hide=config.password):
            self._client = self._connect()
        try:
            with explained(MailboxStage.LOGIN, hide=config.password):
                self._login()
            with explained(MailboxStage.FOLDER, hide=config.password):
                self._select(config.folder)
        except BaseException:
            self.close()
            raise

    def _connect(self) -> IMAPClient:
        config = self._config
        implicit = implicit_tls(config)
        client = IMAPClient(
            config.host,
            port=config.port,
            ssl=implicit,
            ssl_context=tls.context(config.trust) if implicit else None,
            timeout=config.timeout,
            use_uid=True,
        )
        try:
            self._encrypted = implicit
            if not implicit:
                with explained(MailboxStage.TLS):
                    self._encrypted = secure(
                        config, offered=client.has_capability("STARTTLS"), start_tls=client.starttls
                    )
            if self._encrypted:
                check_peer(config, client.socket())
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
        selected = self._client.select_folder(folder)
        self._uidvalidity = int(selected.get(b"UIDVALIDITY", 0))
        self._uidnext = int(selected.get(b"UIDNEXT", 0)) or max(self._client.search(["ALL"]), default=0) + 1
        # Where nothing can be marked (a shared folder that is read-only), the cursor alone remembers.
        permanent = selected.get(b"PERMANENTFLAGS", (SEEN,))
        self._can_mark = b"READ-ONLY" not in selected and SEEN in permanent

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Log out; never raises."""
        with contextlib.suppress(Exception):
            self._client.logout()
        with contextlib.suppress(Exception):
            self._client.shutdown()

    def new_mails(self, cursor: Cursor) -> Iterator[Fetched]:
        with explained(MailboxStage.FETCH):
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
        elif last > cursor.boundary and self._can_mark:
            # All that we took is marked, so what is not was missed: some servers show a lower number late.
            found.update(search(["UID", f"{cursor.boundary + 1}:{last}", "UNSEEN"]))
        return sorted(found)

    def mark_taken(self, positions: Sequence[Position]) -> None:
        uids = [position.uid for position in positions]
        if uids and self._can_mark:
            with explained(MailboxStage.MARK):
                self._client.add_flags(uids, [SEEN], silent=True)

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
        until = time.monotonic() + min(seconds, _IDLE_RENEW)
        with explained(MailboxStage.FETCH):
            self._client.idle()
            arrived = False
            while not (arrived or stop.is_set()) and time.monotonic() < until:
                answers = self._client.idle_check(timeout=_IDLE_STEP)
                arrived = any(len(answer) > 1 and answer[1] in {b"EXISTS", b"RECENT"} for answer in answers)
            _, late = self._client.idle_done()
            return arrived or any(len(answer) > 1 and answer[1] == b"EXISTS" for answer in late)


def _body(answer: dict[bytes, Any]) -> bytes | None:
    for name, value in answer.items():
        if name.startswith(b"BODY[]") and isinstance(value, bytes):
            return value
    return None
