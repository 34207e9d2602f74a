"""The bridge between a transport and the dialogue: octets to and fro, and one timer.

This is the hot path. For each message: two reads, two writes, no task, no log line. The timer is not moved at
each step; it looks, when it fires, whether it is due, and sleeps on if not.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import deque
from collections.abc import Callable

from depesche.smtpclient import tls
from depesche.smtpclient.config import Timeouts
from depesche.smtpclient.errors import Cause, Stage, SubmissionError
from depesche.smtpclient.reply import Reply
from depesche.smtpclient.wire.protocol import (
    Answer,
    Dialogue,
    InjectedBeforeTls,
    ProtocolViolation,
)
from depesche.smtpclient.wire.reply_parser import MalformedReply
from depesche.smtpclient.wire.states import Command
from depesche.smtpclient.wire.under_way import Transaction

_HIGH_WATER = 262144
_PROBE_SECONDS = 3.0
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux has it

_PATIENCE: dict[Command, Callable[[Timeouts], float]] = {
    Command.GREETING: lambda t: t.greeting,
    Command.EHLO: lambda t: t.command,
    Command.HELO: lambda t: t.command,
    Command.STARTTLS: lambda t: t.command,
    Command.AUTH: lambda t: t.auth,
    Command.AUTH_STEP: lambda t: t.auth,
    Command.MAIL: lambda t: t.mail,
    Command.RCPT: lambda t: t.rcpt,
    Command.DATA: lambda t: t.data_init,
    Command.CONTENT: lambda t: t.data_end,
    Command.CHUNK: lambda t: t.data_block,
    Command.BDAT: lambda t: t.data_end,
    Command.RSET: lambda t: t.command,
    Command.NOOP: lambda t: t.command,
    Command.QUIT: lambda t: t.quit,
}


class Channel(asyncio.Protocol):
    """One connection. `decided` is called for each decided transaction, `ended` once, when all is over."""

    def __init__(
        self,
        dialogue: Dialogue,
        timeouts: Timeouts,
        *,
        decided: Callable[[Transaction], None],
        ended: Callable[[SubmissionError], None],
    ) -> None:
        self.dialogue = dialogue
        self.transport: asyncio.Transport | None = None
        self.error: SubmissionError | None = None  # set once the session is over
        self.closed = asyncio.get_running_loop().create_future()
        self.encrypted = False
        self.held = False  # nothing may be said or read: the certificate is being looked at
        self._loop = asyncio.get_running_loop()
        self._patience = [_PATIENCE[command](timeouts) for command in Command]  # by the command's number
        self._block_patience = timeouts.data_block
        self._transaction_patience = timeouts.transaction
        self._decided = decided
        self._ended = ended
        self._first_octets = b""
        self._probing = False
        # One for each command of the session, in order: who gave up waiting leaves its place to nobody else.
        self._answers: deque[asyncio.Future[Reply]] = deque()
        self._paused = False
        self._pumping = False
        self._written = 0
        self._backlog = b""
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None

    # ---- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.adopt(transport)
        self._watch()

    def adopt(self, transport: asyncio.Transport) -> None:
        """Go on with this transport (the one that TLS made of the old one)."""
        self.transport = transport
        transport.set_write_buffer_limits(high=_HIGH_WATER)

    def data_received(self, data: bytes) -> None:
        if self.error is not None:
            return
        if self.held:
            self._backlog += data
            if len(self._backlog) > _HIGH_WATER:
                self.fail(SubmissionError(Stage.TLS, Cause.PROTOCOL_ERROR))
            return
        dialogue = self.dialogue
        answered = dialogue.answered
        if not answered and self._refuse_what_is_not_smtp(data):
            return
        failure: SubmissionError | None = None
        try:
            dialogue.receive(data)
        except InjectedBeforeTls as error:
            failure = _because(SubmissionError(Stage.STARTTLS, Cause.INJECTED_BEFORE_TLS), error)
        except ProtocolViolation as error:
            failure = SubmissionError(error.stage, Cause.PROTOCOL_ERROR, reply=error.reply, detail=str(error))
            failure = _because(failure, error)
        except MalformedReply as error:
            greeting = dialogue.awaiting is Command.GREETING
            cause = Cause.NOT_SMTP if greeting else Cause.PROTOCOL_ERROR
            failure = _because(SubmissionError(dialogue.stage, cause, detail=str(error)), error)
        if failure is not None:
            self.fail(failure)
            return
        written = self._written
        self.pump(progress=dialogue.answered != answered)
        if self._written == written and dialogue.awaiting is not None:
            self._acknowledge()

    def _acknowledge(self) -> None:
        """Some replies came, and nothing goes back that would carry their acknowledgement. Many servers leave
        Nagle's algorithm on (Postfix): the next reply is held until this acknowledgement, which we would
        delay by another 40 ms."""
        if _QUICKACK is None or self.transport is None:
            return
        connected = self.transport.get_extra_info("socket")
        if connected is not None:
            with contextlib.suppress(OSError):
                connected.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        if self.error is None:
            stage, cause = self.dialogue.stage, Cause.TIMEOUT if self._probing else Cause.CONNECTION_LOST
            if isinstance(error, ssl.SSLError) and self.dialogue.answered < 2:
                # With TLS 1.3 a server may refuse our side of the handshake after it was over for us.
                stage, (cause, _) = Stage.TLS, tls.cause_of(error)
            lost = SubmissionError(stage, cause, detail=_plain(error))
            self.fail(_because(lost, error) if error is not None else lost)
        if not self.closed.done():
            self.closed.set_result(None)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self.pump(progress=True)

    def forsaken(self) -> None:
        """A failed handshake closes the transport without telling us: nobody need wait for that."""
        if self.transport is not None:
            self.transport.abort()
        if not self.closed.done():
            self.closed.set_result(None)

    # ---- what the session uses

    def pump(self, *, progress: bool = False) -> None:
        """Write what may be written, hand on what happened. Call it whenever a transaction may have come
        up."""
        if self._pumping:
            return
        self._pumping = True
        dialogue, transport = self.dialogue, self.transport
        try:
            while self.error is None and transport is not None:
                if dialogue.events:
                    self._hand_on()
                    continue
                if self._paused or self.held:
                    break
                octets = dialogue.outgoing()
                if octets is not None:
                    transport.write(octets)
                    self._written += 1
                    progress = True
                elif not dialogue.events:
                    break
        finally:
            self._pumping = False
        if progress and self.error is None:
            self._watch()

    async def exchange(self, command: Command, octets: bytes, shown: str = "") -> Reply:
        """Write one command of the session and wait for its reply. Raises the SubmissionError that ended
        it."""
        if self.error is not None:
            raise self.error.again()
        answer = self.expect()
        self.dialogue.send(command, octets, shown)
        self.pump()
        return await answer

    def expect(self) -> asyncio.Future[Reply]:
        """The reply to the next command of the session (at first, the greeting)."""
        answer: asyncio.Future[Reply] = self._loop.create_future()
        answer.add_done_callback(_retrieved)
        if self.error is not None:
            answer.set_exception(self.error.again())
        else:
            self._answers.append(answer)
        return answer

    def hold(self) -> None:
        """Keep whatever arrives unread until `release`."""
        self.held = True

    def release(self) -> None:
        self.held = False
        backlog, self._backlog = self._backlog, b""
        if backlog:
            self.data_received(backlog)
        self.pump(progress=True)

    def fail(self, error: SubmissionError) -> None:
        """End the session at once: decide what is under way, tell everybody, cut the connection."""
        if self.error is not None:
            return
        self.dialogue.lost(error)
        # First tell the transactions, while `error` is still unset: their owner must see them before the end.
        self._hand_on()
        self._finish(error)

    def _finish(self, error: SubmissionError) -> None:
        self.error = error
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.transport is not None:
            self.transport.abort()
        while self._answers:
            answer = self._answers.popleft()
            if not answer.done():
                answer.set_exception(error.again())
        self._ended(error)

    # ---- inside

    def _hand_on(self) -> None:
        while self.dialogue.events:
            events, self.dialogue.events = self.dialogue.events, []
            for event in events:
                if isinstance(event, Transaction):
                    self._decided(event)
                elif isinstance(event, Answer):
                    answer = self._answers.popleft()
                    if not answer.done():
                        answer.set_result(event.reply)
                elif self.error is None:
                    self._finish(event.error)

    def _watch(self) -> None:
        """A step was taken: from now on the next one is timed."""
        dialogue = self.dialogue
        if not dialogue.expected:
            self._deadline = float("inf")
            return
        awaiting, oldest = dialogue.expected[0]
        now = self._loop.time()
        if dialogue.writing_content:
            deadline = now + self._block_patience
        else:
            deadline = now + self._patience[awaiting]
        if oldest is not None:
            if not oldest.begun_at:
                oldest.begun_at = now
            deadline = min(deadline, oldest.begun_at + self._transaction_patience)
        self._deadline = deadline
        timer = self._timer
        if timer is None or timer.when() > deadline:
            if timer is not None:
                timer.cancel()
            self._timer = self._loop.call_at(deadline, self._look)

    def _look(self) -> None:
        self._timer = None
        if self.error is not None or self._deadline == float("inf"):
            return
        if self._loop.time() >= self._deadline:
            if not self.held:
                self.timed_out()
        else:
            self._timer = self._loop.call_at(self._deadline, self._look)

    def timed_out(self) -> None:
        """The server was silent for too long. A server that has not said a word may be waiting for TLS: the
        connection is lost anyway, so it is asked."""
        stage = self.dialogue.stage
        if (
            stage is Stage.GREETING
            and not self._probing
            and not self.encrypted
            and self.transport is not None
        ):
            self._probing = True
            self.transport.write(tls.client_hello())
            self._deadline = self._loop.time() + min(_PROBE_SECONDS, self._patience[Command.GREETING])
            self._timer = self._loop.call_at(self._deadline, self._look)
        else:
            self.fail(SubmissionError(stage, Cause.TIMEOUT))

    def _refuse_what_is_not_smtp(self, data: bytes) -> bool:
        """Before the greeting: TLS where none was expected has no line ends, and would never become a
        reply."""
        self._first_octets += data[:8]
        if tls.looks_like_tls(self._first_octets):
            self.fail(SubmissionError(Stage.GREETING, Cause.TLS_ON_PLAIN_PORT))
        elif self._probing:
            self.fail(SubmissionError(Stage.GREETING, Cause.TIMEOUT))
        return self.error is not None

    async def end(self, seconds: float) -> None:
        """Close for good; waits, not longer than this, until the transport is gone."""
        if self.error is None:
            self.fail(SubmissionError(self.dialogue.stage, Cause.ABORTED))
        if self.transport is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.shield(self.closed)


def _retrieved(future: asyncio.Future[Reply]) -> None:
    """An error nobody waits for any more is no cause for a warning."""
    if not future.cancelled():
        future.exception()


def _because(error: SubmissionError, cause: BaseException) -> SubmissionError:
    error.__cause__ = cause
    return error


def _plain(error: Exception | None) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "" if error is None else type(error).__name__
