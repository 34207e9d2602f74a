"""The steps of opening a mailbox and of leaving it, the same for IMAP and POP3."""

from __future__ import annotations

import contextlib
import socket
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Protocol, Self, TypeVar

from depesche.mailroom.mailboxes.config import MailboxConfig, Passed
from depesche.mailroom.mailboxes.errors import MailboxStage, explained, words
from depesche.mailroom.mailboxes.idle import keep_alive
from depesche.mailroom.mailboxes.security import (
    check_clear_password,
    check_peer,
    implicit_tls,
    negotiated,
    secure,
)
from depesche.smtpclient import tls

Connected = Callable[[socket.socket], socket.socket]
"""Called by a client with its connection as soon as it is made, and gives back the one to speak through."""


class Client(Protocol):
    """What is asked of a library's client while a mailbox is opened."""

    def greeting(self) -> object:
        """The server's first words."""

    def offers_tls(self) -> bool:
        """Whether TLS can be started on the plain connection."""

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Start it."""

    def connection(self) -> socket.socket:
        """The one that is spoken through now."""

    def let_go(self) -> None:
        """Close the connection without a word."""


_C = TypeVar("_C", bound=Client)


class Session(ABC):
    """One connection to a mailbox, from the first packet on. `passed` is told of each stage."""

    def __init__(self, config: MailboxConfig, passed: Passed) -> None:
        self._config = config
        self._passed = passed
        self._stage = MailboxStage.CONNECT
        self._encrypted = implicit_tls(config)
        self.unreadable = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Log out; never raises."""

    def _next(self, stage: MailboxStage, said: str = "") -> None:
        """The stage under way has been passed."""
        before, self._stage = self._stage, stage
        self._passed(before, said)

    def _opened(self, connect: Callable[[Connected], _C]) -> _C:
        """Connect, hear the greeting and encrypt. Raises MailboxError."""
        with explained(lambda: self._stage, hide=self._config.password):
            client = connect(self._connected())
            try:
                self._greeted(client)
                keep_alive(client.connection())
            except BaseException:
                with contextlib.suppress(Exception):
                    client.let_go()
                raise
            return client

    def _connected(self) -> Connected:
        """Before it is called nobody is there; after it, whoever is there says nothing yet."""
        if not self._encrypted:
            return self._plain
        context = tls.context(self._config.trust)
        return lambda connection: self._shaken(connection, context)

    def _plain(self, connection: socket.socket) -> socket.socket:
        self._next(MailboxStage.GREETING)
        return connection

    def _shaken(self, plain: socket.socket, context: ssl.SSLContext) -> socket.socket:
        self._next(MailboxStage.TLS)
        made = plain
        try:
            made = context.wrap_socket(plain, server_hostname=self._config.host)
            check_peer(self._config, made)
            self._next(MailboxStage.GREETING, negotiated(made))
        except BaseException:
            made.close()
            raise
        return made

    def _greeted(self, client: Client) -> None:
        self._next(MailboxStage.TLS, words(client.greeting()))
        if self._encrypted:
            return
        with explained(MailboxStage.TLS):
            self._encrypted = secure(self._config, offered=client.offers_tls(), start_tls=client.start_tls)
            if self._encrypted:
                check_peer(self._config, client.connection())
        self._passed(MailboxStage.TLS, negotiated(client.connection()))

    @contextlib.contextmanager
    def _logging_in(self) -> Iterator[None]:
        """Around the login itself and what belongs to it; where it fails, the connection is closed."""
        try:
            with explained(MailboxStage.LOGIN, hide=self._config.password):
                check_clear_password(self._config, encrypted=self._encrypted)
                yield
                self._passed(MailboxStage.LOGIN, "")
        except BaseException:
            self.close()
            raise
