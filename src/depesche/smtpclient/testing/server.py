"""A real SMTP server on a loopback port that fails exactly where it is told to, and records what it got.

    async with FakeServer(Behaviour(faults={"rcpt": "550 5.1.1 no such user"})) as server:
        config = ConnectionConfig("127.0.0.1", server.port, Encryption.NONE)

It is a product, not a stub: the contract tests that a real Postfix passes, it passes too.

A fault is a reply (``"451 4.3.0 later"``), or one of CUT (close at once), HANG (say nothing more),
SLOW (answer after a pause), NOISE (no reply at all). It hits each time its stage is reached; for more, give a
function. Stages: greeting ehlo helo starttls tls auth mail rcpt data content after-content noop rset quit.
``content`` answers the final dot; ``after-content`` acts when the content has arrived and was stored, before
the reply: CUT there is what makes a result uncertain.
"""

from __future__ import annotations

import asyncio
import binascii
import contextlib
import enum
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email import policy
from email.parser import BytesHeaderParser
from email.utils import parseaddr
from types import TracebackType
from typing import Self

from depesche.smtpclient.testing.logins import Cancelled, Logins


class Fault(enum.Enum):
    CUT = "cut"
    HANG = "hang"
    SLOW = "slow"
    NOISE = "noise"


CUT, HANG, SLOW, NOISE = Fault.CUT, Fault.HANG, Fault.SLOW, Fault.NOISE

Act = Fault | str | None
"""A fault, a reply, or None: as usual."""

EXTENSIONS = ("PIPELINING", "SIZE 20000000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN")
MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER")


@dataclass(frozen=True)
class Behaviour:
    """How the server behaves. `faults`, `senders`, `recipients` and `authors` are looked up first, then
    `decide`."""

    extensions: tuple[str, ...] = EXTENSIONS
    mechanisms: tuple[str, ...] = ()
    users: Mapping[str, str] = field(default_factory=dict)  # user name -> password or token
    login_required: bool = False
    starttls: bool = False
    tls_required: bool = False  # MAIL and AUTH only after STARTTLS
    faults: Mapping[str, Act] = field(default_factory=dict)  # stage -> what happens there
    senders: Mapping[str, Act] = field(default_factory=dict)  # reverse-path -> reply to MAIL
    recipients: Mapping[str, Act] = field(default_factory=dict)  # address -> reply to RCPT
    authors: Mapping[str, Act] = field(default_factory=dict)  # address in the header From -> reply to content
    decide: Callable[[str, Connection, str], Act] | None = None  # (stage, connection, argument)
    judge: Callable[[bytes], Act] | None = None  # what the final dot gets, by the content
    banner: str = "220 fake.example.org ESMTP"
    after_starttls: bytes = b""  # injected in clear behind the reply to STARTTLS
    connections: int | None = None  # more at a time are greeted with 421
    messages_per_connection: int | None = None  # after that many, 421
    nothing_behind_content: bool = False  # like Haraka: commands that came with the final dot get 503
    bare_lf: bool = False  # ends its lines with LF
    fragment: int = 0  # writes so many octets at a time
    slow_seconds: float = 0.05
    knows_bdat: bool = True  # else it announces CHUNKING and takes chunks for commands
    keep_open_after_refused_data: bool = False  # like Postfix: only RSET closes such a transaction
    reply_delay: float = 0.0


@dataclass
class ReceivedMail:
    """One message that was taken, content as it came, dots unstuffed."""

    reverse_path: str
    recipients: list[str]
    content: bytes
    parameters: str = ""
    connection: int = 0
    encrypted: bool = False
    user: str | None = None


@dataclass
class Connection:
    """What is known of one connection."""

    number: int
    commands: list[str] = field(default_factory=list)
    encrypted: bool = False
    user: str | None = None
    mails: int = 0
    ended_by_quit: bool = False
    closed: bool = False


