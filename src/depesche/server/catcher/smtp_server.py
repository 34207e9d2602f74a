"""The catcher's SMTP side: aiosmtpd with PIPELINING and CHUNKING, which it lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

MAX_SIZE = 50 * 1024 * 1024  # octets
_MAX_RECIPIENTS = 1000

Deliver = Callable[[bytes, str, Sequence[str]], None]


class CatcherSMTP(SMTP):
    """aiosmtpd's server, plus BDAT (RFC 3030)."""

    _chunks: bytearray

    def _end_transaction(self) -> None:
        self.envelope = self._create_envelope()

    async def smtp_BDAT(self, arg: str | None) -> None:
        words = (arg or "").upper().split()
        if not words or not words[0].isdecimal() or len(words[0]) > 9 or words[1:] not in ([], ["LAST"]):
            # The length is unknown, so the octets that follow cannot be told from commands.
            await self.push("501 5.5.4 Syntax: BDAT length [LAST]")
            self._writer.close()
            return
        octets = await self._reader.readexactly(int(words[0]))
        envelope = self.envelope
        if envelope is None or not envelope.rcpt_tos:
            await self.push("503 5.5.1 Error: need RCPT command")
            return
        collected = envelope.__dict__.setdefault("chunks", bytearray())
        if len(collected) + len(octets) > MAX_SIZE:
            self._end_transaction()
            await self.push("552 5.3.4 Error: Too much mail data")
            return
        collected += octets
        if not words[1:]:
            await self.push(f"250 2.0.0 {len(octets)} octets received")
            return
        envelope.content = envelope.original_content = bytes(collected)
        status = await self.event_handler.handle_DATA(self, self.session, envelope)
        self._end_transaction()
        await self.push(status)


class CatcherHandler:
    """Hands each whole mail to `deliver` in a thread, and answers 250 only when that has returned."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        extra = ["250-PIPELINING", "250-CHUNKING", "250-ENHANCEDSTATUSCODES"]
        return [*responses[:-1], *extra, responses[-1]]

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= _MAX_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session | None, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        try:
            await asyncio.to_thread(
                self._deliver, content, envelope.mail_from or "", tuple(envelope.rcpt_tos)
            )
        except OSError as error:
            return f"452 4.3.1 The catcher could not keep the mail: {error.strerror}"
        return "250 2.0.0 Ok: caught"


class CatcherController(Controller):
    """The catcher in a thread of its own: `start()` returns once it listens, `stop()` ends it."""

    def __init__(self, deliver: Deliver, *, host: str, port: int) -> None:
        super().__init__(CatcherHandler(deliver), hostname=host, port=port, ready_timeout=10)

    def factory(self) -> Any:
        return CatcherSMTP(
            self.handler,
            data_size_limit=MAX_SIZE,
            enable_SMTPUTF8=True,
            ident="Depesche mail catcher",
            hostname="catcher.localhost",
        )
