"""The first steps of a test: reach the server, encrypt, log in."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import UTC, datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from depesche.mailroom.connections import certificates
from depesche.mailroom.connections.certificates import Certificate
from depesche.mailroom.connections.diagnosis import probe
from depesche.mailroom.connections.diagnosis.course import Course, Stopped, name_of, short
from depesche.mailroom.connections.diagnosis.remedies import OTHER_PORTS
from depesche.mailroom.connections.diagnosis.steps import Outcome, Step, StepName, skipped
from depesche.mailroom.connections.fetch import CannotFetch, fetch
from depesche.mailroom.connections.validation import is_this_machine
from depesche.mailroom.mailboxes import login_only
from depesche.smtpclient.config import Encryption
from depesche.smtpclient.errors import Cause as Failure
from depesche.smtpclient.errors import Stage, SubmissionError
from depesche.smtpclient.reply import Reply

_ENDS_SOON = 30  # days
_SHOWS_PASSWORD = frozenset({"PLAIN", "LOGIN"})
_QUIET = 3.0  # seconds without a greeting after which the server is asked whether it waits for TLS
_PROBE = 3.0  # seconds that such a question may take


async def resolve(course: Course) -> Step:
    addresses = await course.session.resolve()
    course.extra = [f"{'AAAA' if ':' in address else 'A':<5} {address}" for address in addresses]
    shown = ", ".join(addresses[:4])
    host = course.plan.config.host
    return Step(StepName.RESOLVE, Outcome.OK, fact=shown if shown == host else f"{host} → {shown}")


async def connect(course: Course) -> Step:
    config = course.plan.config
    try:
        await course.session.connect()
    except SubmissionError as error:
        if error.cause in (Failure.REFUSED, Failure.TIMEOUT):
            others = [port for port in OTHER_PORTS if port != config.port]
            course.answers = await asyncio.to_thread(
                probe.first_open, config.host, others, seconds=min(_PROBE, course.plan.seconds)
            )
        cause, fact = course.cause_of(error), error.detail[:300]
        if course.answers:
            fact += ". " + _("Port %(port)s answers.") % {"port": course.answers}
        raise Stopped(Step(StepName.CONNECT, Outcome.FAILED, fact=fact, cause=cause)) from error
    fact = _("%(host)s, port %(port)s") % {"host": config.host, "port": config.port}
    return Step(StepName.CONNECT, Outcome.OK, fact=fact)


async def greeting(course: Course) -> Step:
    """The greeting. A server that is silent is asked, over another connection, whether it waits for TLS."""
    if course.plan.config.implicit_tls:
        return _greeted(await course.session.greet())
    waiting = asyncio.ensure_future(course.session.greet())
    try:
        quiet = min(_QUIET, course.plan.seconds / 3)
        done, _pending = await asyncio.wait({waiting}, timeout=quiet)
        if not done and await _waits_for_tls(course):
            raise SubmissionError(Stage.GREETING, Failure.TLS_ON_PLAIN_PORT)
        try:
            return _greeted(await waiting)
        except SubmissionError as error:
            # Some hang up when their patience with our silence is at an end.
            mute = error.reply is None and error.cause in (Failure.CONNECTION_LOST, Failure.TIMEOUT)
            if done and mute and await _waits_for_tls(course):
                raise SubmissionError(Stage.GREETING, Failure.TLS_ON_PLAIN_PORT) from error
            raise
    finally:
        waiting.cancel()
        with contextlib.suppress(SubmissionError, asyncio.CancelledError):
            await waiting


def _greeted(reply: Reply) -> Step:
    return Step(StepName.GREETING, Outcome.OK, fact=short(reply))


async def _waits_for_tls(course: Course) -> bool:
    config, seconds = course.plan.config, min(_PROBE, course.plan.seconds)
    return await asyncio.to_thread(probe.speaks_tls, config.host, config.port, seconds=seconds)


async def capabilities(course: Course) -> Step:
    offered = await course.session.ehlo()
    words = [
        f"SIZE {_megabytes(offered.size)}" if name == "SIZE" and offered.size else name
        for name in ("STARTTLS", "PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8", "SIZE")
        if name in offered.keywords
    ]
    if offered.auth:
        words.append("AUTH " + " ".join(offered.auth))
    return Step(StepName.CAPABILITIES, Outcome.OK, fact=", ".join(words) or _("no extensions"))


# --- encryption ---------------------------------------------------------------------------------------------


async def tls(course: Course) -> Step:
    session, config = course.session, course.plan.config
    try:
        if config.implicit_tls:
            await session.handshake()
        elif session.wants_starttls:
            await session.starttls()
        elif config.encryption is Encryption.NONE:
            return skipped(StepName.TLS, _("Not encrypted, as set."))
        elif is_this_machine(config.host):
            return skipped(StepName.TLS, _("Not offered. The server is on this machine."))
        else:
            fact = _("Not offered: the connection stays in the clear.")
            return Step(StepName.TLS, Outcome.HINT, fact=fact, cause=course.explain("in-the-clear"))
    except SubmissionError as error:
        if error.cause.value.startswith("cert-"):
            await _look_at_certificate(course)
        raise
    return _describe(course)


async def _look_at_certificate(course: Course) -> None:
    """What did not verify, for the transcript; nothing is said over that connection."""
    config = course.plan.config

    def look() -> tuple[Certificate, ...]:
        starttls = None if config.implicit_tls else "smtp"
        seconds = min(2 * _PROBE, course.plan.seconds)
        try:
            found = fetch(config.host, config.port, starttls=starttls, trust=config.trust, timeout=seconds)  # type: ignore[arg-type]  # one of the literals
        except CannotFetch:
            return ()
        return found.chain

    chain = await asyncio.to_thread(look)
    for certificate in chain:
        course.extra += certificates.summary(certificate)
    course.names = chain[0].names if chain else ()


def _describe(course: Course) -> Step:
    session = course.session
    version = (session.tls_version or "TLS").replace("TLSv", "TLS ")
    chain = [certificates.from_der(der) for der in session.peer_chain_der]
    known = [certificate for certificate in chain if certificate is not None]
    if not known:
        return Step(StepName.TLS, Outcome.OK, fact=version)
    for certificate in known:
        course.extra += certificates.summary(certificate)
    days = (known[0].not_after - datetime.now(UTC)).days
    left = ngettext("%(days)d day", "%(days)d days", days) % {"days": days}
    if course.plan.config.trust.pins:
        fact = _("%(version)s. The certificate is the trusted one, valid for another %(left)s")
    else:
        fact = _("%(version)s. The certificate fits the name, valid for another %(left)s")
    fact = fact % {"version": version, "left": left}
    if days < _ENDS_SOON:
        return Step(StepName.TLS, Outcome.HINT, fact=fact, cause=course.explain("certificate-ends"))
    return Step(StepName.TLS, Outcome.OK, fact=fact)


# --- login --------------------------------------------------------------------------------------------------


async def mailbox_login_first(course: Course) -> Step | None:
    """ "Connect to the incoming mailbox first": before a word is said to the SMTP server."""
    mailbox = course.plan.mailbox_first
    if mailbox is None:
        return None
    begun = time.perf_counter()
    problem = await course.in_mailbox(mailbox, login_only)
    ms = round((time.perf_counter() - begun) * 1000)
    if problem:
        cause = course.explain("mailbox-login", detail=problem)
        return Step(StepName.LOGIN, Outcome.FAILED, ms=ms, fact=name_of(mailbox), cause=cause)
    fact = _("Logged in to the mailbox first: %(mailbox)s") % {"mailbox": name_of(mailbox)}
    return Step(StepName.LOGIN, Outcome.OK, ms=ms, fact=fact)


async def login(course: Course) -> Step:
    plan = course.plan
    if plan.login_problem:
        cause = course.explain("password-needed", detail=plan.login_problem)
        raise Stopped(Step(StepName.LOGIN, Outcome.FAILED, cause=cause))
    if plan.config.credentials is None:
        return skipped(StepName.LOGIN, _("No authentication is set."))
    mechanism = await course.session.login() or ""
    fact = _("As %(username)s, method %(mechanism)s") % {
        "username": plan.facts["username"],
        "mechanism": mechanism,
    }
    in_clear = not course.session.encrypted and mechanism in _SHOWS_PASSWORD
    if in_clear and not is_this_machine(plan.config.host):
        cause = course.explain("password-in-the-clear")
        return Step(StepName.LOGIN, Outcome.HINT, fact=fact, cause=cause)
    return Step(StepName.LOGIN, Outcome.OK, fact=fact)


def _megabytes(octets: int) -> str:
    return f"{octets / 1_000_000:.0f} MB" if octets >= 1_000_000 else f"{octets / 1000:.0f} KB"
