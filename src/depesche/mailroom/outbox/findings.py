"""What is said about a result that was no acceptance, and about a connection that must rest. Pure."""

from __future__ import annotations

from depesche.mailroom.connections import access
from depesche.mailroom.connections.diagnosis.replies import refusal_of
from depesche.mailroom.mailboxes import MailboxError
from depesche.mailroom.outbox.orders import Fault
from depesche.smtpclient.config import TokenUnavailable
from depesche.smtpclient.errors import Cause, SubmissionError
from depesche.smtpclient.transaction import Outcome, RecipientResult

MOST_WORDS = 1000
_TELLING = (Cause.AUTH_REFUSED, Cause.TOKEN_REFUSED, Cause.GREETING_REFUSED)  # where the reply says more
_LOCAL = {
    "too-large": "The mail is larger than the server permits.",
    "needs-smtputf8": "The address needs SMTPUTF8, which the server does not offer.",
    "needs-eight-bit": "The mail needs 8-bit transport, which the server does not offer.",
}


def words_of(one: RecipientResult, error: SubmissionError | None) -> str:
    """What is shown for a result: the server's words, or ours where it said nothing."""
    if one.reply is not None:
        return str(one.reply)[:MOST_WORDS]
    if one.local is not None:
        return _LOCAL[one.local.value]
    why = f" ({error})" if error is not None else ""
    if one.outcome is Outcome.UNCERTAIN:
        return f"The connection was lost after the content, before the reply{why}."[:MOST_WORDS]
    return f"The connection was lost again and again under this mail{why}."[:MOST_WORDS]


def fault_of(error: SubmissionError) -> Fault:
    if isinstance(error.__cause__, TokenUnavailable):
        return Fault(error.__cause__.code, error.stage.value, error.detail)
    if isinstance(error.__cause__, MailboxError):
        return Fault("mailbox-login", error.stage.value, error.detail)
    if isinstance(error.__cause__, access.NotConfigured):
        return Fault("not-configured", error.stage.value, error.detail)
    reply = str(error.reply) if error.reply is not None else error.detail
    cause = error.cause.value
    if error.reply is not None and error.cause in _TELLING:
        meaning = refusal_of(error.stage, error.reply)
        cause = meaning.value if meaning else cause
    return Fault(cause, error.stage.value, reply[:MOST_WORDS])


def fault_of_result(one: RecipientResult, error: SubmissionError | None) -> Fault:
    if one.reply is None:
        return fault_of(error) if error is not None else Fault("connection-lost", one.stage.value)
    meaning = refusal_of(one.stage, one.reply)
    cause = meaning.value if meaning else "sender-refused"
    return Fault(cause, one.stage.value, str(one.reply)[:MOST_WORDS])
