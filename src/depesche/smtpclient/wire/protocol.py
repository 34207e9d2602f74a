"""The client's side of an SMTP session: which octets to write, and which reply answers what. No I/O.

Strategy. Everything written is noted in one queue of expectations; each reply takes the oldest one. That is
the only pairing there is, and the transition table (`states`) checks each pair, so a reply cannot be written
down for the wrong message. The owner feeds what arrives to `receive`, pulls what is to be written from
`outgoing` until there is nothing (or its transport is full), and takes what happened from `events`. Because
content is *pulled*, a transaction knows whether its end was handed over: that is the difference between
"uncertain" and "not tried" when the connection is cut.

With PIPELINING a transaction costs one round trip: MAIL, RCPT and DATA in one write, then the content in one
write, then its final dot together with the envelope of the next transaction. Content and dot are separate
writes on purpose: together they let the server's Nagle wait for our delayed acknowledgement at some sizes.
After a refusal RSET goes first: Postfix keeps a transaction open after it refused DATA, and the next RCPT
would join the old sender.

With CHUNKING no transaction has to wait for anything: a window of them goes out back to back, each behind an
RSET of its own, since the one before may yet be refused. What a server announces need not be true, and one
that does not know BDAT would read the content as commands. So, before anything else, the first line of the
first message goes as a chunk by itself: a header field is no command, and the reply tells (`Learnt`). Nor do
all take an envelope behind the final dot: a message that was refused for that alone is begun once more, and
from then on the next one waits for the reply.
"""

from __future__ import annotations

import enum
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from depesche.smtpclient.errors import Cause, Stage, SubmissionError, cause_of_closing
from depesche.smtpclient.reply import Reply
from depesche.smtpclient.wire import commands
from depesche.smtpclient.wire.extensions import Capabilities
from depesche.smtpclient.wire.plan import Plan, ToSevenBit, plan
from depesche.smtpclient.wire.reply_parser import MAX_LINE, ReplyParser
from depesche.smtpclient.wire.states import KIND_OF, NEXT, Command, State
from depesche.smtpclient.wire.under_way import Learnt, Transaction

BLOCK = 65536  # content is handed over in pieces of this size, so that a cut in the middle is known as such


class Tap(Protocol):
    """Sees every line of the dialogue, secrets already replaced (`transcript.Transcript`)."""

    def client(self, line: str) -> None: ...

    def server(self, reply: Reply) -> None: ...

    def note(self, text: str) -> None: ...

    def hide(self, *secrets: str) -> None: ...


class ProtocolViolation(Exception):
    """The server's reply has no place here. The session must be aborted."""

    def __init__(self, reply: Reply, command: Command | None, state: State) -> None:
        answered = "nothing" if command is None else command.name
        super().__init__(f"{reply.code} in answer to {answered} (state {state.name})")
        self.reply = reply
        self.stage = Stage.MAIL if command is None else _STAGES[command]


class InjectedBeforeTls(Exception):
    """Octets followed the reply to STARTTLS in clear: somebody in between put them there."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to a command of the session (not of a transaction)."""

    command: Command
    reply: Reply


@dataclass(frozen=True, slots=True)
class Closing:
    """The server ends the session: 421, or a final refusal before the content was complete."""

    error: SubmissionError


# What a server says in the middle of a long run of messages: the one before is taken, and so far the next one
# too.
_TAKEN_AND_NEXT = re.compile(
    rb"250 ([^\r\n]*)\r\n250 ([^\r\n]*)\r\n(25[01]) ([^\r\n]*)\r\n354 ([^\r\n]*)\r\n"
).fullmatch


@lru_cache(256)
def _usual(code: int, octets: bytes) -> Reply:
    """A reply to an envelope: a server says the same to thousands."""
    return Reply.from_wire(code, (octets,))


_HEADER_FIELD = re.compile(rb"[!-9;-~]+:[^\r\n]*\r\n")
# 500 to 504 and 555: the server does not know the command after all.
_NOT_KNOWN = frozenset({500, 501, 502, 503, 504, 555})


_HASTE = frozenset({500, 502, 503})
_SAYS_HASTE = re.compile(r"synchroni[sz]ation|pipelin|out of (?:order|sequence)|bad sequence", re.IGNORECASE)


def _is_about_haste(reply: Reply) -> bool:
    """Whether this answer to MAIL means that it came behind a final dot, not what it says."""
    return reply.code in _HASTE or bool(_SAYS_HASTE.search(reply.gist))


Event = Answer | Closing | Transaction


