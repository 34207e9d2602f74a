"""What the steps of one test share: the plan, the session, what was found so far, and how a cause is told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from depesche.mailroom.connections import access, queries
from depesche.mailroom.connections.diagnosis import causes, remedies
from depesche.mailroom.connections.diagnosis.plan import MailboxPlan, Plan
from depesche.mailroom.connections.diagnosis.remedies import Situation
from depesche.mailroom.connections.diagnosis.replies import Refusal, refusal_of
from depesche.mailroom.connections.diagnosis.steps import Cause, Step
from depesche.mailroom.mailboxes import MailboxError
from depesche.smtpclient.config import Encryption
from depesche.smtpclient.errors import Cause as Failure
from depesche.smtpclient.errors import Stage, SubmissionError
from depesche.smtpclient.reply import Persistence, Reply
from depesche.smtpclient.session import Session
from depesche.smtpclient.transaction import LocalRefusal, RecipientResult
from depesche.smtpclient.transaction import Outcome as Fate
from depesche.smtpclient.transcript import Transcript

_TELLING = frozenset(  # where the reply says more than the cause
    {
        Failure.AUTH_REFUSED,
        Failure.TOKEN_REFUSED,
        Failure.AUTH_TEMPORARY,
        Failure.GREETING_REFUSED,
        Failure.SERVICE_CLOSING,
    }
)


class Stopped(Exception):
    """The test cannot go on after this step."""

    def __init__(self, step: Step) -> None:
        super().__init__(step.name)
        self.step = step


class Course:
    """One test under way."""

    def __init__(self, plan: Plan, stop: threading.Event) -> None:
        self.plan = plan
        self.stop = stop
        self.transcript = Transcript()
        self.transcript.hide(*plan.secrets)
        self.session = Session(plan.config, observer=self.transcript)
        self.extra: list[str] = []  # lines of the step under way, before the dialogue's
        self.lost: SubmissionError | None = None  # while a sender was asked about, at the recipient
        self.system_refused: Reply | None = None
        self.tags_taken = False
        self.undecided = False  # whether the refused From is meant, or any mail would have been refused
        self.names: tuple[str, ...] = ()  # in the certificate that was shown
        self.answers: int | None = None  # another port at which something listens

    async def reopen(self) -> None:
        """A new session up to the login, in place of one that was lost. Raises SubmissionError."""
        await self.session.abort()
        self.session = Session(self.plan.config, observer=self.transcript)
        await self.session.start(ready=False)

    def cut(self) -> bool:
        """Whether the session was lost while a sender was asked about."""
        return self.lost is not None

    @property
    def watches_arrival(self) -> bool:
        """Whether the system address gets the test mail too, so that its arrival can be watched."""
        return self.plan.arrival is not None and not self.to_itself

    @property
    def to_itself(self) -> bool:
        return self.plan.to.lower() == self.plan.settings.system_address.lower()

    async def in_mailbox(self, mailbox: MailboxPlan, work: Callable[[Any], None]) -> str:
        """Do something blocking in the mailbox; the reason in words when it cannot be done."""
        if mailbox.config is None:
            return mailbox.problem
        try:
            await asyncio.to_thread(work, mailbox.config)
        except MailboxError as error:
            facts = {
                "host": mailbox.config.host,
                "port": mailbox.config.port,
                "username": mailbox.config.login_name,
            }
            code = causes.code_of_token(error) or error.cause.value
            cause = causes.explain(code, {**self.plan.facts, **facts}, detail=error.detail)
            said = f" ({error.reply})" if error.reply else ""
            return f"{cause.title}. {cause.sentence}{said}"
        return ""

    # --- causes ---------------------------------------------------------------------------------------------

    def explain(self, code: str, **more: object) -> Cause:
        """The cause, with the setting that sets it right as things stand here."""
        cause = causes.explain(code, self.plan.facts, **more)
        return replace(cause, change=remedies.change_for(cause.code, self._situation()))

    def refused(self, stage: Stage, reply: Reply, address: str) -> Cause:
        """Why the server said no to this sender, recipient or content."""
        return self.explain(meaning_of(stage, reply), address=address, detail=str(reply))

    def cause_of(self, error: SubmissionError) -> Cause:
        """Why the session could not be opened, or was lost."""
        code = causes.code_of_token(error) or causes.code_of(error.cause, error.stage)
        if error.reply is not None and error.cause in _TELLING:
            code = refusal_of(error.stage, error.reply) or code
        if error.cause is Failure.AUTH_NOT_OFFERED and self._could_encrypt:
            code = "login-needs-tls"
        return self.explain(code, detail=error.detail, names=causes.names_in_it(self.names))

    def cause_of_result(self, found: RecipientResult, author: str) -> Cause:
        """Why a mail with this From did not get through."""
        address = self.plan.to
        if found.outcome is Fate.UNCERTAIN:
            return self.explain("uncertain", address=address)
        if found.local is LocalRefusal.TOO_LARGE:
            return self.explain(Refusal.TOO_LARGE)
        if found.local is LocalRefusal.NEEDS_SMTPUTF8:
            return self.explain("needs-smtputf8", address=address)
        if found.reply is None:
            return self.explain(Failure.CONNECTION_LOST.value)
        if found.stage in (Stage.DATA, Stage.CONTENT):
            address = author
        return self.refused(found.stage, found.reply, address)

    @property
    def _could_encrypt(self) -> bool:
        offered = self.session.capabilities.starttls
        return offered and not self.session.encrypted and self.plan.config.encryption is Encryption.NONE

    def _situation(self) -> Situation:
        settings, incoming = self.plan.settings, queries.IncomingSettings()
        incoming = self.plan.incoming or incoming
        return Situation(
            settings=settings,
            has_mailbox=incoming.is_mailbox,
            mailbox_login=bool(incoming.is_mailbox and incoming.username)
            and access.may_share_mailbox_password(settings, incoming),
            starttls_offered=self.session.capabilities.starttls,
            encrypted=self.session.encrypted,
            names=self.names,
            answers=self.answers,
        )


def meaning_of(stage: Stage, reply: Reply) -> str:
    """The code of a refusal."""
    fallback = Refusal.SERVER_TROUBLE if reply.persistence is Persistence.TRANSIENT else "unknown"
    return refusal_of(stage, reply) or fallback


def short(reply: Reply | None) -> str:
    """A reply as a fact of its step."""
    return str(reply)[:300] if reply is not None else ""


def name_of(mailbox: MailboxPlan) -> str:
    """A mailbox as a fact."""
    config = mailbox.config
    return f"{config.login_name}, {config.host}:{config.port}" if config is not None else ""
