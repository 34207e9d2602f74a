"""One SMTP session, from the name of the server to QUIT.

`Session.open` takes all steps in order; for a diagnosis each step can be taken alone. Then `submit`, as often
as wanted, one after the other or many at once: with PIPELINING they share round trips.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self

from depesche.smtpclient import login, network, seen, tls
from depesche.smtpclient.channel import Channel
from depesche.smtpclient.config import (
    ConnectionConfig,
    Credentials,
    Encryption,
    OAuthToken,
    TokenSource,
    ehlo_name,
)
from depesche.smtpclient.errors import (
    Cause,
    Stage,
    SubmissionError,
    cause_of_closing,
)
from depesche.smtpclient.reply import Reply
from depesche.smtpclient.transaction import Envelope, Result
from depesche.smtpclient.wire import commands
from depesche.smtpclient.wire.extensions import Capabilities, parse_ehlo
from depesche.smtpclient.wire.plan import ToSevenBit
from depesche.smtpclient.wire.protocol import Dialogue, Tap
from depesche.smtpclient.wire.states import Command, State
from depesche.smtpclient.wire.under_way import Learnt, Transaction

_CLOSE_SECONDS = 1.0
# Not before the greeting, and not to a server whose certificate has not been looked at.
_MAY_QUIT = frozenset(State) - {
    State.CONNECTED, State.HANDSHAKE, State.AUTHENTICATING, State.CLOSING, State.CLOSED
}  # fmt: skip


Guard = Callable[[], AbstractAsyncContextManager[None]]
"""Stands around a login: may wait before it, may raise SubmissionError, and sees whether it worked."""


class Submission(Transaction):
    """A transaction that somebody waits for."""

    __slots__ = ("future",)

    def __init__(self, envelope: Envelope, content: bytes, future: asyncio.Future[Result]) -> None:
        super().__init__(envelope, content)
        self.future = future

    def settle(self) -> None:
        """Tell who waits: a result where anything was decided, else the error that ended the session."""
        result, future = self.result, self.future
        if result is None or future.done():
            return
        if result.error is not None and not result.decided:
            future.set_exception(result.error.again())
            future.exception()  # who has gone away meanwhile is no cause for a warning
        else:
            future.set_result(result)


class Session:
    """One session with one server. Use `open`, or `async with Session(config) as session`.

    `source`, `decided`, `ended`, `learnt` are for a pool that feeds several sessions from one queue;
    without them the session has its own. `observer` (a `Transcript`, for example) sees every line, secrets
    replaced.
    """

    def __init__(
        self,
        config: ConnectionConfig,
        *,
        observer: Tap | None = None,
        to_seven_bit: ToSevenBit | None = None,
        learnt: Learnt | None = None,
        source: Callable[[], Transaction | None] | None = None,
        decided: Callable[[Transaction], None] | None = None,
        ended: Callable[[SubmissionError], None] | None = None,
        guard: Guard = contextlib.nullcontext,
    ) -> None:
        self.config = config
        self.mechanism: str | None = None
        self.greeting: Reply | None = None
        self.tls_version: str | None = None
        self.tls_cipher: str | None = None
        self.peer_certificate_der: bytes | None = None
        self.peer_chain_der: tuple[bytes, ...] = ()  # as the server sent it, its own certificate first
        self.taken = 0  # transactions begun
        self.under_way = 0  # of these, not decided
        self._observer = observer
        self._queue: deque[Submission] = deque()
        self._source = source or self._next_of_mine
        self._decided = decided or self._settle
        self._ended = ended or _nothing
        self._guard = guard
        self._addresses: Sequence[network.Address] | None = None
        self._socket: socket.socket | None = None
        self._own_address = ""
        self._quiet: asyncio.Future[None] | None = None
        self.dialogue = Dialogue(
            self._take,
            to_seven_bit=to_seven_bit or _default_to_seven_bit,
            pipelining=config.limits.pipelining,
            chunking=config.limits.chunking,
            learnt=learnt,
            window=config.limits.window,
            tap=observer,
        )
        self.channel = Channel(self.dialogue, config.timeouts, decided=self._on_decided, ended=self._on_ended)
        self._greeting = self.channel.expect()

    # ---- the whole way

    @classmethod
    async def open(
        cls, config: ConnectionConfig, *, observer: Tap | None = None, to_seven_bit: ToSevenBit | None = None
    ) -> Self:
        """A session that is ready for transactions. Raises SubmissionError, and leaves nothing open then."""
        session = cls(config, observer=observer, to_seven_bit=to_seven_bit)
        await session.start()
        return session

    async def start(self, *, ready: bool = True) -> None:
        """All steps up to the first transaction (which waits for `ready` if not permitted here). Raises
        SubmissionError, and leaves nothing open then."""
        try:
            await self.connect()
            if self.config.implicit_tls:
                await self.handshake()
            await self.greet()
            await self.ehlo()
            if self.wants_starttls:
                await self.starttls()
            await self.login()
            if ready:
                self.ready()
        except BaseException as error:
            if isinstance(error, SubmissionError) and error.cause is not Cause.CONNECTION_LOST:
                await self.quit()  # politely, where the server still listens; it never hangs
            else:
                await self.abort()
            raise

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            await self.quit()
        else:
            await self.abort()

    # ---- the steps

    async def resolve(self) -> list[str]:
        """Look the server's name up; its addresses as text."""
        config = self.config
        self._addresses = await network.resolve(config.host, config.port, seconds=config.timeouts.connect)
        return list(dict.fromkeys(str(address[4][0]) for address in self._addresses))

    async def connect(self) -> None:
        """Reach the server (and look it up, if that was not done)."""
        if self._addresses is None:
            await self.resolve()
        assert self._addresses is not None
        self._socket = made = await network.connect(self._addresses, seconds=self.config.timeouts.connect)
        self._own_address = str(made.getsockname()[0])
        if not self.config.implicit_tls:
            await self._attach(None)

    async def handshake(self) -> None:
        """TLS from the first byte."""
        with tls.explained():
            await self._attach(self._tls_context())
            self._verify_peer()

    async def greet(self) -> Reply:
        """Wait for the server's greeting."""
        try:
            reply = await self._greeting
        except SubmissionError:
            raise self._error() from None
        if reply.code >= 400:
            raise SubmissionError(Stage.GREETING, cause_of_closing(reply), reply=reply)
        self.greeting = reply
        return reply

    async def ehlo(self) -> Capabilities:
        """Introduce ourselves; HELO to a server that does not know EHLO."""
        name = ehlo_name(self.config.local_hostname, self._own_address)
        reply = await self._say(Command.EHLO, commands.ehlo(name))
        if reply.code >= 500:
            reply = await self._say(Command.HELO, commands.helo(name))
            if reply.positive:
                self.dialogue.learn(Capabilities())
        elif reply.positive:
            self.dialogue.learn(parse_ehlo(reply))
        if not reply.positive:
            raise SubmissionError(Stage.EHLO, Cause.EHLO_REFUSED, reply=reply)
        return self.capabilities

    @property
    def wants_starttls(self) -> bool:
        """Whether STARTTLS is the next step: required, or wanted and offered."""
        encryption = self.config.encryption
        if self.encrypted or encryption in (Encryption.NONE, Encryption.SSL):
            return False
        return encryption is Encryption.TLS or self.capabilities.starttls

    async def starttls(self) -> Capabilities:
        """STARTTLS, the handshake, and EHLO again: what was announced in clear is forgotten."""
        if not self.capabilities.starttls:
            raise SubmissionError(Stage.STARTTLS, Cause.STARTTLS_NOT_OFFERED)
        reply = await self._say(Command.STARTTLS, commands.STARTTLS)
        if not reply.positive:
            raise SubmissionError(Stage.STARTTLS, Cause.STARTTLS_REFUSED, reply=reply)
        self._raise_if_lost()
        channel = self.channel
        assert channel.transport is not None
        channel.hold()
        with tls.explained(after_starttls=True):
            try:
                transport = await asyncio.get_running_loop().start_tls(
                    channel.transport,
                    channel,
                    self._tls_context(),
                    server_hostname=self.config.host,
                    ssl_handshake_timeout=self.config.timeouts.tls,
                )
            except BaseException:
                channel.forsaken()
                self._raise_if_lost()  # injected octets are the better explanation
                raise
            if transport is None:
                raise ConnectionResetError
            channel.adopt(transport)
            self._raise_if_lost()
            self._verify_peer()
        self.dialogue.tls_established()
        channel.release()
        return await self.ehlo()

    async def login(self) -> str | None:
        """Authenticate with the strongest mechanism in common; its name, or None without credentials."""
        if self.config.credentials is not None:
            async with self._guard():
                await self._log_in(self.config.credentials)
        return self.mechanism

    async def _log_in(self, source: Credentials) -> None:
        credentials = await login.obtained(source) if isinstance(source, TokenSource) else source
        if self._observer is not None:
            self._observer.hide(*login.secrets_of(credentials))
        dialogue = self.dialogue
        try:
            self.mechanism = await login.log_in(
                self._say,
                self.config,
                dialogue.capabilities.auth,
                credentials=credentials,
                encrypted=self.encrypted,
                in_exchange=lambda: dialogue.state is State.AUTHENTICATING,
            )
        except SubmissionError as error:
            if (
                error.cause is Cause.TOKEN_REFUSED
                and isinstance(source, TokenSource)
                and isinstance(credentials, OAuthToken)
            ):
                await asyncio.to_thread(source.refused, credentials)
            raise

    def ready(self) -> None:
        """From here on transactions may begin. `start` does this at its end."""
        self.dialogue.open_for_transactions = True
        self.channel.pump()

    def pause(self) -> None:
        """Begin no more transactions until `ready`; between them single commands can be tried."""
        self.dialogue.open_for_transactions = False

    # ---- transactions

    async def submit(self, envelope: Envelope, content: bytes) -> Result:
        """Hand over one message. Several may be submitted at once; they keep their order.

        Raises SubmissionError where the session was lost and nothing was decided: the server has no part of
        it. Content that was handed over completely and not answered is a Result, with UNCERTAIN recipients.
        """
        return await self.submit_nowait(envelope, content)

    def submit_nowait(self, envelope: Envelope, content: bytes) -> asyncio.Future[Result]:
        """Like `submit`, without waiting. A future that is cancelled before its turn is never submitted."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        if (error := self.channel.error) is not None:
            future.set_exception(error.again())
            future.exception()
        else:
            self._queue.append(Submission(envelope, content, future))
            self.channel.pump()
        return future

    async def submit_many(
        self,
        messages: Iterable[tuple[Envelope, bytes]] | AsyncIterable[tuple[Envelope, bytes]],
        *,
        ahead: int = 16,
    ) -> AsyncIterator[Result]:
        """The results in the order of the messages; at most `ahead` of them are taken before one is
        decided."""
        waiting: deque[asyncio.Future[Result]] = deque()
        try:
            async for envelope, content in _each(messages):
                waiting.append(self.submit_nowait(envelope, content))
                while len(waiting) >= ahead:
                    yield await waiting.popleft()
            while waiting:
                yield await waiting.popleft()
        finally:
            for future in waiting:
                future.cancel()

    async def try_sender(self, reverse_path: str) -> Reply:
        """What the server says to this sender. Ends with `rset`; nothing is submitted."""
        await self.drained()
        return await self._say(Command.MAIL, commands.mail(_checked(reverse_path)))

    async def try_recipient(self, recipient: str) -> Reply:
        """What the server says to this recipient, after `try_sender`."""
        return await self._say(Command.RCPT, commands.rcpt(_checked(recipient)))

    async def rset(self) -> Reply:
        await self.drained()
        return await self._say(Command.RSET, commands.RSET)

    async def noop(self) -> Reply:
        await self.drained()
        return await self._say(Command.NOOP, commands.NOOP)

    # ---- the end

    async def quit(self) -> None:
        """Say good-bye and close. Transactions under way are waited for; a silent server is not."""
        if self.channel.error is None and not self.channel.held and self.dialogue.state in _MAY_QUIT:
            self.dialogue.open_for_transactions = False
            with contextlib.suppress(SubmissionError, TimeoutError):
                await self.drained()
                async with asyncio.timeout(self.config.timeouts.quit):
                    await self.channel.exchange(Command.QUIT, commands.QUIT)
        await self.abort()

    async def abort(self) -> None:
        """Cut the connection. What was handed over and not answered is uncertain, the rest was not tried."""
        await self.channel.end(_CLOSE_SECONDS)
        if self._socket is not None and self.channel.transport is None:
            self._socket.close()

    async def drained(self) -> None:
        """Wait until no transaction is under way (each has its deadlines)."""
        while self.channel.error is None and self.under_way:
            if self._quiet is None or self._quiet.done():
                self._quiet = asyncio.get_running_loop().create_future()
            await asyncio.shield(
                self._quiet
            )  # several may wait; one that gives up must not take the others along
        self._raise_if_lost()

    # ---- what others look at

    @property
    def capabilities(self) -> Capabilities:
        return self.dialogue.capabilities

    @property
    def encrypted(self) -> bool:
        return self.channel.encrypted

    @property
    def error(self) -> SubmissionError | None:
        """Why the session is over; None while it lasts."""
        return self.channel.error

    @property
    def idle(self) -> bool:
        return not self.dialogue.busy

    # ---- inside

    async def _attach(self, context: ssl.SSLContext | None) -> None:
        assert self._socket is not None
        if context is None:
            await asyncio.get_running_loop().create_connection(lambda: self.channel, sock=self._socket)
            return
        self.channel.hold()
        await asyncio.get_running_loop().create_connection(
            lambda: self.channel,
            sock=self._socket,
            ssl=context,
            server_hostname=self.config.host,
            ssl_handshake_timeout=self.config.timeouts.tls,
        )

    def _tls_context(self) -> ssl.SSLContext:
        try:
            return tls.context(self.config.trust)
        except ValueError as error:
            raise SubmissionError(Stage.TLS, Cause.CERT_INVALID, detail=str(error)) from error

    def _verify_peer(self) -> None:
        """Right after the handshake, before a word is said or read."""
        transport = self.channel.transport
        assert transport is not None
        object_ = transport.get_extra_info("ssl_object")
        self.peer_certificate_der = object_.getpeercert(binary_form=True)
        self.peer_chain_der = tls.chain_of(object_)
        self.tls_version = object_.version()
        cipher = object_.cipher()
        self.tls_cipher = cipher[0] if cipher else None
        tls.verify_peer(self.config.trust, self.peer_certificate_der, self.config.host)
        seen.note(self.config.host, self.config.port, self.peer_certificate_der)
        self.channel.encrypted = True
        if self._observer is not None:
            self._observer.note(f"TLS established ({self.tls_version}, {self.tls_cipher})")
        if self.dialogue.state is State.CONNECTED:
            self.channel.release()

    async def _say(self, command: Command, octets: bytes, shown: str = "") -> Reply:
        try:
            reply = await self.channel.exchange(command, octets, shown)
        except SubmissionError:
            raise self._error() from None
        if reply.code == 421:
            self._raise_if_lost()
        return reply

    def _take(self) -> Transaction | None:
        transaction = self._source()
        if transaction is not None:
            self.taken += 1
            self.under_way += 1
        return transaction

    def _next_of_mine(self) -> Transaction | None:
        while self._queue:
            submission = self._queue.popleft()
            if not submission.future.done():
                return submission
        return None

    def _settle(self, transaction: Transaction) -> None:
        assert isinstance(transaction, Submission)
        transaction.settle()

    def _on_decided(self, transaction: Transaction) -> None:
        self.under_way -= 1
        self._decided(transaction)
        if self._quiet is not None and not self.under_way and not self._quiet.done():
            self._quiet.set_result(None)

    def _on_ended(self, error: SubmissionError) -> None:
        if self._observer is not None and error.cause is not Cause.ABORTED:
            self._observer.note(str(error))
        if self._quiet is not None and not self._quiet.done():
            self._quiet.set_result(None)
        while self._queue:
            submission = self._queue.popleft()
            if not submission.future.done():
                submission.future.set_exception(error.again())
                submission.future.exception()
        self._ended(error)

    def _error(self) -> SubmissionError:
        error = self.channel.error
        assert error is not None
        return error.again()

    def _raise_if_lost(self) -> None:
        if self.channel.error is not None:
            raise self._error()


def _nothing(error: SubmissionError) -> None:
    """Nobody wants to know."""


def _default_to_seven_bit(content: bytes) -> bytes:
    from depesche.mailformat.compose import to_seven_bit

    return to_seven_bit(content)


def _checked(address: str) -> str:
    """An address for a command, with its domain in ASCII. Raises ValueError."""
    return Envelope(address, (address or "postmaster",)).reverse_path


async def _each(
    messages: Iterable[tuple[Envelope, bytes]] | AsyncIterable[tuple[Envelope, bytes]],
) -> AsyncIterator[tuple[Envelope, bytes]]:
    if isinstance(messages, AsyncIterable):
        async for message in messages:
            yield message
    else:
        for message in messages:
            yield message
