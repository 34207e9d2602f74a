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
from depesche.mailroom.mailboxes.security import begin_tls
from depesche.mailroom.mailboxes.session import Connected, Session

log = logging.getLogger(__name__)

_LINES_OF_TOO_LARGE = 2000
_MOST_CHALLENGES = 4
_LONGEST_LINE = 1_000_000  # octets; real mails break the 512 of the RFC, and poplib refuses them over 2,048


class _Client(poplib.POP3):
    """poplib's client (see session.Client), but for three things: it reads lines longer than 2,048 octets,
    which real mails have, it closes its socket when the greeting does not come, and hands it over as soon as
    it is made."""

    def __init__(self, config: MailboxConfig, connected: Connected) -> None:
        self._connected = connected
        try:
            super().__init__(config.host, config.port, config.timeout)
        except BaseException:
            self.let_go()
            raise

    def _create_socket(self, timeout: float) -> socket.socket:
        return self._connected(super()._create_socket(timeout))  # type: ignore[misc]  # poplib's own seam

    def greeting(self) -> object:
        return self.getwelcome()

    def offers_tls(self) -> bool:
        try:
            return "STLS" in {name.upper() for name in self.capa()}
        except poplib.error_proto:  # RFC 2449 is not everywhere
            return False

    def mechanisms(self) -> list[str]:
        try:
            return [name.upper() for name in self.capa().get("SASL", [])]
        except poplib.error_proto:
            return []

    def connection(self) -> socket.socket:
        return self.sock

    def let_go(self) -> None:
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


class Pop3Mailbox(Session):
    """See config.Mailbox. Opening connects, secures and logs in; the server locks the mailbox until QUIT."""

    def __init__(self, config: MailboxConfig, passed: Passed = nobody) -> None:
        super().__init__(config, passed)
        self._broken = False
        self._named: frozenset[str] = frozenset()
        self._client = self._opened(lambda connected: _Client(config, connected))
        with self._logging_in():
            self._client.encoding = "UTF-8"
            if config.token is not None:
                log_in(config.token, self._client.mechanisms, self._client.sasl)
            else:
                self._client.user(config.username)
                self._client.pass_(config.password)

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


def _pairs(lines: Sequence[bytes]) -> Iterator[tuple[str, str]]:
    for line in lines:
        number, _, value = line.decode("ascii", "replace").strip().partition(" ")
        if number.isdecimal() and value:
            yield number, value.split()[0]