def _trial_line(content: bytes) -> bytes:
    """The first header field's first line, where there is one and more behind it."""
    found = _HEADER_FIELD.match(content)
    return found[0] if found and found.end() < len(content) else b""


_UNTIDY = frozenset({State.SPOILT, State.SENDER, State.RECIPIENTS})


class _Writer(enum.IntEnum):
    IDLE = 0  # the next transaction may begin
    ENVELOPE = 1  # envelope written, or being written; DATA is not answered yet
    CONTENT = 2
    REPLY = 3  # without PIPELINING: wait for the reply to the content


_STAGES = {
    Command.GREETING: Stage.GREETING,
    Command.EHLO: Stage.EHLO,
    Command.HELO: Stage.EHLO,
    Command.STARTTLS: Stage.STARTTLS,
    Command.AUTH: Stage.AUTH,
    Command.AUTH_STEP: Stage.AUTH,
    Command.MAIL: Stage.MAIL,
    Command.RCPT: Stage.RCPT,
    Command.DATA: Stage.DATA,
    Command.CONTENT: Stage.CONTENT,
    Command.CHUNK: Stage.CONTENT,
    Command.BDAT: Stage.CONTENT,
    Command.RSET: Stage.MAIL,
    Command.NOOP: Stage.MAIL,
    Command.QUIT: Stage.QUIT,
}


