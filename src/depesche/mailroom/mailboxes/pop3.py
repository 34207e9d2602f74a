"""A mailbox over POP3 (RFC 1939), by the standard library.

POP3 has no marks: a mail that is stored with us is deleted at the server. Deletions take effect at QUIT; when
that is lost, the UIDL tells next time that the mail is known, and it is deleted without being fetched again.
"""

from __future__ import annotations

import contextlib
import poplib
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from types import TracebackType
from typing import Self

from depesche.mailroom.mailboxes.config import MAX_MAIL, Cursor, Fetched, MailboxConfig, Position
from depesche.mailroom.mailboxes.errors import MailboxStage, explained
from depesche.mailroom.mailboxes.security import check_clear_password, check_peer, implicit_tls, secure
from depesche.smtpclient import tls

_LINES_OF_TOO_LARGE = 2000
_LONGEST_LINE = 1_000_000  # octets; real mails break the 512 of the RFC, and poplib refuses them over 2,048


class _Plain(poplib.POP3):
    """poplib's client, but for two things: it reads lines longer than 2,048 octets, which real mails have,
    and it closes its socket when the greeting does not come."""

    def __init__(self, host: str, port: int, timeout: float) -> None:
        try:
            super().__init__(host, port, timeout)
        except BaseException:
            self._let_go()
            raise

    def _let_go(self) -> None:
        for name in ("file", "sock"):
            with contextlib.suppress(Exception):
                getattr(self, name).close()

    def _getline(self) -> tuple[bytes, int]:
        line: bytes = self.file.readline(_LONGEST_LINE + 1)
        if len(line) > _LONGEST_LINE:
            raise poplib.error_proto("line too long")
        if not line:
            raise poplib.error_proto("-ERR EOF")
        octets = len(line)
        return (line[:-2], octets) if line.endswith(b"\r\n") else (line.rstrip(b"\n"), octets)


class _Tls(_Plain):
    """The same with TLS from the first byte."""

    def __init__(self, host: str, port: int, timeout: float, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(host, port, timeout)

    def _create_socket(self, timeout: float) -> socket.socket:
        plain: socket.socket = super()._create_socket(timeout)  # type: ignore[misc]  # poplib's own seam
        try:
            return self._context.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


class Pop3Mailbox:
    """See config.Mailbox. Opening connects, secures and logs in; the server locks the mailbox until QUIT."""

    def __init__(self, config: MailboxConfig) -> None:
        self._config = config
        self._broken = False
        with explained(MailboxStage.CONNECT, hide=config.password):
            self._client = self._connect()
        try:
            with explained(MailboxStage.LOGIN, hide=config.password):
                check_clear_password(config, encrypted=self._encrypted)
                self._client.encoding = "UTF-8"
                self._client.user(config.username)
                self._client.pass_(config.password)
        except BaseException:
            self.close()
            raise

    def _connect(self) -> poplib.POP3:
        config = self._config
        self._encrypted = implicit_tls(config)
        client: poplib.POP3
        if self._encrypted:
            context = tls.context(config.trust)
            client = _Tls(config.host, config.port, config.timeout, context)
        else:
            client = _Plain(config.host, config.port, config.timeout)
        try:
            if not self._encrypted:
                with explained(MailboxStage.TLS):
                    self._encrypted = secure(config, offered=_offers_stls(client), start_tls=client.stls)
            if self._encrypted:
                check_peer(config, client.sock)
        except BaseException:
            with contextlib.suppress(Exception):
                client.close()
            raise
        return client

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """QUIT, so that the deletions count and the mailbox is unlocked; never raises."""
        with contextlib.suppress(Exception):
            if not self._broken:
                self._client.quit()
        with contextlib.suppress(Exception):
            self._client.close()

    def new_mails(self, cursor: Cursor) -> Iterator[Fetched]:
        with explained(MailboxStage.FETCH):
            sizes = dict(_pairs(self._client.list()[1]))
            names = dict(_pairs(self._client.uidl()[1]))
        known = [
            Position(uidl=uidl, number=int(number)) for number, uidl in names.items() if uidl in cursor.seen
        ]
        self.mark_taken(known)  # stored before, and the QUIT that should have deleted them was lost
        for number, uidl in names.items():
            if uidl in cursor.seen:
                continue
            with explained(MailboxStage.FETCH):
                try:
                    if int(sizes.get(number, "0")) > MAX_MAIL:
                        lines = self._client.top(int(number), _LINES_OF_TOO_LARGE)[1]
                    else:
                        lines = self._client.retr(int(number))[1]
                except (OSError, poplib.error_proto):
                    self._broken = True
                    raise
            raw = b"\r\n".join(lines) + b"\r\n"
            yield Fetched(Position(uidl=uidl, number=int(number)), raw)

    def mark_taken(self, positions: Sequence[Position]) -> None:
        with explained(MailboxStage.MARK):
            for position in positions:
                self._client.dele(position.number)

    def advanced(self, cursor: Cursor, taken: Sequence[Position], *, today: date) -> Cursor:
        with explained(MailboxStage.FETCH):
            there = {uidl for _, uidl in _pairs(self._client.uidl()[1])}
        seen = (cursor.seen & there) | {position.uidl for position in taken}
        return replace(cursor, seen=frozenset(seen), since=today)

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        return False  # POP3 cannot tell, and an open session would lock the mailbox


def _offers_stls(client: poplib.POP3) -> bool:
    try:
        return "STLS" in {name.upper() for name in client.capa()}
    except poplib.error_proto:  # RFC 2449 is not everywhere
        return False


def _pairs(lines: Sequence[bytes]) -> Iterator[tuple[str, str]]:
    for line in lines:
        number, _, value = line.decode("ascii", "replace").strip().partition(" ")
        if number.isdecimal() and value:
            yield number, value.split()[0]
