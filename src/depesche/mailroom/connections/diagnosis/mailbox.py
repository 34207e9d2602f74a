"""The test of a mailbox: find it, reach it, encrypt, log in, open the folder, and what will become of mails
there. Nothing in it is touched.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.db import connections
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from depesche.mailroom.connections import certificates
from depesche.mailroom.connections.diagnosis import causes, probe, remedies
from depesche.mailroom.connections.diagnosis.steps import (
    Outcome,
    Step,
    StepName,
    scrubbed,
    skipped,
)
from depesche.mailroom.connections.fetch import CannotFetch, Protocol, fetch
from depesche.mailroom.mailboxes import Found, MailboxConfig, MailboxError, MailboxStage, open_mailbox
from depesche.mailroom.mailboxes.security import implicit_tls
from depesche.smtpclient.config import Encryption
from depesche.smtpclient.errors import Cause as Failure
from depesche.smtpclient.errors import Stage

_STEP_OF = {
    MailboxStage.CONNECT: StepName.CONNECT,
    MailboxStage.GREETING: StepName.GREETING,
    MailboxStage.TLS: StepName.TLS,
    MailboxStage.LOGIN: StepName.LOGIN,
    MailboxStage.FOLDER: StepName.FOLDER,
}
_AFTER = (StepName.LOGIN, StepName.FOLDER, StepName.TAKING)
_QUIET = 3.0  # seconds without a greeting after which the server is asked whether it waits for TLS
_PROBE = 3.0  # seconds that a question about TLS may take
_LOOK = 0.2  # seconds between two looks whether somebody wants it stopped


def mailbox_order(config: MailboxConfig) -> tuple[StepName, ...]:
    """The steps in the order in which they happen."""
    first = (StepName.RESOLVE, StepName.CONNECT)
    if implicit_tls(config):
        return (*first, StepName.TLS, StepName.GREETING, *_AFTER)
    return (*first, StepName.GREETING, StepName.TLS, *_AFTER)


@dataclass(frozen=True)
class _Event:
    """What the thread that speaks to the server has to say: a stage passed, a failure, or the end."""

    step: StepName | None
    said: str = ""
    ms: int = 0
    error: MailboxError | None = None
    found: Found | None = None


def run_mailbox(config: MailboxConfig, *, stop: threading.Event | None = None) -> Iterator[Step]:
    """The steps as they finish, in the language in force; each wait of the client is bounded by its timeout.

    Where `stop` is set, the step under way counts as stopped; the thread that speaks to the server ends with
    the answer that it waits for.
    """
    events: queue.Queue[_Event] = queue.Queue()
    threading.Thread(
        target=_speak,
        args=(config, events, translation.get_language() or "en"),
        name="depesche-test-mailbox",
        daemon=True,
    ).start()
    left = list(mailbox_order(config))
    while left:
        try:
            event = events.get(timeout=_LOOK)
        except queue.Empty:
            if stop is None or not stop.is_set():
                continue
            yield Step(left[0], Outcome.FAILED, cause=causes.explain(Failure.ABORTED.value))
            yield from map(skipped, left[1:])
            return
        # A line that is lost in its encryption fails at a later step than that of the encryption.
        name = event.step if event.step in left else left[0]
        for missed in left[: left.index(name)]:
            yield _passed(missed, _Event(missed), config)  # a protocol that has no such stage
            left.remove(missed)
        if event.error is not None:
            yield scrubbed(_failed(name, event.error, config, event.ms), [config.password])
            left.remove(name)
            yield from map(skipped, left)
            return
        yield scrubbed(_passed(name, event, config), [config.password])
        left.remove(name)


def _speak(config: MailboxConfig, events: queue.Queue[_Event], language: str) -> None:
    """The thread: open the mailbox, look around, leave."""
    mark = time.perf_counter()

    def ms() -> int:
        nonlocal mark
        before, mark = mark, time.perf_counter()
        return round((mark - before) * 1000)

    greeted = threading.Event()  # or over before that

    def passed(stage: MailboxStage, said: str) -> None:
        if stage is not MailboxStage.CONNECT:
            greeted.set()
        if stage is not MailboxStage.FOLDER:  # which is told with what was found there
            events.put(_Event(_STEP_OF[stage], said, ms()))

    with translation.override(language):
        resolving = True
        try:
            events.put(_Event(StepName.RESOLVE, _addresses(config), ms()))
            resolving = False
            if not implicit_tls(config):
                threading.Thread(
                    target=_ask_for_tls, args=(config, greeted, events), name="depesche-probe", daemon=True
                ).start()
            with open_mailbox(config, passed) as mailbox:
                found = mailbox.look_around()
                events.put(_Event(StepName.FOLDER, ms=ms(), found=found))
                events.put(_Event(StepName.TAKING, found=found))
        except MailboxError as error:
            step = _STEP_OF.get(error.stage, StepName.FOLDER)
            events.put(_Event(StepName.RESOLVE if resolving else step, ms=ms(), error=error))
        except Exception as error:  # whatever a server did to the library: the test says so, and ends
            lost = MailboxError(MailboxStage.FETCH, Failure.PROTOCOL_ERROR, detail=type(error).__name__)
            events.put(_Event(None, ms=ms(), error=lost))
        finally:
            greeted.set()
            connections.close_all()  # those of this thread: tokens are kept in the database


def _ask_for_tls(config: MailboxConfig, greeted: threading.Event, events: queue.Queue[_Event]) -> None:
    """A server that is silent is asked, over another connection, whether it waits for TLS."""
    begun = time.perf_counter()
    if greeted.wait(min(_QUIET, config.timeout / 3)):
        return
    tls = probe.speaks_tls(config.host, config.port, seconds=min(_PROBE, config.timeout))
    if tls and not greeted.is_set():
        error = MailboxError(MailboxStage.GREETING, Failure.TLS_ON_PLAIN_PORT)
        ms = round((time.perf_counter() - begun) * 1000)
        events.put(_Event(StepName.GREETING, ms=ms, error=error))


def _addresses(config: MailboxConfig) -> str:
    try:
        found = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)
    except OSError as error:
        again = isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
        cause = Failure.NAME_LOOKUP_FAILED if again else Failure.NAME_NOT_FOUND
        raise MailboxError(MailboxStage.CONNECT, cause) from None
    return ", ".join(dict.fromkeys(str(address[0]) for *_rest, address in found))


def _passed(name: StepName, event: _Event, config: MailboxConfig) -> Step:
    if name is StepName.TLS and not event.said:
        if config.encryption is Encryption.NONE:
            return skipped(name, _("Not encrypted, as set."))
        return Step(
            name, Outcome.HINT, ms=event.ms, fact=_("Not encrypted: the server offers no encryption.")
        )
    if event.found is not None and name is StepName.FOLDER:
        return Step(name, Outcome.OK, ms=event.ms, fact=_folder(event.found, config))
    if event.found is not None and name is StepName.TAKING:
        return _taking(event.found, config)
    facts = {
        StepName.CONNECT: _("%(host)s, port %(port)s") % {"host": config.host, "port": config.port},
        StepName.LOGIN: _("As %(username)s")
        % {"username": config.login_name or _("the account that consented")},
    }
    lines = (f"S: {event.said}",) if event.said and name is StepName.GREETING else ()
    return Step(name, Outcome.OK, ms=event.ms, fact=facts.get(name) or event.said[:300], transcript=lines)


def _folder(found: Found, config: MailboxConfig) -> str:
    mails = ngettext("%(count)d mail in %(folder)s", "%(count)d mails in %(folder)s", found.mails) % {
        "count": found.mails,
        "folder": config.folder,
    }
    noticed = (
        _("a new one is noticed at once (IDLE)") if found.wakes else _("a look for new ones every minute")
    )
    return f"{mails}; {noticed}"


def _taking(found: Found, config: MailboxConfig) -> Step:
    facts = {
        "move": _("Moved to %(folder)s once stored here."),
        "copy": _("Copied to %(folder)s and removed once stored here; the server cannot move."),
        "remove": _("Removed from the folder once stored here."),
        "delete": _("Deleted once stored here, when the session ends."),
        "mark": _("They stay there; over IMAP they are marked as read."),
        "nothing": _("They stay there as they are."),
    }
    fact = facts[found.takes] % {"folder": config.move_to}
    if found.makes_folder:
        fact += " " + _("The folder will be made with the first one.")
    if found.takes == "nothing":
        return Step(
            StepName.TAKING,
            Outcome.HINT,
            fact=fact,
            cause=causes.explain("mailbox-read-only", _facts(config)),
        )
    return Step(StepName.TAKING, Outcome.OK, fact=fact)


def _facts(config: MailboxConfig) -> dict[str, object]:
    return {
        "host": config.host,
        "port": config.port,
        "username": config.login_name,
        "encryption": config.encryption.value,
        "seconds": f"{config.timeout:g}",
        "folder": config.folder,
    }


def _failed(name: StepName, error: MailboxError, config: MailboxConfig, ms: int) -> Step:
    code = causes.code_of_token(error) or _code(error, name)
    domain = config.host.partition(".")[2]
    change = remedies.mailbox_change(
        code, config.protocol, config.port, username=config.login_name, domain=domain
    )
    cause = replace(causes.explain(code, _facts(config), detail=error.detail), change=change)
    lines = (f"S: {error.reply}",) if error.reply else ()
    if code.startswith("cert-"):
        lines = (*lines, *(line for one in _shown(config) for line in certificates.summary(one)))
    fact = error.reply or error.detail
    return Step(name, Outcome.FAILED, ms=ms, fact=fact[:300], cause=cause, transcript=lines)


def _shown(config: MailboxConfig) -> tuple[certificates.Certificate, ...]:
    """What did not verify, for the transcript; nothing is said over that connection."""
    starttls: Protocol | None = "pop3" if config.protocol == "pop3" else "imap"
    seconds = min(2 * _PROBE, config.timeout)
    try:
        return fetch(
            config.host,
            config.port,
            starttls=None if implicit_tls(config) else starttls,
            trust=config.trust,
            timeout=seconds,
        ).chain
    except CannotFetch:
        return ()


def _code(error: MailboxError, step: StepName) -> str:
    """Connected, and not a word of greeting: mostly a port where TLS begins at once. A folder that the server
    does not open is no broken server."""
    if step is StepName.GREETING and error.cause is Failure.TIMEOUT:
        return "mailbox-silent"
    if error.cause is Failure.TIMEOUT:
        return causes.code_of(error.cause, Stage.CONNECT if step is StepName.CONNECT else Stage.EHLO)
    if step is StepName.FOLDER and error.cause is Failure.PROTOCOL_ERROR:
        return "mailbox-folder"
    code: str = error.cause.value
    return code
