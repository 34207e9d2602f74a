"""Who wrote a mail, over everything that can speak for it and everything that a workspace can demand."""

from __future__ import annotations

from itertools import product

import pytest

from depesche.tracker.correspondence.authorship import Check, Evidence, Lack, Token, Writer, established
from depesche.tracker.correspondence.choices import Proof
from depesche.tracker.items.models import HowKnown

KNOWN = (Writer.PERSON, Writer.GUEST)
EVERYTHING = [
    (Evidence(token, writer, check), proof)
    for token, writer, check, proof in product(Token, Writer, Check, Proof)
]


def wanted(evidence: Evidence, proof: Proof) -> HowKnown | None:
    """The policy once more, as a person would say it."""
    if evidence.writer not in KNOWN or evidence.check is Check.FAILED:
        return None
    token, checked = evidence.token is Token.GOOD, evidence.check is Check.PASSED
    by_all = {
        (True, True): HowKnown.TOKEN_CHECKED,
        (True, False): HowKnown.TOKEN,
        (False, True): HowKnown.CHECKED,
        (False, False): HowKnown.ADDRESS,
    }[token, checked]
    enough = {
        Proof.STRICT: token and checked,
        Proof.TOKEN: token,
        Proof.CHECK: token or checked,
        Proof.ADDRESS: True,
    }[proof]
    return by_all if enough else None


@pytest.mark.parametrize(("evidence", "proof"), EVERYTHING)
def test_the_whole_policy(evidence: Evidence, proof: Proof) -> None:
    found = established(evidence, proof)
    assert (found if isinstance(found, HowKnown) else None) == wanted(evidence, proof)


@pytest.mark.parametrize("token", Token)
@pytest.mark.parametrize("proof", Proof)
def test_more_evidence_never_harms(token: Token, proof: Proof) -> None:
    for writer in KNOWN:
        without = established(Evidence(token, writer, Check.UNSAID), proof)
        checked = established(Evidence(token, writer, Check.PASSED), proof)
        with_token = established(Evidence(Token.GOOD, writer, Check.PASSED), proof)
        if isinstance(without, HowKnown):
            assert isinstance(checked, HowKnown)
        assert isinstance(with_token, HowKnown)


@pytest.mark.parametrize(
    ("evidence", "proof", "lack"),
    [
        (Evidence(Token.GOOD, Writer.SEVERAL, Check.PASSED), Proof.ADDRESS, Lack.SEVERAL),
        (Evidence(Token.GOOD, Writer.STRANGER, Check.PASSED), Proof.ADDRESS, Lack.STRANGER),
        (Evidence(Token.GOOD, Writer.PERSON, Check.FAILED), Proof.ADDRESS, Lack.CHECK_FAILED),
        (Evidence(Token.GOOD, Writer.PERSON, Check.UNSAID), Proof.STRICT, Lack.UNCHECKED),
        (Evidence(Token.EXPIRED, Writer.PERSON, Check.UNSAID), Proof.TOKEN, Lack.EXPIRED),
        (Evidence(Token.REVOKED, Writer.PERSON, Check.PASSED), Proof.TOKEN, Lack.REVOKED),
        (Evidence(Token.ANOTHERS, Writer.PERSON, Check.UNSAID), Proof.CHECK, Lack.ANOTHERS),
        (Evidence(Token.NONE, Writer.GUEST, Check.PASSED), Proof.STRICT, Lack.NO_TOKEN),
    ],
)
def test_what_is_missing_is_named(evidence: Evidence, proof: Proof, lack: Lack) -> None:
    assert established(evidence, proof) is lack
