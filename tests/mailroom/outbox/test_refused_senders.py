"""Whose fault a refusal is: the From's, the recipient's, the mail's, or the connection's (M13).

Worded as mail servers and providers word it; each sentence is a variant of our own.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.mailroom.connections.sender_policy import FromDecision, Identity, Refused, from_for
from depesche.mailroom.outbox.sender_repair import (
    Learning,
    Says,
    has_reply_to,
    recalled,
    rewrites,
    speaks_of_sender,
)
from depesche.mailroom.outbox.suspects import FRESH, Suspects
from depesche.smtpclient.errors import Stage
from depesche.smtpclient.reply import Reply
from depesche.smtpclient.transaction import Outcome, RecipientResult
from tests.mailroom.connections.test_sender_policy import JANA, SYSTEM, USER

MAIL, RCPT, CONTENT = Stage.MAIL, Stage.RCPT, Stage.CONTENT
NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)

SENDER = [
    # Postfix
    (MAIL, "553 5.7.1 <jana@example.org>: Sender address rejected: not owned by user tracker"),
    (RCPT, "553 5.7.1 <jana@example.org>: Sender address rejected: not owned by user tracker"),
    (RCPT, "553 5.7.1 <jana@example.org>: Sender address rejected: not logged in"),
    (RCPT, "550 5.1.8 <jana@nope.example>: Sender address rejected: Domain not found"),
    (CONTENT, "550 5.7.1 From header not permitted for this login"),
    # Exim
    (RCPT, "550-Verification failed for <jana@example.org>\n550 Sender verify failed"),
    (MAIL, "550 authenticated user tracker is not allowed to use the sender jana@example.org"),
    (CONTENT, "550 Sender address not permitted for authenticated user"),
    # Exchange, Exchange Online
    (CONTENT, "550 5.7.60 SMTP; Client does not have permissions to send as this sender"),
    (MAIL, "550 5.7.60 SMTP; Client does not have permissions to send as this sender"),
    (RCPT, "550 5.7.1 Client does not have permissions to send as this sender"),
    (CONTENT, "550 5.7.1 Client does not have permissions to send as this sender"),
    (CONTENT, "554 5.2.252 SendAsDenied; tracker@example.org not allowed to send as jana@example.org"),
    (CONTENT, "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException; Failed to process message"),
    # DMARC, SPF
    (CONTENT, "550-5.7.26 This mail is unauthenticated, which poses a risk\n550 5.7.26 to its receiver"),
    (CONTENT, "550 5.7.1 Unauthenticated mail not accepted due to the domain's DMARC policy"),
    (CONTENT, "550 5.7.509 Access denied, sending domain example.org does not pass DMARC verification"),
    (RCPT, "550 5.7.23 SPF validation failed"),
    # providers
    (MAIL, "550 Requested action not taken: mailbox unavailable: sender address is not allowed"),
    (CONTENT, "554 Transaction failed: sender address is not allowed"),
    (CONTENT, "550 5.7.1 Refused by local policy: mails with a forged sender are not taken"),
    (CONTENT, "554 Message rejected: Email address is not verified. These identities failed the check"),
    (CONTENT, "550 The from address does not match a verified Sender Identity"),
    (CONTENT, "550 5.7.1 The 'From' address you supplied is not a Sender Signature on your account"),
    (CONTENT, "551 5.7.1 Not authorised to send from this header address"),
    (CONTENT, "550 5.7.0 From address is not one of your addresses"),
    (MAIL, "553 From: address not verified; look at the settings of your account"),
    (CONTENT, "553 5.7.1 Sender is not allowed to relay emails"),
    (CONTENT, "550 5.7.1 Sender address does not belong to the authenticated user"),
    (CONTENT, "550 From header must match the login"),
    (CONTENT, "550 5.7.1 Header From: jana@example.org is not permitted, mismatch with account"),
    (RCPT, "553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)"),
    (MAIL, "501 5.1.7 invalid address"),
]
NOT_SENDER = [
    # the recipient's own
    (RCPT, "550 5.1.1 <x@example.org>: Recipient address rejected: User unknown in local recipient table"),
    (RCPT, "550 5.7.129 RESOLVER.RST.RestrictedToRecipientsPermission; not authorized to send to recipient"),
    (RCPT, "550 5.7.124 Sender not in the list of allowed senders of this group"),
    (RCPT, "550 5.7.1 You are not allowed to send mail to this group"),
    (RCPT, "550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized"),
    (RCPT, "554 5.7.1 <x@example.org>: Recipient address rejected: Access denied"),
    (RCPT, "550 5.2.1 The account that you tried to reach is disabled"),
    (RCPT, "552 5.2.2 over quota"),
    (RCPT, "550 no"),
    # relay
    (RCPT, "554 5.7.1 <x@other.example>: Relay access denied"),
    (RCPT, "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain"),
    (RCPT, "550-tracker.example is not permitted to relay through this server\n550 without a login"),
    (RCPT, "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"),
    (RCPT, "503 5.5.1 This server requires authentication when sending to a non-local address"),
    (MAIL, "530 5.7.0 Authentication required"),
    (MAIL, "530 5.7.57 Client not authenticated to send mail"),
    # content and volume
    (CONTENT, "554 5.7.1 Spam message rejected"),
    (CONTENT, "550-5.7.1 This message is likely unsolicited mail from your address, it must\n550 5.7.1 go"),
    (CONTENT, "554 5.7.1 Message blocked due to spam content from a host that must not send"),
    (CONTENT, "552 5.3.4 Message size exceeds fixed limit"),
    (CONTENT, "554 5.6.0 Lines must not be longer than 998"),
    (CONTENT, "550 5.7.1 Virus found in the message"),
    (MAIL, "552 5.3.4 Message size exceeds fixed limit"),
    (MAIL, "550 5.4.5 Daily user sending limit exceeded"),
    # for now only
    (MAIL, "450 4.1.8 <jana@nope.example>: Sender address rejected: Domain not found"),
    (CONTENT, "451 4.7.1 Sender not verified yet, try again"),
]
VAGUE = [
    (CONTENT, "550 5.7.1 Message refused by policy"),
    (CONTENT, "554 5.7.9 Message not accepted for policy reasons"),
    (CONTENT, "554 Transaction failed"),
]


def result(stage: Stage, said: str) -> RecipientResult:
    lines = said.split("\n")
    reply = Reply(int(lines[0][:3]), tuple(line[4:] for line in lines))
    outcome = Outcome.REFUSED if reply.code >= 500 else Outcome.DEFERRED
    return RecipientResult("x@example.org", outcome, reply, stage)


@pytest.mark.parametrize(("stage", "said"), SENDER)
def test_what_is_about_the_sender(stage: Stage, said: str) -> None:
    assert speaks_of_sender(result(stage, said)) is Says.CLEARLY


@pytest.mark.parametrize(("stage", "said"), NOT_SENDER)
def test_what_is_not(stage: Stage, said: str) -> None:
    assert speaks_of_sender(result(stage, said)) is Says.NO


@pytest.mark.parametrize(("stage", "said"), VAGUE)
def test_what_may_be(stage: Stage, said: str) -> None:
    assert speaks_of_sender(result(stage, said)) is Says.PERHAPS


FROM_JANA = from_for(USER, sender="user", **JANA)
FROM_US = from_for(SYSTEM, sender="system")


def test_a_mail_from_the_system_address_is_not_rewritten() -> None:
    assert rewrites(result(CONTENT, "550 5.7.60 no"), FROM_US, "tracker@example.org") is None
    assert rewrites(result(CONTENT, "550 5.7.60 no"), FROM_JANA, "tracker@example.org") is not None


def test_words_that_name_the_system_address_before_the_content_are_about_that() -> None:
    said = "553 5.7.1 <tracker@example.org>: Sender address rejected: not owned by user other"
    assert rewrites(result(RCPT, said), FROM_JANA, "tracker@example.org") is None
    assert rewrites(result(CONTENT, said), FROM_JANA, "tracker@example.org") is not None


def test_before_the_content_the_reverse_path_is_blamed() -> None:
    own = from_for(USER, sender="user", **JANA, own=Identity("help@customer.example", "Help"))
    assert own.reverse_path == "help@customer.example"
    refused = rewrites(result(MAIL, "553 5.7.1 not owned by you"), own, "tracker@example.org")
    assert refused is not None
    assert (refused.address, refused.domain) == ("help@customer.example", "customer.example")
    refused = rewrites(result(CONTENT, "550 5.7.60 no"), own, "tracker@example.org")
    assert refused is not None
    assert refused.domain == "example.org"


@given(
    st.sampled_from([MAIL, RCPT, Stage.DATA, CONTENT, Stage.AUTH, Stage.GREETING]),
    st.integers(400, 599),
    st.lists(st.text(max_size=200), max_size=4).map(tuple),
    st.sampled_from([FROM_JANA, FROM_US]),
)
def test_no_words_break_it_and_only_a_permanent_no_to_another_from_is_rewritten(
    stage: Stage, code: int, lines: tuple[str, ...], made: FromDecision
) -> None:
    outcome = Outcome.REFUSED if code >= 500 else Outcome.DEFERRED
    refused = rewrites(
        RecipientResult("x@y.z", outcome, Reply(code, lines), stage), made, "tracker@example.org"
    )
    if refused is not None:
        assert code >= 500
        assert made.domain
        assert refused.domain == refused.address.rpartition("@")[2].lower()


def test_vague_words_make_a_rule_when_they_agree() -> None:
    learning = Learning(enough=3)
    clear = rewrites(result(CONTENT, "550 5.7.60 no"), FROM_JANA, "tracker@example.org")
    vague = rewrites(result(CONTENT, "550 5.7.1 policy"), FROM_JANA, "tracker@example.org")
    assert clear is not None
    assert vague is not None
    assert learning.accepted(clear)
    assert [learning.accepted(vague) for _ in range(3)] == [False, False, True]
    learning.forget()
    assert not learning.accepted(vague)


@given(st.text(max_size=30), st.text(max_size=300))
def test_a_refusal_is_recalled_from_its_words_whatever_they_are(stage: str, said: str) -> None:
    recalled(Refused("", "", "", stage, said), FROM_JANA)
    recalled(Refused("", "", "", "content", f"550 {said}"), FROM_US)


def test_a_recalled_refusal_names_what_it_was_about() -> None:
    first = rewrites(result(CONTENT, "550 5.7.60 no"), FROM_JANA, "tracker@example.org")
    assert first is not None
    assert recalled(Refused("", "", "", first.stage, first.reply), FROM_JANA) == first
    assert recalled(Refused("", "", "", first.stage, first.reply), FROM_US) is None


def test_an_address_for_answers_is_seen_in_either_part() -> None:
    assert has_reply_to(b"To: a@b.c\r\nReply-To: x@y.z\r\n", b"Subject: a\r\n\r\nbody")
    assert has_reply_to(b"", b"Subject: a\r\nREPLY-TO: x@y.z\r\n\r\nbody")
    assert not has_reply_to(b"To: a@b.c\r\n", b"Subject: a\r\n\r\nReply-To: x@y.z\r\n")


# --- suspects: refusals of one mail that are the connection's fault

RELAY = result(RCPT, "554 5.7.1 <x@other.example>: Relay access denied")
LOGIN = result(RCPT, "503 5.5.1 This server requires authentication for other domains")
NOT_OURS = result(CONTENT, "550 5.7.60 SMTP; Client does not have permissions to send as this sender")


def blames(
    suspects: Suspects,
    one: RecipientResult,
    accepted: datetime | None,
    now: datetime = NOW,
    *,
    system: bool = True,
) -> bool:
    return suspects.blames(1, one, from_system=system, accepted_at=accepted, now=now)


@pytest.mark.parametrize("one", [RELAY, LOGIN])
def test_relay_denied_is_the_connections_fault_until_something_was_accepted_lately(
    one: RecipientResult,
) -> None:
    assert blames(Suspects(), one, None)
    assert not blames(Suspects(), one, NOW - timedelta(seconds=30))
    assert blames(Suspects(), one, NOW - FRESH)


@pytest.mark.parametrize(("stage", "said"), [one for one in NOT_SENDER if one[0] is RCPT][:9])
def test_what_is_the_recipients_own_never_rests_the_connection(stage: Stage, said: str) -> None:
    assert not blames(Suspects(), result(stage, said), None)


def test_the_system_address_refused_rests_the_connection_until_another_mail_is_accepted_after_it() -> None:
    suspects = Suspects()
    assert blames(suspects, NOT_OURS, None)
    later = NOW + timedelta(minutes=1)
    assert blames(suspects, NOT_OURS, NOW - timedelta(seconds=1), later)  # accepted before the refusal
    assert not blames(suspects, NOT_OURS, NOW + timedelta(seconds=5), later)
    suspects.forget()
    assert blames(suspects, NOT_OURS, NOW + timedelta(seconds=5), later)


def test_a_refused_person_says_nothing_about_the_connection() -> None:
    assert not blames(Suspects(), NOT_OURS, None, system=False)