class Dialogue:
    """One session. `source` is asked for the next transaction whenever one may begin."""

    def __init__(
        self,
        source: Callable[[], Transaction | None],
        *,
        to_seven_bit: ToSevenBit,
        pipelining: bool = True,
        chunking: bool = True,
        learnt: Learnt | None = None,
        window: int = 4,
        tap: Tap | None = None,
    ) -> None:
        self.state = State.CONNECTED
        self.capabilities = Capabilities()
        self.events: list[Event] = []
        self.answered = 0  # replies so far; the owner sees progress by it
        self.refusals_in_a_row = 0  # refusals since the last accepted content
        self.spoilt = 0  # transactions that only RSET could end, since the session began
        self.open_for_transactions = False
        # What is unanswered, in order: the commands, and the transactions to which they belong.
        self.expected: deque[tuple[Command, Transaction | None]] = deque([(Command.GREETING, None)])
        self._source = source
        self._to_seven_bit = to_seven_bit
        self._may_pipeline = pipelining
        self._pipelining = False
        self._may_chunk = chunking
        self._learnt = learnt or Learnt(chunking=False)
        self._window = window
        self._announced_chunking = False
        self._chunked = 0  # transactions whose BDAT is not answered
        self._tap = tap
        self._parser = ReplyParser()
        self._out: deque[bytes] = deque()
        self._writer = _Writer.IDLE
        self._current: Transaction | None = None
        self._hasty: Transaction | None = None  # the last whose envelope went behind a final dot
        self._once_more: Transaction | None = None  # it was refused for its haste

    # ---- what the owner asks

    @property
    def awaiting(self) -> Command | None:
        """The command whose reply comes next; None when nothing is unanswered."""
        return self.expected[0][0] if self.expected else None

    @property
    def stage(self) -> Stage:
        """Where the session stands, for an error message."""
        if self.expected:
            return _STAGES[self.expected[0][0]]
        return Stage.TLS if self.state is State.HANDSHAKE else Stage.MAIL

    @property
    def busy(self) -> bool:
        """Whether anything is written, or about to be, and not yet answered."""
        return bool(self.expected or self._out or self._once_more)

    @property
    def writing_content(self) -> bool:
        return self._writer is _Writer.CONTENT

    # ---- commands of the session

    def send(self, command: Command, octets: bytes, shown: str = "") -> None:
        """Write a command outside of any transaction. `shown` replaces it in the transcript: secrets."""
        self.expected.append((command, None))
        self._out.append(octets)
        if self._tap is not None:
            self._tap.client(shown or octets.decode("utf-8").rstrip("\r\n"))

    def learn(self, capabilities: Capabilities) -> None:
        """What EHLO announced holds from here on."""
        self.capabilities = capabilities
        self._pipelining = self._may_pipeline and capabilities.pipelining
        # A window of 1 is never better than DATA.
        able = self._may_chunk and capabilities.chunking
        self._announced_chunking = self._pipelining and able and self._window > 1

    def tls_established(self) -> None:
        """TLS began: everything the server said before is forgotten (RFC 3207 §4.2)."""
        if self.state is State.HANDSHAKE:
            self.state = State.GREETED
        self.learn(Capabilities())

    def lost(self, error: SubmissionError) -> None:
        """The session is over: decide all that is under way. Content handed over and unanswered is
        uncertain."""
        if any(command is Command.CHUNK for command, _ in self.expected):
            self._learnt.chunking = False  # the trial ended the session: once is enough
        if error.cause is Cause.TIMEOUT and self.expected and self.expected[0] == (Command.MAIL, self._hasty):
            self._learnt.behind_content = False  # it threw away what followed the dot
        under_way = dict.fromkeys(tx for _, tx in self.expected if tx is not None)
        if self._once_more is not None:
            under_way[self._once_more] = None
            self._once_more = None
        self.expected.clear()
        self._out.clear()
        self.open_for_transactions = False
        self.state = State.CLOSED
        for transaction in under_way:
            self._finish(transaction, error)

    # ---- octets out

    def outgoing(self) -> bytes | memoryview | None:
        """The next octets to write; None when it is the server's turn. Writing order is reading order."""
        if self._out:
            return self._out.popleft()
        if self._writer is _Writer.CONTENT:
            return self._piece_of_content()
        if self._writer is _Writer.IDLE and self._chunked < self._window:
            return self._begin_next()
        return None

    def _begin_next(self) -> bytes | None:
        """The beginning of the next transaction, as much of it as may be written at once."""
        while self.open_for_transactions or self._once_more is not None:
            again, self._once_more = self._once_more, None
            transaction = again or self._source()
            if transaction is None:
                return None
            what = transaction.plan = plan(
                transaction.envelope,
                transaction.content,
                self.capabilities,
                self._to_seven_bit,
                transaction.shared,
            )
            if what.rcpts:
                return self._begin(transaction, what)
            self._finish(transaction, None)
        return None

    def _begin(self, transaction: Transaction, what: Plan) -> bytes:
        self._current = transaction
        self._writer = _Writer.ENVELOPE
        tidy = self.state in _UNTIDY or self._chunked > 0
        if not self._pipelining:
            if tidy:
                return self._write(Command.RSET, transaction, commands.RSET)
            return self._write(Command.MAIL, transaction, what.mail)
        expected = self.expected
        if tidy:
            expected.append((Command.RSET, transaction))
        expected.append((Command.MAIL, transaction))
        expected.extend([(Command.RCPT, transaction)] * len(what.rcpts))
        group = b"%b%b%b" % (commands.RSET if tidy else b"", what.mail, b"".join(what.rcpts))
        if self._tap is not None:
            for line in group.decode("utf-8").splitlines():
                self._tap.client(line)
        if self._announced_chunking and len(what.content) <= BLOCK:
            if self._learnt.chunking:
                return group + self._last_chunk(transaction, what.content)
            if self._learnt.chunking is None and (first := _trial_line(what.content)):
                transaction.offset = len(first)
                chunk = commands.bdat(len(first))
                return group + self._write(Command.CHUNK, transaction, chunk) + first
        return group + self._write(Command.DATA, transaction, commands.DATA)

    def _last_chunk(self, transaction: Transaction, content: bytes) -> bytes:
        """BDAT LAST and its octets; the next transaction may follow at once, as far as the window permits."""
        command = self._write(Command.BDAT, transaction, commands.bdat_last(len(content)))
        if self._tap is not None:
            self._tap.client(f"({len(content)} bytes)")
        transaction.handed_over = True
        self._chunked += 1
        self._current = None
        self._writer = _Writer.IDLE
        return command + content

    def _write(self, command: Command, transaction: Transaction, octets: bytes) -> bytes:
        self.expected.append((command, transaction))
        if self._tap is not None:
            self._tap.client(octets.decode("utf-8").rstrip("\r\n"))
        return octets

    def _piece_of_content(self) -> bytes | memoryview | None:
        transaction = self._current
        assert transaction is not None
        body, offset = transaction.body, transaction.offset
        if offset < len(body):
            if self._tap is not None and not offset:
                self._tap.client(f"({len(body)} bytes)")
            transaction.offset = offset + BLOCK
            return body if len(body) <= BLOCK else memoryview(body)[offset : offset + BLOCK]
        transaction.handed_over = True
        self._current = None
        if self._tap is not None:
            self._tap.client(".")
        # Nothing goes in chunks behind a dot: a server that refuses what stands there would take content
        # for commands.
        chunks = self._announced_chunking and self._learnt.chunking is not False
        if chunks or not (self._pipelining and self._learnt.behind_content):
            self._writer = _Writer.REPLY
            return commands.END_OF_CONTENT
        self._writer = _Writer.IDLE
        following = self._begin_next()
        self._hasty = self._current
        return commands.END_OF_CONTENT if following is None else commands.END_OF_CONTENT + following

    # ---- octets in

    def receive(self, data: bytes) -> None:
        """Take what the server said. Raises MalformedReply, ProtocolViolation, InjectedBeforeTls; `events`
        hold what happened before that. After an exception the session must be aborted and `lost` called."""
        if self.state is State.HANDSHAKE:
            raise InjectedBeforeTls
        expected = self.expected
        if len(expected) == 4 and self.state is State.CONTENT and self._taken_and_next(data):
            return
        for reply in self._parser.feed(data):
            if self.state is State.HANDSHAKE:
                raise InjectedBeforeTls
            if not expected:
                self._unsolicited(reply)
                continue
            command, transaction = expected.popleft()
            if self._tap is not None:
                self._show(command, reply)
            after = NEXT[self.state][command][KIND_OF[reply.code]]
            if after is None:
                if transaction is not None:
                    expected.appendleft((command, transaction))  # so that `lost` decides it too
                raise ProtocolViolation(reply, command, self.state)
            self.answered += 1
            self.state = after
            if transaction is None:
                self.events.append(Answer(command, reply))
            else:
                self._advance(command, transaction, reply)
            if after is State.CLOSING:
                self._closing(self._closed_by(command, reply))
        if self.state is State.HANDSHAKE and self._parser.pending:
            raise InjectedBeforeTls
        if self._parser.failed is not None and self.state not in (State.CLOSING, State.CLOSED):
            raise self._parser.failed

    def _taken_and_next(self, data: bytes) -> bool:
        """The four replies of the usual case at one stroke, which the general way would take one by one to
        the same end (a test compares). False: nothing was done."""
        (content, taken), (mail, _), _, (data_command, coming) = self.expected
        if (
            content is not Command.CONTENT
            or mail is not Command.MAIL
            or data_command is not Command.DATA
            or self._tap is not None
            or not self._pipelining
            or self._parser.pending
            or len(data) > MAX_LINE
            or not (found := _TAKEN_AND_NEXT(data))
            or taken is None
            or coming is None
            or coming.plan is None
        ):
            return False
        final, mail_said, code, rcpt_said, data_said = found.groups()
        taken.final_reply = Reply.from_wire(250, (final,))
        coming.mail_reply = _usual(250, mail_said)
        coming.rcpt_replies.append(_usual(int(code), rcpt_said))
        coming.data_reply = _usual(354, data_said)
        coming.body = coming.plan.body()
        self.answered += 4
        self.refusals_in_a_row = 0
        self._writer = _Writer.CONTENT
        self.expected.clear()
        self.expected.append((Command.CONTENT, coming))
        self._finish(taken, None)
        return True

    def _show(self, command: Command, reply: Reply) -> None:
        """To the transcript. With the challenges of a login, passwords could be tried out at leisure."""
        assert self._tap is not None
        challenge = reply.code < 400 and reply.code >= 300 and command in (Command.AUTH, Command.AUTH_STEP)
        self._tap.server(Reply(reply.code, "(challenge)") if challenge else reply)

    def _unsolicited(self, reply: Reply) -> None:
        if self._tap is not None:
            self._tap.server(reply)
        if reply.code == 421:
            self._closing(SubmissionError(self.stage, cause_of_closing(reply), reply=reply))
        elif self.state not in (State.CLOSING, State.CLOSED):
            raise ProtocolViolation(reply, None, self.state)

    def _closing(self, error: SubmissionError) -> None:
        """Nothing behind a 421 will be answered, or was done."""
        if error.reply is not None and error.reply.code == 421:
            for _, transaction in self.expected:
                if transaction is not None:
                    transaction.never_heard()
        self.lost(error)
        self.state = State.CLOSING
        self.events.append(Closing(error))

    def _advance(self, command: Command, transaction: Transaction, reply: Reply) -> None:
        """Note the reply, and go on as far as it permits."""
        if reply.code >= 400:
            self.refusals_in_a_row += 1
            if command is Command.MAIL and transaction is self._hasty and _is_about_haste(reply):
                self._learnt.behind_content, self._hasty = False, None  # once: then it is refused
                self._once_more = transaction if reply.code != 421 else None
        if transaction is self._once_more and reply.code != 421:
            self._refused_for_haste(command, transaction)
            return
        if command is Command.RCPT:
            transaction.rcpt_replies.append(reply)
        elif command is Command.MAIL:
            transaction.mail_reply = reply
        elif command is Command.DATA:
            self._answered_data(transaction, reply)
            return
        elif command is Command.CONTENT:
            self._answered_content(transaction, reply)
            return
        elif command is Command.BDAT:
            self._chunked -= 1
            self._decide_content(transaction, reply)
            return
        elif command is Command.CHUNK and reply.code != 421:
            self._answered_trial(transaction, reply)
            return
        if reply.code == 421:
            transaction.never_heard()
            self._finish(transaction, self._closed_by(command, reply))
        elif not self._pipelining:
            self._next_command(command, transaction)

    def _refused_for_haste(self, command: Command, transaction: Transaction) -> None:
        """A reply to an envelope that the server would not have behind a final dot. After the last one it
        begins once more."""
        if command is Command.DATA:
            transaction.begin_again()
            self._let_go(transaction)

    def _closed_by(self, command: Command, reply: Reply) -> SubmissionError:
        return SubmissionError(_STAGES[command], cause_of_closing(reply), reply=reply)

    def _next_command(self, command: Command, transaction: Transaction) -> None:
        """Without PIPELINING: the next command of the transaction, or its end."""
        what = transaction.plan
        assert what is not None
        if command is Command.RSET:
            self._out.append(self._write(Command.MAIL, transaction, what.mail))
        elif self.state is State.SPOILT:
            self._finish(transaction, None)
        elif len(transaction.rcpt_replies) < len(what.rcpts):
            rcpt = what.rcpts[len(transaction.rcpt_replies)]
            self._out.append(self._write(Command.RCPT, transaction, rcpt))
        elif self.state is State.RECIPIENTS:
            self._out.append(self._write(Command.DATA, transaction, commands.DATA))
        else:
            self._finish(transaction, None)

    def _answered_data(self, transaction: Transaction, reply: Reply) -> None:
        transaction.data_reply = reply
        if reply.code >= 400:
            self._finish(transaction, self._closed_by(Command.DATA, reply) if reply.code == 421 else None)
            return
        if self.state is State.CONTENT and transaction.plan is not None:
            transaction.body = transaction.plan.body()
        self._writer = _Writer.CONTENT
        self.expected.append((Command.CONTENT, transaction))

    def _answered_content(self, transaction: Transaction, reply: Reply) -> None:
        early = not transaction.handed_over
        if early and reply.code < 400:
            self.expected.appendleft((Command.CONTENT, transaction))
            raise ProtocolViolation(reply, Command.CONTENT, self.state)
        self._decide_content(transaction, reply)
        if early and reply.code != 421:
            # The server refused before the end, which is its right; but whether it reads what follows as
            # content or as commands, nobody can tell. So the session ends here.
            self._closing(SubmissionError(Stage.CONTENT, Cause.CONNECTION_LOST, reply=reply))

    def _decide_content(self, transaction: Transaction, reply: Reply) -> None:
        transaction.final_reply = reply
        if reply.code < 400:
            self.refusals_in_a_row = 0
        self._finish(transaction, self._closed_by(Command.CONTENT, reply) if reply.code == 421 else None)

    def _answered_trial(self, transaction: Transaction, reply: Reply) -> None:
        """What became of the first chunk. Without a recipient, a refusal says nothing about CHUNKING."""
        what = transaction.plan
        assert what is not None
        taken = any(one.code < 400 for one in transaction.rcpt_replies) and self.state is not State.SENDER
        if not taken or transaction.mail_reply is None or transaction.mail_reply.code >= 400:
            self._finish(transaction, None)
        elif reply.code < 400:
            self._learnt.chunking = True
            rest = what.content[transaction.offset :]
            self._out.append(self._last_chunk(transaction, rest))
        elif reply.code in _NOT_KNOWN:
            # Its line was perhaps read as a command, and there is one reply too many under way: no use going
            # on.
            self._learnt.chunking, self._learnt.chunking_refused = False, True
            error = SubmissionError(Stage.CONTENT, Cause.CHUNKING_FAILED, reply=reply)
            self.expected.append((Command.CHUNK, transaction))
            self._closing(error)
        else:
            self._decide_content(transaction, reply)

    def _finish(self, transaction: Transaction, error: SubmissionError | None) -> None:
        if transaction.result is not None:
            return
        if self.state is State.SPOILT:
            self.spoilt += 1
        transaction.result = transaction.decide(error)
        transaction.body = b""
        self._let_go(transaction)
        self.events.append(transaction)

    def _let_go(self, transaction: Transaction) -> None:
        """The next one may begin."""
        if self._current is transaction or self._writer is _Writer.REPLY:
            self._current = None
            self._writer = _Writer.IDLE
