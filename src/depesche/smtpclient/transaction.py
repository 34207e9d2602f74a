"""What is handed over and what became of it: `Envelope` in, `Result` out, one outcome for each recipient."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from depesche.smtpclient.errors import Stage, SubmissionError
from depesche.smtpclient.reply import Reply

# RFC 5321 §4.5.3.1 permits 256 octets for a path, brackets included. The 64 octets for a local part are not
# enforced: signed return addresses are longer in real life, and the server has the last word anyway.
_MAX_ADDRESS = 254
_MAX_RECIPIENTS = 1000
# By far the most addresses: nothing in them needs a closer look.
_PLAIN = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,120}@[A-Za-z0-9.-]{1,120}").fullmatch
_DELIMITERS = re.compile(r"[ <>]")
_QUOTED = re.compile(r'"(?:[^"\\<>]|\\[^<>])*"@[^ <>]+\Z')  # a quoted local part may hold spaces
_MOST_KNOWN = 4096
_OPTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(?:=[!-<>-~]{1,100})?\Z")


def _check_address(address: str) -> None:
    if _PLAIN(address):
        return
    if not address.isprintable() or (_DELIMITERS.search(address) and not _QUOTED.match(address)):
        raise ValueError("an address must hold no space, no angle bracket and no control character")
    local, at, domain = address.rpartition("@")
    if not (at and local and domain) and address.lower() != "postmaster":
        raise ValueError("an address has the form local-part@domain")
    if len(address.encode("utf-8")) > _MAX_ADDRESS:
        raise ValueError(f"an address has at most {_MAX_ADDRESS} octets")


@lru_cache(_MOST_KNOWN)
def _check_reverse_path(address: str) -> None:
    """Thousands of mails share a reverse-path: it is looked at once."""
    _check_address(address)


@dataclass(frozen=True, init=False)
class Envelope:
    """What SMTP sees: where bounces go (empty: nowhere, the null reverse-path) and who gets the content.

    The constructor raises ValueError for whatever could not stand safely in a command: control characters,
    spaces, angle brackets, addresses without domain or longer than 254 octets, no recipient, more than 1000.
    `options` are further parameters of MAIL, such as ``RET=HDRS``; those of an extension that the server does
    not offer are left out.
    """

    reverse_path: str
    recipients: tuple[str, ...]
    options: tuple[str, ...] = ()

    # By hand: what a frozen dataclass makes of itself takes half as long again, for each mail.
    def __init__(self, reverse_path: str, recipients: Iterable[str], options: tuple[str, ...] = ()) -> None:
        if isinstance(recipients, str):
            raise TypeError("recipients is a tuple of addresses, not one address")
        recipients = tuple(recipients)
        if not 1 <= len(recipients) <= _MAX_RECIPIENTS:
            raise ValueError(f"an envelope has 1 to {_MAX_RECIPIENTS} recipients")
        if reverse_path:
            _check_reverse_path(reverse_path)
        for recipient in recipients:
            _check_address(recipient)
        for option in options:
            if not _OPTION.match(option):
                raise ValueError("an option has the form KEYWORD or KEYWORD=value")
        self.__dict__.update(reverse_path=reverse_path, recipients=recipients, options=options)

    @property
    def smtputf8(self) -> bool:
        """Whether an address cannot be written in ASCII as it stands (RFC 6531)."""
        return not (self.reverse_path.isascii() and all(map(str.isascii, self.recipients)))


class Outcome(enum.Enum):
    """What became of one recipient.

    ACCEPTED: the server took responsibility (2xx after the content). DEFERRED: 4xx, later it may work.
    REFUSED: 5xx, or refused by ourselves before a word was said. UNCERTAIN: all content was handed over and
    the reply was never read: the server may have it or not. NOT_TRIED: it certainly does not have it.
    """

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    NOT_TRIED = "not-tried"


class LocalRefusal(enum.Enum):
    """Why we did not even ask the server."""

    TOO_LARGE = "too-large"
    NEEDS_SMTPUTF8 = "needs-smtputf8"
    NEEDS_EIGHT_BIT = "needs-eight-bit"


class RecipientResult(NamedTuple):
    """The outcome for one recipient, with the reply that decided it and the stage at which it came."""

    address: str
    outcome: Outcome
    reply: Reply | None
    stage: Stage
    detail: str = ""
    local: LocalRefusal | None = None


class Result(NamedTuple):
    """What became of one transaction. `recipients` stand in the order of the envelope.

    `error` is set when the session was lost under it.
    """

    recipients: tuple[RecipientResult, ...]
    error: SubmissionError | None = None

    @property
    def accepted(self) -> bool:
        """Whether every recipient was accepted."""
        for one in self.recipients:  # noqa: SIM110  once for each mail: a generator costs more than the rest
            if one.outcome is not Outcome.ACCEPTED:
                return False
        return True

    @property
    def decided(self) -> bool:
        """Whether there is anything to write down: not every recipient is simply untried."""
        return any(one.outcome is not Outcome.NOT_TRIED for one in self.recipients)

    def with_outcome(self, outcome: Outcome) -> Iterable[RecipientResult]:
        return (one for one in self.recipients if one.outcome is outcome)


def outcome_of(reply: Reply) -> Outcome:
    """What a reply that decides means for the recipient."""
    if reply.code < 400:
        return Outcome.ACCEPTED
    return Outcome.DEFERRED if reply.code < 500 else Outcome.REFUSED
