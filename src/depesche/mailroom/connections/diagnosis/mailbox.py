"""The test of a mailbox: reach it, encrypt, log in, open the inbox. Nothing in it is touched."""

from __future__ import annotations

import time
from collections.abc import Iterator

from django.utils.translation import gettext as _

from depesche.mailroom.connections.diagnosis import causes
from depesche.mailroom.connections.diagnosis.steps import (
    MAILBOX_ORDER,
    Outcome,
    Step,
    StepName,
    scrubbed,
    skipped,
)
from depesche.mailroom.mailboxes import MailboxConfig, MailboxError, MailboxStage, open_mailbox
from depesche.smtpclient.config import Encryption

_STEP_OF = {
    MailboxStage.CONNECT: StepName.CONNECT,
    MailboxStage.TLS: StepName.TLS,
    MailboxStage.LOGIN: StepName.LOGIN,
}


def run_mailbox(config: MailboxConfig) -> Iterator[Step]:
    """The four steps, in the language in force. Blocks; each wait of the client is bounded by its timeout."""
    begun = time.perf_counter()
    failure: MailboxError | None = None
    try:
        with open_mailbox(config):
            pass
    except MailboxError as error:
        failure = error
    ms = round((time.perf_counter() - begun) * 1000)
    stopped = _STEP_OF.get(failure.stage, StepName.FOLDER) if failure is not None else None
    done = False
    for name in MAILBOX_ORDER:
        if done:
            yield skipped(name)
        elif name is stopped and failure is not None:
            yield scrubbed(_failed(name, failure, config, ms), [config.password])
            done = True
        else:
            # The client takes all steps in one go, so that only their sum can be told.
            yield _passed(name, config, ms if name is MAILBOX_ORDER[-1] else None)


def _passed(name: StepName, config: MailboxConfig, ms: int | None) -> Step:
    if name is StepName.TLS and config.encryption is Encryption.NONE:
        return skipped(name, _("Not encrypted, as set."))
    if name is StepName.TLS and config.encryption is Encryption.TLS_IF_AVAILABLE:
        return Step(name, Outcome.OK, ms=ms, fact=_("As far as the server offers it."))
    facts = {
        StepName.CONNECT: _("%(host)s, port %(port)s") % {"host": config.host, "port": config.port},
        StepName.TLS: _("Encrypted, and the certificate is trusted."),
        StepName.LOGIN: _("As %(username)s")
        % {"username": config.login_name or _("the account that consented")},
        StepName.FOLDER: config.folder,
    }
    return Step(name, Outcome.OK, ms=ms, fact=facts[name])


def _failed(name: StepName, error: MailboxError, config: MailboxConfig, ms: int) -> Step:
    facts = {
        "host": config.host,
        "port": config.port,
        "username": config.login_name,
        "encryption": config.encryption.value,
        "seconds": f"{config.timeout:g}",
    }
    code = causes.code_of_token(error) or error.cause.value
    cause = causes.explain(code, facts, detail=error.detail)
    lines = (f"S: {error.reply}",) if error.reply else ()
    fact = error.reply or error.detail
    return Step(name, Outcome.FAILED, ms=ms, fact=fact[:300], cause=cause, transcript=lines)
