"""The eleven steps of one test, one after the other, in asyncio. No database, no secret in what it yields."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from depesche.mailroom.connections import certificates
from depesche.mailroom.connections.choices import Auth, Sender
from depesche.mailroom.connections.diagnosis import arrival, causes
from depesche.mailroom.connections.diagnosis.content import test_mail
from depesche.mailroom.connections.diagnosis.plan import MailboxPlan, Plan
from depesche.mailroom.connections.diagnosis.replies import ABOUT_SENDER, Refusal, refusal_of
from depesche.mailroom.connections.diagnosis.steps import (
    Cause,
    Outcome,
    Step,
    StepName,
    order,
    scrubbed,
    skipped,
)
from depesche.mailroom.mailboxes import MailboxError, login_only
from depesche.smtpclient.config import Encryption
from depesche.smtpclient.errors import Cause as Failure
from depesche.smtpclient.errors import Stage, SubmissionError
from depesche.smtpclient.reply import Persistence, Reply
from depesche.smtpclient.session import Session
from depesche.smtpclient.transaction import Envelope, LocalRefusal, RecipientResult
from depesche.smtpclient.transaction import Outcome as Fate
from depesche.smtpclient.transcript import Transcript

_ENDS_SOON = 30  # days
_SLACK = 2.0  # seconds that a step gets beyond the client's own limits
_SHOWS_PASSWORD = frozenset({"PLAIN", "LOGIN"})
_TELLING = frozenset(  # where the reply says more than the cause
    {Failure.AUTH_REFUSED, Failure.AUTH_TEMPORARY, Failure.GREETING_REFUSED, Failure.SERVICE_CLOSING}
)


class Stopped(Exception):
    """The test cannot go on after this step."""

    def __init__(self, step: Step) -> None:
        super().__init__(step.name)
        self.step = step


class Walk:
    """One test. `started` is told which step is under way; setting `stop` ends what blocks in a thread."""

    def __init__(self, plan: Plan, *, started: Callable[[StepName], None], stop: threading.Event) -> None:
        self.plan = plan
        self.names = order(implicit_tls=plan.config.implicit_tls)
        self._started = started
        self._stop = stop
        self._transcript = Transcript()
        self._transcript.hide(*plan.secrets)
        self._session = Session(plan.config, observer=self._transcript)
        self._extra: list[str] = []
        self._lost: SubmissionError | None = None  # while a sender was asked about, at the recipient
        self._system_refused: Reply | None = None
        self._tags_taken = False

    async def steps(self) -> AsyncGenerator[Step, None]:
        """All steps in their order; those that were not reached are skipped."""
        ended = walked = False
        early = await self._mailbox_login_first()
        try:
            for name in self.names:
                if ended:
                    yield skipped(name)
                    continue
                if name is StepName.LOGIN and early is not None:
                    step, ended = early, early.outcome is Outcome.FAILED
                else:
                    step, ended = await self._take(name)
                yield scrubbed(step, self.plan.secrets)
            walked = True
        finally:
            with contextlib.suppress(SubmissionError, OSError):
                # Whoever stopped the test does not want to wait for an answer that is still due.
                await (self._session.quit() if walked else self._session.abort())

    async def _take(self, name: StepName) -> tuple[Step, bool]:
        self._started(name)
        self._extra, mark, begun = [], len(self._transcript.lines), time.perf_counter()
        doing = self._doing(name)
        try:
            limit = None if name is StepName.ARRIVAL else self.plan.seconds + _SLACK
            async with asyncio.timeout(limit):
                step, ended = await doing(), False
        except Stopped as stopped:
            step, ended = stopped.step, True
        except SubmissionError as error:
            step, ended = Step(name, Outcome.FAILED, fact=_said(error), cause=self._cause_of(error)), True
        except TimeoutError:
            step, ended = Step(name, Outcome.FAILED, cause=self._explain(Failure.TIMEOUT.value)), True
        except ValueError as error:
            step, ended = Step(name, Outcome.FAILED, cause=self._explain("unknown", detail=str(error))), True
        ms = round((time.perf_counter() - begun) * 1000)
        lines = (*self._extra, *self._transcript.lines[mark:])
        return replace(step, ms=ms if step.outcome is not Outcome.SKIPPED else None, transcript=lines), ended

    def _doing(self, name: StepName) -> Callable[[], Awaitable[Step]]:
        return {
            StepName.RESOLVE: self._resolve,
            StepName.CONNECT: self._connect,
            StepName.GREETING: self._greeting,
            StepName.CAPABILITIES: self._capabilities,
            StepName.TLS: self._tls,
            StepName.LOGIN: self._login,
            StepName.MAIL_FROM_SYSTEM: self._mail_from_system,
            StepName.MAIL_FROM_USER: self._mail_from_user,
            StepName.RECIPIENT: self._recipient,
            StepName.CONTENT: self._content,
            StepName.ARRIVAL: self._arrival,
        }[name]

    # --- reaching the server --------------------------------------------------------------------------------

    async def _resolve(self) -> Step:
        addresses = await self._session.resolve()
        self._extra = [f"{'AAAA' if ':' in address else 'A':<5} {address}" for address in addresses]
        shown = ", ".join(addresses[:4])
        host = self.plan.config.host
        return Step(StepName.RESOLVE, Outcome.OK, fact=shown if shown == host else f"{host} → {shown}")

    async def _connect(self) -> Step:
        await self._session.connect()
        fact = _("%(host)s, port %(port)s") % {"host": self.plan.config.host, "port": self.plan.config.port}
        return Step(StepName.CONNECT, Outcome.OK, fact=fact)

    async def _greeting(self) -> Step:
        return Step(StepName.GREETING, Outcome.OK, fact=_short(await self._session.greet()))

    async def _capabilities(self) -> Step:
        capabilities = await self._session.ehlo()
        words = [
            f"SIZE {_megabytes(capabilities.size)}" if name == "SIZE" and capabilities.size else name
            for name in ("STARTTLS", "PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8", "SIZE")
            if name in capabilities.keywords
        ]
        if capabilities.auth:
            words.append("AUTH " + " ".join(capabilities.auth))
        return Step(StepName.CAPABILITIES, Outcome.OK, fact=", ".join(words) or _("no extensions"))

    # --- encryption -----------------------------------------------------------------------------------------

    async def _tls(self) -> Step:
        session, encryption = self._session, self.plan.config.encryption
        if self.plan.config.implicit_tls:
            await session.handshake()
        elif session.wants_starttls:
            await session.starttls()
        elif encryption is Encryption.NONE:
            return skipped(StepName.TLS, _("Not encrypted, as set."))
        elif _is_this_machine(self.plan.config.host):
            return skipped(StepName.TLS, _("Not offered. The server is on this machine."))
        else:
            fact = _("Not offered: the connection stays in the clear.")
            return Step(StepName.TLS, Outcome.HINT, fact=fact, cause=self._explain("in-the-clear"))
        return self._describe_tls()

    def _describe_tls(self) -> Step:
        session = self._session
        version = session.tls_version or "TLS"
        version = version.replace("TLSv", "TLS ")
        der = session.peer_certificate_der
        certificate = certificates.from_der(der) if der else None
        if certificate is None:
            return Step(StepName.TLS, Outcome.OK, fact=version)
        self._extra += [
            f"subject  {certificate.subject}",
            f"names    {', '.join(certificate.names)}",
            f"issuer   {certificate.issuer}",
            f"valid    {certificate.not_before:%Y-%m-%d} – {certificate.not_after:%Y-%m-%d}",
            f"key      {certificate.key}",
            f"sha256   {certificates.in_groups(certificate.sha256)}",
        ]
        days = (certificate.not_after - datetime.now(UTC)).days
        left = ngettext("%(days)d day", "%(days)d days", days) % {"days": days}
        if self.plan.config.trust.pins:
            fact = _("%(version)s. The certificate is the trusted one, valid for another %(left)s")
        else:
            fact = _("%(version)s. The certificate fits the name, valid for another %(left)s")
        fact = fact % {"version": version, "left": left}
        if days < _ENDS_SOON:
            return Step(StepName.TLS, Outcome.HINT, fact=fact, cause=self._explain("certificate-ends"))
        return Step(StepName.TLS, Outcome.OK, fact=fact)

    # --- login ----------------------------------------------------------------------------------------------

    async def _mailbox_login_first(self) -> Step | None:
        """ "Connect to the incoming mailbox first": before a word is said to the SMTP server."""
        mailbox = self.plan.mailbox_first
        if mailbox is None:
            return None
        self._started(StepName.LOGIN)
        begun = time.perf_counter()
        problem = await self._in_mailbox(mailbox, login_only)
        ms = round((time.perf_counter() - begun) * 1000)
        if problem:
            cause = self._explain("mailbox-login", detail=problem)
            return Step(StepName.LOGIN, Outcome.FAILED, ms=ms, fact=_name_of(mailbox), cause=cause)
        fact = _("Logged in to the mailbox first: %(mailbox)s") % {"mailbox": _name_of(mailbox)}
        return Step(StepName.LOGIN, Outcome.OK, ms=ms, fact=fact)

    async def _login(self) -> Step:
        if self.plan.login_problem:
            cause = self._explain("password-needed", detail=self.plan.login_problem)
            raise Stopped(Step(StepName.LOGIN, Outcome.FAILED, cause=cause))
        if self.plan.config.credentials is None:
            return skipped(StepName.LOGIN, _("No authentication is set."))
        mechanism = await self._session.login() or ""
        fact = _("As %(username)s, method %(mechanism)s") % {
            "username": self.plan.facts["username"],
            "mechanism": mechanism,
        }
        in_clear = not self._session.encrypted and mechanism in _SHOWS_PASSWORD
        if in_clear and not _is_this_machine(self.plan.config.host):
            cause = self._explain("password-in-the-clear")
            return Step(StepName.LOGIN, Outcome.HINT, fact=fact, cause=cause)
        return Step(StepName.LOGIN, Outcome.OK, fact=fact)

    # --- sender and recipient -------------------------------------------------------------------------------

    async def _mail_from_system(self) -> Step:
        address = self.plan.settings.system_address
        reply = await self._ask_sender(address)
        if reply.positive:
            return Step(StepName.MAIL_FROM_SYSTEM, Outcome.OK, fact=_accepted(address))
        cause = self._refused(Stage.MAIL, reply, address)
        fact = _refused(address, reply)
        raise Stopped(Step(StepName.MAIL_FROM_SYSTEM, Outcome.FAILED, fact=fact, cause=cause))

    async def _mail_from_user(self) -> Step:
        name, address = StepName.MAIL_FROM_USER, self.plan.user_address
        if self._lost is not None:
            return skipped(name)
        if not address:
            return skipped(name, _("No address of a person is known."))
        reply = await self._ask_sender(address)
        if reply.positive:
            return Step(name, Outcome.OK, fact=_accepted(address))
        cause = self._refused(Stage.MAIL, reply, address)
        fact = _refused(address, reply)
        if self.plan.settings.sender == Sender.SYSTEM:
            remedy = _("With “Sender address: System”, as chosen now, this does no harm.")
            cause = replace(cause, remedy=remedy, change=None)
            return Step(name, Outcome.HINT, fact=fact, cause=cause, refused=True)
        remedy = _("Set the sender address to System. Answers still reach the item.")
        cause = replace(cause, remedy=remedy, change={"sender": Sender.SYSTEM.value})
        return Step(name, Outcome.FAILED, fact=fact, cause=cause, refused=True)

    async def _ask_sender(self, address: str) -> Reply:
        """What the server has against this sender: some say it at MAIL, Postfix only at RCPT."""
        session = self._session
        reply = await session.try_sender(address)
        if reply.positive:
            try:
                later = await session.try_recipient(self.plan.to)
            except SubmissionError as error:
                self._lost = error  # what happens to the recipient belongs to the recipient's step
                return reply
            if not later.positive and refusal_of(Stage.RCPT, later) in ABOUT_SENDER:
                reply = later
        await session.rset()
        return reply

    async def _recipient(self) -> Step:
        session, address = self._session, self.plan.to
        if self._lost is not None:
            raise self._lost
        await session.try_sender(self.plan.settings.system_address)
        reply = await session.try_recipient(address)
        if reply.positive and self._watches_arrival:
            system = await session.try_recipient(self.plan.settings.system_address)
            self._system_refused = None if system.positive else system
            if self.plan.tagged_address:
                self._tags_taken = (await session.try_recipient(self.plan.tagged_address)).positive
        await session.rset()
        if reply.positive:
            return Step(StepName.RECIPIENT, Outcome.OK, fact=_accepted(address))
        cause = self._refused(Stage.RCPT, reply, address)
        fact = _refused(address, reply)
        raise Stopped(Step(StepName.RECIPIENT, Outcome.FAILED, fact=fact, cause=cause))

    @property
    def _watches_arrival(self) -> bool:
        """Whether the system address gets the test mail too, so that its arrival can be watched."""
        return self.plan.arrival is not None and not self._same_address

    @property
    def _same_address(self) -> bool:
        return self.plan.to.lower() == self.plan.settings.system_address.lower()

    # --- content and arrival --------------------------------------------------------------------------------

    async def _content(self) -> Step:
        system = self.plan.settings.system_address
        recipients = [self.plan.to]
        if self._watches_arrival and self._system_refused is None:
            recipients.append(system)
            if self._tags_taken:
                recipients.append(self.plan.tagged_address)
        mail = test_mail(self.plan, now=timezone.now())
        self._session.ready()
        result = await self._session.submit(Envelope(system, tuple(recipients)), mail)
        first = result.recipients[0]
        if first.outcome is Fate.ACCEPTED:
            return Step(StepName.CONTENT, Outcome.OK, fact=_short(first.reply))
        raise Stopped(
            Step(
                StepName.CONTENT, Outcome.FAILED, fact=_short(first.reply), cause=self._cause_of_result(first)
            )
        )

    async def _arrival(self) -> Step:
        name, mailbox = StepName.ARRIVAL, self.plan.arrival
        if mailbox is None:
            return skipped(name, self.plan.no_arrival)
        address = self.plan.settings.system_address
        if self._system_refused is not None:
            fact = _refused(address, self._system_refused)
            cause = self._explain("mailbox-not-addressed", address=address)
            return Step(name, Outcome.FAILED, fact=fact, cause=cause)
        found = arrival.Arrival()

        def look(config: Any) -> None:
            nonlocal found
            found = arrival.wait_for(
                config,
                self.plan.message_id,
                tagged=self.plan.tagged_address if self._tags_taken else "",
                seconds=self.plan.seconds,
                stop=self._stop,
            )

        problem = await self._in_mailbox(mailbox, look)
        if problem:
            cause = self._explain("mailbox-unreachable", detail=problem)
            return Step(name, Outcome.FAILED, fact=_name_of(mailbox), cause=cause)
        if found.arrived:
            fact = _("Found in %(mailbox)s") % {"mailbox": _name_of(mailbox)}
            if found.tagged:
                fact += ". " + _("Addresses with a tag arrive too")
            return Step(name, Outcome.OK, fact=fact, proves_tags=found.tagged)
        cause = self._explain("not-arrived", address=address)
        return Step(name, Outcome.FAILED, fact=_name_of(mailbox), cause=cause)

    async def _in_mailbox(self, mailbox: MailboxPlan, work: Callable[[Any], None]) -> str:
        """Do something blocking in the mailbox; the reason in words when it cannot be done."""
        if mailbox.config is None:
            return mailbox.problem
        try:
            await asyncio.to_thread(work, mailbox.config)
        except MailboxError as error:
            facts = {
                "host": mailbox.config.host,
                "port": mailbox.config.port,
                "username": mailbox.config.username,
            }
            cause = causes.explain(error.cause.value, {**self.plan.facts, **facts})
            said = f" ({error.reply})" if error.reply else ""
            return f"{cause.title}. {cause.sentence}{said}"
        return ""

    # --- causes ---------------------------------------------------------------------------------------------

    def _explain(self, code: str, **more: object) -> Cause:
        return causes.explain(code, self.plan.facts, **more)

    def _refused(self, stage: Stage, reply: Reply, address: str) -> Cause:
        fallback = Refusal.SERVER_TROUBLE if reply.persistence is Persistence.TRANSIENT else "unknown"
        meaning = refusal_of(stage, reply) or fallback
        return self._explain(meaning, address=address, detail=str(reply))

    def _cause_of(self, error: SubmissionError) -> Cause:
        code: str = error.cause.value
        if error.reply is not None and error.cause in _TELLING:
            code = refusal_of(error.stage, error.reply) or code
        cause = self._explain(code, detail=error.detail, names="")
        if code == Failure.AUTH_REFUSED.value:
            return _with_full_address(cause, self.plan)
        return cause

    def _cause_of_result(self, found: RecipientResult) -> Cause:
        address = self.plan.to
        if found.outcome is Fate.UNCERTAIN:
            return self._explain("uncertain", address=address)
        if found.local is LocalRefusal.TOO_LARGE:
            return self._explain(Refusal.TOO_LARGE)
        if found.local is LocalRefusal.NEEDS_SMTPUTF8:
            return self._explain("needs-smtputf8", address=address)
        if found.reply is None:
            return self._explain(Failure.CONNECTION_LOST.value)
        if found.stage in (Stage.DATA, Stage.CONTENT):
            address = self.plan.settings.system_address
        return self._refused(found.stage, found.reply, address)


def _with_full_address(cause: Cause, plan: Plan) -> Cause:
    """A user name that is only the first half of an address is the most frequent mistake."""
    settings = plan.settings
    if settings.auth == Auth.PASSWORD and settings.username and "@" not in settings.username:
        domain = settings.system_address.rpartition("@")[2]
        return replace(cause, change={"username": f"{settings.username}@{domain}"})
    return cause


def _said(error: SubmissionError) -> str:
    return _short(error.reply) if error.reply is not None else error.detail[:300]


def _short(reply: Reply | None) -> str:
    return str(reply)[:300] if reply is not None else ""


def _accepted(address: str) -> str:
    return _("%(address)s is accepted") % {"address": address}


def _refused(address: str, reply: Reply) -> str:
    return _("%(address)s is refused: %(reply)s") % {"address": address, "reply": _short(reply)}


def _name_of(mailbox: MailboxPlan) -> str:
    config = mailbox.config
    return f"{config.username}, {config.host}:{config.port}" if config is not None else ""


def _megabytes(octets: int) -> str:
    return f"{octets / 1_000_000:.0f} MB" if octets >= 1_000_000 else f"{octets / 1000:.0f} KB"


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
