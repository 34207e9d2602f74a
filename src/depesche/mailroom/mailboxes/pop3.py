"""A mailbox over POP3 (RFC 1939), by the standard library.

POP3 has no marks: a mail that is stored with us is deleted at the server, or stays there and is known by UIDL
and header. Deletions take effect at QUIT; when that is lost, both tell next time that the mail is known, and
it is deleted without being fetched again. The UIDL alone is not believed: there are servers that give an old
one to a new mail.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import logging
import poplib
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from types import TracebackType
from typing import Self

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
from depesche.mailroom.mailboxes.idle import keep_alive
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

_LINES_OF_TOO_LARGE = 2000
_MOST_CHALLENGES = 4
_LONGEST_LINE = 1_000_000  # octets; real mails break the 512 of the RFC, and poplib refuses them over 2,048


class _Plain(poplib.POP3):
    """poplib's client, but for three things: it reads lines longer than 2,048 octets, which real mails have,
    it closes its socket when the greeting does not come, and says when the connection is made."""

    def __init__(self, config: MailboxConfig, passed: Callable[[], None]) -> None:
        self._passed = passed
        try:
            super().__init__(config.host, config.port, config.timeout)
        except BaseException:
            self._let_go()
            raise

    def _create_socket(self, timeout: float) -> socket.socket:
        made: socket.socket = super()._create_socket(timeout)  # type: ignore[misc]  # poplib's own seam
        self._passed()
        return made

    def _let_go(self) -> None:
        for name in ("file", "sock"):
            with contextlib.suppress(Exception):
                getattr(self, name).close()

    def start_tls(self, context: ssl.SSLContext) -> None:
        """STLS. Unlike poplib's own, it notices what was put in behind the reply."""
        self._shortcmd("STLS")  # type: ignore[attr-defined]  # poplib's own seam
        self.sock = begin_tls(self.sock, self.file, context, self.host)
        self.file = self.sock.makefile("rb")
        self._tls_established = True

    def sasl(self, name: str, respond: Callable[[bytes], bytes]) -> None:
        """Log in by a SASL mechanism (RFC 5034). Raises poplib.error_proto."""
        line = f"AUTH {name}".encode("ascii")
        for _number in range(_MOST_CHALLENGES):
            self.sock.sendall(line + b"\r\n")
            answer, _octets = self._getline()
            if answer.startswith(b"+OK"):
                return
            if not answer.startswith(b"+"):
                raise poplib.error_proto(answer)
            try:
                challenge = base64.b64decode(answer[1:].strip(), validate=True)
            except (binascii.Error, ValueError):
                challenge = b""
            line = base64.b64encode(respond(challenge))
        raise poplib.error_proto("the server never stopped asking")

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

    def __init__(
        self, config: MailboxConfig, passed: Callable[[], None], shaken: Callable[[socket.socket], None]
    ) -> None:
        self._mailbox, self._shaken = config, shaken
        self._context = tls.context(config.trust)
        super().__init__(config, passed)

    def _create_socket(self, timeout: float) -> socket.socket:
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