class FakeServer:
    """Use as an asynchronous context manager. `messages` holds what was taken (also when the reply was
    withheld), `connections` every connection, `high_water` the most that were open at once."""

    def __init__(
        self,
        behaviour: Behaviour | None = None,
        *,
        context: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.behaviour = behaviour or Behaviour()
        self.host = host
        self.port = port  # 0: one that is free
        self.messages: list[ReceivedMail] = []
        self.connections: list[Connection] = []
        self.open = 0
        self.high_water = 0
        self.violations: list[str] = []  # what a client must never do
        self._context = context
        self._implicit = implicit_tls
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        self._server = await asyncio.start_server(
            self._serve,
            self.host,
            self.port,
            ssl=self._context if self._implicit else None,
            ssl_handshake_timeout=10 if self._implicit else None,
            limit=1 << 20,
            backlog=200,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def contents(self) -> list[bytes]:
        return [message.content for message in self.messages]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        connection = Connection(len(self.connections) + 1, encrypted=self._implicit)
        self.connections.append(connection)
        self.open += 1
        self.high_water = max(self.high_water, self.open)
        try:
            await _Dialogue(self, connection, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, _Cut):
            pass
        except (asyncio.CancelledError, TimeoutError):
            pass
        finally:
            self.open -= 1
            connection.closed = True
            self._tasks.discard(task)
            writer.transport.abort()


class _Cut(Exception):
    """Close the connection now."""


class _Dialogue(Logins):
    """The server's side of one connection."""

    def __init__(
        self,
        server: FakeServer,
        connection: Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        super().__init__(
            server.behaviour.users, wrong_signature=bool(server.behaviour.faults.get("scram-signature"))
        )
        self.server = server
        self.connection = connection
        self.reader = reader
        self.writer = writer
        self.greeted = False
        self.sender: str | None = None
        self.parameters = ""
        self.recipients: list[str] = []
        self.chunks: list[bytes] = []
        self.refused_data = False

    @property
    def does(self) -> Behaviour:
        return self.server.behaviour

    async def run(self) -> None:
        limit = self.does.connections
        if limit is not None and self.server.open > limit:
            await self.say("421 4.7.0 too many connections from you")
            return
        if await self.fault("greeting"):
            raise _Cut
        await self.say(self.does.banner)
        while True:
            line = await self.reader.readline()
            if not line.endswith(b"\n"):
                return
            text = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
            if line.startswith(b"\x16\x03"):
                return  # a client that wants TLS, at the wrong port
            if not line.endswith(b"\r\n") or b"\r" in line[:-2] or b"\0" in line:
                self.server.violations.append(f"a command with a bare CR, LF or NUL: {line!r}")
            self.connection.commands.append(text)
            verb, _, argument = text.partition(" ")
            action = getattr(self, "do_" + verb.lower(), None)
            if action is None:
                await self.say("500 5.5.2 command not recognised")
            elif await action(argument) == "end":
                return

    async def say(self, *lines: str) -> None:
        """One reply, given as its lines; a single string may hold a complete one."""
        if self.does.reply_delay:
            await asyncio.sleep(self.does.reply_delay)
        end = "\n" if self.does.bare_lf else "\r\n"
        octets = "".join(line + end for line in lines).encode()
        size = self.does.fragment or len(octets)
        for start in range(0, len(octets), size):
            self.writer.write(octets[start : start + size])
            await self.writer.drain()
            if self.does.fragment:
                await asyncio.sleep(0)

    async def fault(self, stage: str, argument: str = "") -> bool:
        """Act on what was ordered for this stage; True when the stage is thereby done."""
        does = self.does
        act = does.faults.get(stage)
        if act is None and stage == "mail":
            act = does.senders.get(argument)
        if act is None and stage == "rcpt":
            act = does.recipients.get(argument)
        if act is None and does.decide is not None:
            act = does.decide(stage, self.connection, argument)
        if act is None:
            return False
        if act is CUT:
            raise _Cut
        if act is HANG:
            await self.reader.read()  # until the client gives up
            raise _Cut
        if act is SLOW:
            await asyncio.sleep(does.slow_seconds)
            return False
        if act is NOISE:
            await self.say("nothing that SMTP knows")
            return True
        assert isinstance(act, str)
        await self.say(*act.splitlines())
        if act.startswith("421"):
            raise _Cut
        return True

    # ---- commands

    async def do_ehlo(self, argument: str) -> None:
        if await self.fault("ehlo", argument):
            return
        self.reset()
        self.greeted = True
        words = [f"fake.example.org greets {argument}", *self.does.extensions]
        if self.does.starttls and not self.connection.encrypted:
            words.append("STARTTLS")
        if self.does.mechanisms and not (self.does.tls_required and not self.connection.encrypted):
            words.append("AUTH " + " ".join(self.does.mechanisms))
        await self.say(*[f"250-{word}" for word in words[:-1]], f"250 {words[-1]}")

    async def do_helo(self, argument: str) -> None:
        if not await self.fault("helo", argument):
            self.reset()
            self.greeted = True
            await self.say("250 fake.example.org")

    async def do_starttls(self, argument: str) -> None:
        if await self.fault("starttls"):
            return
        context = self.server._context
        if context is None:
            await self.say("454 4.7.0 TLS not available")
            return
        end = b"220 2.0.0 ready to start TLS\r\n"
        self.writer.write(end + self.does.after_starttls)
        await self.writer.drain()
        await self.fault("tls")
        await self.writer.start_tls(context, ssl_handshake_timeout=10)
        self.connection.encrypted = True
        self.greeted = False
        self.reset()

    async def do_auth(self, argument: str) -> None:
        if await self.fault("auth", argument):
            return
        if self.does.tls_required and not self.connection.encrypted:
            await self.say("538 5.7.11 encryption required")
            return
        mechanism, _, initial = argument.partition(" ")
        if mechanism.upper() not in self.does.mechanisms:
            await self.say("504 5.5.4 mechanism not offered")
            return
        try:
            user = await self.log_in(mechanism.upper(), initial or None)
        except (ValueError, binascii.Error):
            await self.say("501 5.5.2 cannot decode")
            return
        except Cancelled:
            await self.say("501 5.7.0 authentication cancelled")
            return
        if user is None:
            await self.say("535 5.7.8 authentication failed")
        else:
            self.connection.user = user
            await self.say("235 2.7.0 welcome")

    async def do_mail(self, argument: str) -> None:
        found = re.match(r"FROM:<([^>]*)>\s*(.*)\Z", argument, re.IGNORECASE)
        if found is None:
            await self.say("501 5.5.4 syntax")
            return
        if await self.fault("mail", found[1]):
            return
        most = self.does.messages_per_connection
        if most is not None and self.connection.mails >= most:
            await self.say("421 4.7.0 enough for this connection")
            raise _Cut
        if not self.greeted:
            await self.say("503 5.5.1 EHLO first")
        elif self.does.login_required and self.connection.user is None:
            await self.say("530 5.7.0 authentication required")
        elif self.does.tls_required and not self.connection.encrypted:
            await self.say("530 5.7.0 STARTTLS first")
        elif self.sender is not None:
            self.server.violations.append("MAIL inside a transaction")
            await self.say("503 5.5.1 nested MAIL")
        else:
            self.sender, self.parameters = found[1], found[2]
            await self.say("250 2.1.0 sender ok")

    async def do_rcpt(self, argument: str) -> None:
        found = re.match(r"TO:<([^>]+)>\s*(.*)\Z", argument, re.IGNORECASE)
        if found is None:
            await self.say("501 5.5.4 syntax")
        elif await self.fault("rcpt", found[1]):
            return
        elif self.sender is None:
            await self.say("503 5.5.1 MAIL first")
        else:
            if self.refused_data:
                self.server.violations.append("RCPT joined a transaction that DATA had spoilt")
            self.recipients.append(found[1])
            await self.say("250 2.1.5 recipient ok")

    async def do_data(self, argument: str) -> None:
        if await self.fault("data"):
            self.refused_data = True
            if not self.does.keep_open_after_refused_data:
                self.reset()
            return
        if self.sender is None:
            await self.say("503 5.5.1 MAIL first")
            return
        if not self.recipients:
            self.refused_data = True
            await self.say("554 5.5.1 no valid recipients")
            return
        await self.say("354 go ahead")
        content = await self.read_content()
        early = await self.throw_away() if self.does.nothing_behind_content else 0
        await self.take(content, b"".join(content))
        for _ in range(early):
            await self.say("503 5.5.1 not behind the content")

    async def throw_away(self) -> int:
        """The lines that are there already, unread; how many."""
        lines = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0):
                while await self.reader.readline():
                    lines += 1
        return lines

    async def read_content(self) -> list[bytes]:
        lines: list[bytes] = []
        while True:
            line = await self.reader.readline()
            if not line.endswith(b"\n"):
                raise _Cut
            if line == b".\r\n":
                return lines
            if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
                self.server.violations.append(f"content with a bare CR or LF: {line[:40]!r}")
            lines.append(line[1:] if line.startswith(b".") else line)

    async def do_bdat(self, argument: str) -> None:
        if not self.does.knows_bdat:
            await self.say("500 5.5.2 command not recognised")
            return
        size, _, last = argument.partition(" ")
        chunk = await self.reader.readexactly(int(size))
        if await self.fault("bdat", argument):
            self.refused_data = True
            return
        if self.sender is None or not self.recipients:
            self.refused_data = True
            await self.say("503 5.5.1 no transaction")
            return
        self.chunks.append(chunk)
        if last.upper() == "LAST":
            await self.take(self.chunks, b"".join(self.chunks))
        else:
            await self.say(f"250 2.0.0 {size} octets")

    async def take(self, lines: list[bytes], content: bytes) -> None:
        does = self.does
        refusal = does.faults.get("content")
        if refusal is None and does.authors:
            refusal = does.authors.get(_author(content))
        if refusal is None and does.decide is not None:
            refusal = does.decide("content", self.connection, self.recipients[0] if self.recipients else "")
        if refusal is None and does.judge is not None:
            refusal = does.judge(content)
        if isinstance(refusal, str):
            await self.say(*refusal.splitlines())
            self.reset()
            if refusal.startswith("421"):
                raise _Cut
            return
        if refusal is CUT:
            raise _Cut
        if refusal is HANG:
            await self.reader.read()
            raise _Cut
        if refusal is SLOW:
            await asyncio.sleep(does.slow_seconds)
        connection = self.connection
        self.server.messages.append(
            ReceivedMail(
                self.sender or "",
                list(self.recipients),
                content,
                self.parameters,
                connection.number,
                connection.encrypted,
                connection.user,
            )
        )
        connection.mails += 1
        first = self.recipients[0] if self.recipients else ""
        self.reset()
        if await self.fault("after-content", first):
            return
        await self.say(f"250 2.0.0 taken as {len(self.server.messages)} for {first}")

    async def do_rset(self, argument: str) -> None:
        if not await self.fault("rset"):
            self.reset()
            await self.say("250 2.0.0 reset")

    async def do_noop(self, argument: str) -> None:
        if not await self.fault("noop"):
            await self.say("250 2.0.0 ok")

    async def do_quit(self, argument: str) -> str | None:
        if await self.fault("quit"):
            return None
        self.connection.ended_by_quit = True
        await self.say("221 2.0.0 bye")
        return "end"

    async def response(self, challenge: str) -> bytes:
        await self.say("334 " + challenge)
        self.connection.commands.append("(response)")
        return (await self.reader.readline()).strip()

    def reset(self) -> None:
        self.sender = None
        self.parameters = ""
        self.recipients = []
        self.chunks = []
        self.refused_data = False


def _author(content: bytes) -> str:
    """The address in the header From."""
    return parseaddr(str(BytesHeaderParser(policy=policy.compat32).parsebytes(content)["From"] or ""))[1]


@contextlib.contextmanager
def in_thread(server: FakeServer) -> Iterator[FakeServer]:
    """The server in a thread of its own, for tests that are not asynchronous."""
    loop = asyncio.new_event_loop()
    started, stopping = threading.Event(), asyncio.Event()

    async def main() -> None:
        async with server:
            started.set()
            await stopping.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()), name="fake-smtp", daemon=True)
    thread.start()
    if not started.wait(10):
        raise RuntimeError("the server did not start")
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
        loop.close()
