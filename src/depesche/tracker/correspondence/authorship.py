"""Who wrote a mail: what speaks for its author, and whether that is enough. Pure.

A reply address may have been forwarded with the mail it stood in; a From can be forged by anybody; the check
of the receiving server (DMARC) says only which domain a mail is from. Each proves something, and a workspace
chooses what it demands. Whatever it demands, a From that fails the check of one's own server never speaks for
its owner.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from depesche.tracker.correspondence.choices import Proof
from depesche.tracker.items.models import HowKnown


class Token(Enum):
    """The signed reply address (or Message-ID) that a mail carries."""

    GOOD = "good"  # made for the writer, still good
    EXPIRED = "expired"  # made for the writer, has run out
    REVOKED = "revoked"  # made for the writer, revoked since
    ANOTHERS = "anothers"  # made for somebody else
    NONE = "none"


class Writer(Enum):
    """Whose address From is."""

    PERSON = "person"
    GUEST = "guest"
    STRANGER = "stranger"
    SEVERAL = "several"  # several authors: nobody's word


class Check(Enum):
    """What the trusted server says about the domain of From."""

    PASSED = "passed"
    FAILED = "failed"
    UNSAID = "unsaid"


class Lack(Enum):
    """What is missing."""

    SEVERAL = "several"
    STRANGER = "stranger"
    CHECK_FAILED = "check_failed"
    UNCHECKED = "unchecked"
    EXPIRED = "expired"
    REVOKED = "revoked"
    ANOTHERS = "anothers"
    NO_TOKEN = "no_token"  # noqa: S105 - no password


@dataclass(frozen=True)
class Evidence:
    """All that speaks for the author of one mail."""

    token: Token
    writer: Writer
    check: Check


_NO_GOOD_TOKEN = {
    Token.EXPIRED: Lack.EXPIRED,
    Token.REVOKED: Lack.REVOKED,
    Token.ANOTHERS: Lack.ANOTHERS,
    Token.NONE: Lack.NO_TOKEN,
}


def established(evidence: Evidence, proof: Proof) -> HowKnown | Lack:
    """How the author is known, or what is missing for it."""
    if evidence.writer is Writer.SEVERAL:
        return Lack.SEVERAL
    if evidence.writer is Writer.STRANGER:
        return Lack.STRANGER
    if evidence.check is Check.FAILED:
        return Lack.CHECK_FAILED
    checked = evidence.check is Check.PASSED
    if evidence.token is Token.GOOD:
        if checked:
            return HowKnown.TOKEN_CHECKED
        return Lack.UNCHECKED if proof is Proof.STRICT else HowKnown.TOKEN
    if checked and proof in (Proof.CHECK, Proof.ADDRESS):
        return HowKnown.CHECKED
    if proof is Proof.ADDRESS:
        return HowKnown.ADDRESS
    return _NO_GOOD_TOKEN[evidence.token]