class Pop3Mailbox:
    """See config.Mailbox. Opening connects, secures and logs in; the server locks the mailbox until QUIT."""

    def __init__(self, config: MailboxConfig, passed: Passed = nobody) -> None:
        self._config = config
        self._passed = passed
        self._stage = MailboxStage.CONNECT
        self._broken = False
        self.unreadable = 0
        self._named: frozenset[str] = frozenset()
        with explained(lambda: self._stage, hide=config.password):
            self._client = self._connect()
        try:
            with explained(MailboxStage.LOGIN, hide=config.password):
                check_clear_password(config, encrypted=self._encrypted)
                self._client.encoding = "UTF-8"
                if config.token is not None:
                    self._login_by_token(config.token)
                else:
                    self._client.user(config.username)
                    self._client.pass_(config.password)
                passed(MailboxStage.LOGIN, "")
        except BaseException:
            self.close()
            raise

    def _login_by_token(self, source: TokenSource) -> None:
        """AUTH as in RFC 5034. The token never stands behind the command: it is longer than a line may be."""
        token = obtained(source)
        exchange = Exchange(_mechanisms(self._client), token)
        with told(source, token, exchange), explained(MailboxStage.LOGIN, hide=token.token):
            self._client.sasl(exchange.name, exchange.respond)

    def _next(self, stage: MailboxStage, said: str = "") -> None:
        """The stage under way has been passed."""
        before, self._stage = self._stage, stage
        self._passed(before, said)

    def _shaken(self, connection: socket.socket) -> None:
        self._next(MailboxStage.GREETING, negotiated(connection))

    def _connect(self) -> _Plain:
        config = self._config
        implicit = self._encrypted = implicit_tls(config)
        client: _Plain
        if implicit:
            client = _Tls(config, lambda: self._next(MailboxStage.TLS), self._shaken)
        else:
            client = _Plain(config, lambda: self._next(MailboxStage.GREETING))
        try:
            self._next(MailboxStage.TLS, words(client.getwelcome()))
            if not implicit:
                with explained(MailboxStage.TLS):
                    self._encrypted = secure(config, offered=_offers_stls(client), start_tls=client.start_tls)
                    if self._encrypted:
                        check_peer(config, client.sock)
                self._passed(MailboxStage.TLS, negotiated(client.sock))
            keep_alive(client.sock)
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

    def look_around(self) -> Found:
        with explained(MailboxStage.FOLDER):
            count, _octets = self._client.stat()
        self._passed(MailboxStage.FOLDER, "")
        return Found(count, wakes=False, takes="delete" if self._deletes else "mark")

    @property
    def _deletes(self) -> bool:
        return self._config.taken is WhenTaken.DELETE

    def new_mails(self, cursor: Cursor) -> Iterator[Fetched]:
        with explained(MailboxStage.FETCH):
            sizes = dict(_pairs(self._client.list()[1]))
            names = self._names(sizes)
        self._named = frozenset(names.values())
        known = {entry.partition(" ")[0] for entry in cursor.seen}
        for number, uidl in names.items():
            whole = int(sizes.get(number, "0")) <= MAX_MAIL
            # In a mailbox where mails stay, no number is given twice; and asking for each would never end.
            if uidl in known and (not self._deletes or self._is_seen(uidl, int(number), cursor)):
                # Stored before, and it stays; or the QUIT that should have deleted it was lost.
                self.mark_taken([Position(uidl=uidl, number=int(number), whole=whole)])
                continue
            with explained(MailboxStage.FETCH):
                lines = self._lines(int(number), None if whole else _LINES_OF_TOO_LARGE)
            if lines is None:
                self.unreadable += 1
                continue
            position = Position(uidl=uidl, number=int(number), digest=_digest(lines), whole=whole)
            yield Fetched(position, b"\r\n".join(lines) + b"\r\n")

    def _names(self, sizes: dict[str, str]) -> dict[str, str]:
        """UIDLs by number; without any where the server has none (the command is optional)."""
        try:
            return dict(_pairs(self._client.uidl()[1]))
        except poplib.error_proto as error:
            if self._is_gone(error):
                raise
            return dict.fromkeys(sizes, "")

    def _lines(self, number: int, only: int | None) -> list[bytes] | None:
        """The lines of a mail, or its header and the first `only` ones of its body; None where the server
        refuses to hand over this one mail."""
        try:
            return (self._client.retr(number) if only is None else self._client.top(number, only))[1]
        except poplib.error_proto as error:
            if self._is_gone(error):
                raise
            log.warning("Mail %s cannot be fetched: %s", number, error)
            return None
        except OSError:
            self._broken = True
            raise

    def _is_gone(self, error: poplib.error_proto) -> bool:
        """Whether the connection is of no more use after this; else it was a plain -ERR."""
        words = error.args[0] if error.args else b""
        refused = isinstance(words, bytes) and words.startswith(b"-ERR") and words != b"-ERR EOF"
        self._broken = self._broken or not refused
        return self._broken

    def _is_seen(self, uidl: str, number: int, cursor: Cursor) -> bool:
        with explained(MailboxStage.FETCH):
            head = self._lines(number, 0)
        return head is not None and f"{uidl} {_digest(head)}" in cursor.seen

    def mark_taken(self, positions: Sequence[Position]) -> None:
        if not self._deletes:
            return  # UIDL and header remember them
        with explained(MailboxStage.MARK):
            for position in positions:
                if position.whole:  # what was fetched in part only stays where it is whole
                    self._client.dele(position.number)

    def advanced(self, cursor: Cursor, taken: Sequence[Position]) -> Cursor:
        seen = {f"{position.uidl} {position.digest}" for position in taken if position.uidl}
        return replace(cursor, seen=cursor.seen | seen)

    def caught_up(self, cursor: Cursor, *, today: date) -> Cursor:
        """What the server does not name any more is forgotten."""
        still = frozenset(entry for entry in cursor.seen if entry.partition(" ")[0] in self._named)
        return replace(cursor, seen=still, since=today)

    def wait(self, seconds: float, stop: Stop) -> bool:
        return False  # POP3 cannot tell, and an open session would lock the mailbox


_CHANGES = (b"status:", b"x-status:", b"x-uidl:", b"x-keywords:", b"x-mozilla-")


def _digest(lines: Sequence[bytes]) -> str:
    """The header of a mail in one word, without the lines in which servers note what was read."""
    digest = hashlib.sha256()
    for line in lines:
        if not line:
            break
        if not line.lower().startswith(_CHANGES):
            digest.update(line.rstrip() + b"\n")
    return digest.hexdigest()[:20]


def _mechanisms(client: poplib.POP3) -> list[str]:
    try:
        return [name.upper() for name in client.capa().get("SASL", [])]
    except poplib.error_proto:
        return []


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
