"""When a server refuses whom a mail is from: does the mail go again under the system address? Pure (M13).

Strategy. A refusal speaks of the sender clearly (its words or its enhanced status code say so), or perhaps
(it names no more than a policy, after the content). In both cases the mail goes again, once, as "Jane Doe via
Your Server" from the system address; a rule for the whole domain follows only from clear words. What a
refusal says against the system address itself is no matter of a single mail: see suspects.py.
"""

from __future__ import annotations

import enum
import re

from depesche.mailroom.connections.diagnosis.replies import ABOUT_SENDER, Refusal, refusal_of
from depesche.mailroom.connections.sender_policy import FromDecision, Refused
from depesche.smtpclient.errors import Stage
from depesche.smtpclient.reply import Reply
from depesche.smtpclient.transaction import Outcome, RecipientResult

_STAGES = frozenset({Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.CONTENT})
_AFTER_CONTENT = frozenset({Stage.DATA, Stage.CONTENT})
# Security and policy, without saying which (RFC 3463; 5.7.9 is Yahoo's for DMARC), or no more than no.
_POLICY = frozenset({(7, 0), (7, 1), (7, 9)})
_PLAIN_NO = frozenset({550, 553, 554})


class Says(enum.Enum):
    """Whether a refusal concerns whom the mail is from."""

    CLEARLY = "clearly"
    PERHAPS = "perhaps"
    NO = "no"


def speaks_of_sender(result: RecipientResult) -> Says:
    """Whether this refusal may be about the sender. A transient one never is: it is simply tried later."""
    reply = result.reply
    if result.outcome is not Outcome.REFUSED or reply is None or result.stage not in _STAGES:
        return Says.NO
    meaning = refusal_of(result.stage, reply)
    if meaning in ABOUT_SENDER:
        return Says.CLEARLY
    if result.stage in _AFTER_CONTENT and meaning in (None, Refusal.CONTENT_REFUSED):
        status = reply.enhanced
        vague = reply.code in _PLAIN_NO if status is None else status[1:] in _POLICY
        return Says.PERHAPS if vague else Says.NO
    return Says.NO


def names(reply: Reply, address: str) -> bool:
    """Whether the server's words name this address."""
    return bool(address) and address.casefold() in reply.text.casefold()


def rewrites(result: RecipientResult, made: FromDecision, system_address: str) -> Refused | None:
    """What the server has against the From of this mail, where the mail shall go again under the system
    address; None where that would not help: it came from there, or the words name the system address.
    """
    reply = result.reply
    if not made.domain or reply is None or speaks_of_sender(result) is Says.NO:
        return None
    address = made.author.addr_spec
    if result.stage not in _AFTER_CONTENT and not names(reply, address):
        # Before the content the server knows the reverse-path alone. Where that is the system address and is
        # named, another From changes nothing.
        if names(reply, system_address):
            return None
        if made.reverse_path.casefold() != system_address.casefold():
            address = made.reverse_path
    meaning = refusal_of(result.stage, reply)
    return Refused(
        address=address,
        domain=address.rpartition("@")[2].lower(),
        cause=(meaning or Refusal.SENDER_REFUSED).value,
        stage=result.stage.value,
        reply=str(reply)[:1000],
    )


def is_systems(stage: Stage, made: FromDecision, system_address: str) -> bool:
    """Whether what the server has judged at this stage is the system address: before the content that is the
    reverse-path, whoever the mail is from.
    """
    if stage in _AFTER_CONTENT:
        return not made.domain
    return made.reverse_path.casefold() == system_address.casefold()


def recalled(refused: Refused, made: FromDecision) -> Refused | None:
    """The refusal of an earlier attempt, of which stage and words are on record; `made`: what the mail's From
    is where nothing was refused.
    """
    code, _space, words = refused.reply.partition(" ")
    if not re.fullmatch("5[0-9][0-9]", code) or refused.stage not in {stage.value for stage in _STAGES}:
        return None
    reply, stage = Reply(int(code), words), Stage(refused.stage)
    return rewrites(RecipientResult("", Outcome.REFUSED, reply, stage), made, "")


def has_reply_to(header: bytes, content: bytes) -> bool:
    """Whether the recipient's own header lines, or those of the content, say where answers go."""
    shared = content.partition(b"\r\n\r\n")[0]
    return any(b"\nreply-to:" in b"\n" + lines.lower() for lines in (header, shared))


class Learning:
    """Which refusals make a rule: a clear one at once, vague ones when they agree `enough` times."""

    def __init__(self, enough: int = 3) -> None:
        self._enough = enough
        self._vague: dict[str, int] = {}

    def accepted(self, refused: Refused) -> bool:
        """The rewritten mail was accepted: whether the rule is certain now."""
        if refused.cause != Refusal.CONTENT_REFUSED.value and refused.cause in _CLEAR:
            return True
        if len(self._vague) > 1000:
            self._vague.clear()
        count = self._vague[refused.domain] = self._vague.get(refused.domain, 0) + 1
        return count >= self._enough

    def forget(self) -> None:
        """Settings changed: what was seen before says nothing now."""
        self._vague.clear()


_CLEAR = frozenset(meaning.value for meaning in ABOUT_SENDER)
