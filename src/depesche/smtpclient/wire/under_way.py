"""One message on its way through a session, and what its replies make of it."""

from __future__ import annotations

from depesche.smtpclient.errors import Stage, SubmissionError
from depesche.smtpclient.reply import Reply
from depesche.smtpclient.transaction import Envelope, Outcome, RecipientResult, Result, outcome_of
from depesche.smtpclient.wire.content import SharedContent
from depesche.smtpclient.wire.plan import Plan


class Learnt:
    """What a server was found to do otherwise than it announced. Shared by all sessions with it, so that it
    is found out only once.

    `chunking`: whether it knows BDAT; None before it was tried. `chunking_refused`: the server itself said
    so; else a trial was cut, which may have other reasons. `behind_content`: whether it takes what follows
    the final dot at once. RFC 2920 §3.1 permits that; but some refuse it, or throw it away, for fear of
    commands that were smuggled in with the content.
    """

    __slots__ = ("behind_content", "chunking", "chunking_refused")

    def __init__(self, *, chunking: bool | None = None) -> None:
        self.chunking = chunking
        self.chunking_refused = False
        self.behind_content = True


class Transaction:
    """One message on its way through one session. `result` is set once it is decided."""

    __slots__ = (
        "begun_at",
        "body",
        "content",
        "data_reply",
        "envelope",
        "final_reply",
        "handed_over",
        "mail_reply",
        "offset",
        "plan",
        "rcpt_replies",
        "result",
        "shared",
    )

    def __init__(self, envelope: Envelope, content: bytes, shared: SharedContent | None = None) -> None:
        """The content is `content`, followed by `shared` where that is given."""
        self.envelope = envelope
        self.content = content
        self.shared = shared
        self.begun_at = 0.0
        self.plan: Plan | None = None
        self.body: bytes = b""
        self.offset = 0
        self.handed_over = False
        self.mail_reply: Reply | None = None
        self.rcpt_replies: list[Reply] = []
        self.data_reply: Reply | None = None
        self.final_reply: Reply | None = None
        self.result: Result | None = None

    def begin_again(self) -> None:
        """Nothing of it was heard: it begins once more."""
        self.plan = None
        self.offset = 0
        self.mail_reply = self.data_reply = self.final_reply = None
        self.rcpt_replies = []

    def never_heard(self) -> None:
        """The server said good-bye before it came to the content, which it has not taken, then."""
        self.handed_over = False

    def decide(self, error: SubmissionError | None) -> Result:
        """The result as far as the replies go. `error`: the session ended before all of them came."""
        envelope, final = self.envelope, self.final_reply
        if final is not None and len(envelope.recipients) == 1 and self._all_taken():
            return Result(
                (RecipientResult(envelope.recipients[0], outcome_of(final), final, Stage.CONTENT),), error
            )
        recipients: list[RecipientResult | None] = [None] * len(envelope.recipients)
        if self.plan is None:
            positions: list[int] = list(range(len(recipients)))
        else:
            positions = list(self.plan.positions)
            for position, refused in self.plan.refused:
                recipients[position] = refused
        for index, position in enumerate(positions):
            recipients[position] = self._one(envelope.recipients[position], index)
        return Result(tuple(one for one in recipients if one is not None), error)

    def _all_taken(self) -> bool:
        mail, rcpts = self.mail_reply, self.rcpt_replies
        return mail is not None and mail.code < 400 and len(rcpts) == 1 and rcpts[0].code < 400

    def _one(self, address: str, index: int) -> RecipientResult:
        mail, rcpts, data, final = self.mail_reply, self.rcpt_replies, self.data_reply, self.final_reply
        if mail is not None and mail.code >= 400:
            return RecipientResult(address, outcome_of(mail), mail, Stage.MAIL)
        if index < len(rcpts) and rcpts[index].code >= 400:
            return RecipientResult(address, outcome_of(rcpts[index]), rcpts[index], Stage.RCPT)
        if data is not None and data.code >= 400:
            return RecipientResult(address, outcome_of(data), data, Stage.DATA)
        if final is not None:
            return RecipientResult(address, outcome_of(final), final, Stage.CONTENT)
        if self.handed_over:
            return RecipientResult(address, Outcome.UNCERTAIN, None, Stage.CONTENT)
        if mail is None:
            stage = Stage.MAIL
        elif index >= len(rcpts):
            stage = Stage.RCPT
        else:
            stage = Stage.DATA if data is None else Stage.CONTENT
        return RecipientResult(address, Outcome.NOT_TRIED, None, stage)
