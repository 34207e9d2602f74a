"""A mailbox over IMAP4rev1 (RFC 3501), by imapclient."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from types import TracebackType
from typing import Any, Self

from imapclient import SEEN, IMAPClient

from depesche.mailroom.mailboxes.config import MAX_MAIL, Cursor, Fetched, MailboxConfig, Position
from depesche.mailroom.mailboxes.errors import MailboxStage, explained
from depesche.mailroom.mailboxes.security import check_clear_password, check_peer, implicit_tls, secure
from depesche.smtpclient import tls

_IDLE_STEP = 1.0  # seconds after which a stop is noticed
_IDLE_RENEW = 9 * 60.0  # seconds; servers and routers drop silent connections (RFC 2177 says 29 minutes)


class ImapMailbox:
    """See config.Mailbox. Opening connects, secures, logs in and selects the folder."""

    def __init__(self, config: MailboxConfig) -> None:
        self._config = config
        with explained(MailboxStage.CONNECT, hide=config.password):
            self._client = self._connect()
        try:
            with explained(MailboxStage.LOGIN, hide=config.password):
                self._login()
            with explained(MailboxStage.FOLDER, hide=config.password):
                selected = self._client.select_folder(config.folder)
                self._uidvalidity = int(selected.get(b"UIDVALIDITY", 0))
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
        if self._client.has_capability("AUTH=PLAIN") and (
            self._client.has_capability("LOGINDISABLED") or not (config.username + config.password).isascii()
        ):
            # LOGIN takes ASCII only; SASL PLAIN takes any UTF-8 (RFC 4616).
            self._client.plain_login(config.username, config.password)
        else:
            self._client.login(config.username, config.password)

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
            uids = sorted(self._client.search(self._criteria(cursor)))
        for uid in uids:
            if uid <= cursor.last_uid and cursor.uidvalidity == self._uidvalidity:
                continue  # "UID n:*" always names the last mail, new or not
            with explained(MailboxStage.FETCH):
                # PEEK: the mail stays unread until it is stored.
                answer = self._client.fetch([uid], [f"BODY.PEEK[]<0.{MAX_MAIL}>"])
            raw = _body(answer.get(uid, {}))
            if raw is not None:  # None: deleted in the meantime
                yield Fetched(Position(uid=uid, uidvalidity=self._uidvalidity), raw)

    def _criteria(self, cursor: Cursor) -> list[Any]:
        if cursor.uidvalidity == self._uidvalidity:
            return ["UID", f"{cursor.last_uid + 1}:*"]
        if cursor.since is None:
            return ["UNSEEN"]  # a mailbox with a past: what was read in it is not ours
        return ["SINCE", cursor.since - timedelta(days=1)]  # numbered anew; stored mails are recognised

    def mark_taken(self, positions: Sequence[Position]) -> None:
        uids = [position.uid for position in positions]
        if uids:
            with explained(MailboxStage.MARK):
                self._client.add_flags(uids, [SEEN], silent=True)

    def advanced(self, cursor: Cursor, taken: Sequence[Position], *, today: date) -> Cursor:
        known = cursor.last_uid if cursor.uidvalidity == self._uidvalidity else 0
        last = max([known, *(position.uid for position in taken)])
        return replace(cursor, uidvalidity=self._uidvalidity, last_uid=last, since=today)

    def wait(self, seconds: float, stop: threading.Event) -> bool:
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
