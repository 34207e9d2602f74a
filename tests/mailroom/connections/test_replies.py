"""Refusals as real servers word them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.mailroom.connections.diagnosis.causes import ENTRIES, explain
from depesche.mailroom.connections.diagnosis.replies import Refusal, refusal_of
from depesche.smtpclient.errors import (
    Cause,
    Stage,
    asks_for_another_connection,
    asks_for_fewer_connections,
    asks_for_mailbox_login,
)
from depesche.smtpclient.reply import Reply

MAIL, RCPT, CONTENT, AUTH = Stage.MAIL, Stage.RCPT, Stage.CONTENT, Stage.AUTH

SAID = [
    # login
    (
        AUTH,
        "534 5.7.9 Application-specific password required. For more information, go to …",
        "app-password-needed",
    ),
    (
        AUTH,
        "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
        "basic-auth-disabled",
    ),
    (
        AUTH,
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant",
        "smtp-auth-disabled",
    ),
    (
        AUTH,
        "534 5.7.14 <https://accounts…> Please log in via your web browser and then try again.",
        "web-login-needed",
    ),
    (AUTH, "535 5.7.0 Your account has been locked", "account-locked"),
    (AUTH, "454 4.7.0 Too many failed login attempts, please try again later", "account-locked"),
    (AUTH, "535 5.7.8 Error: authentication failed: password has expired", "password-expired"),
    (AUTH, "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6", None),
    (AUTH, "535 5.7.8 Username and Password not accepted.", None),
    (AUTH, "535 Incorrect authentication data", None),
    # sender
    (
        MAIL,
        "553 5.7.1 <jana@x.example>: Sender address rejected: not owned by user tracker",
        "sender-not-owned",
    ),
    (MAIL, "550 5.7.60 SMTP; Client does not have permissions to send as this sender", "header-from-refused"),
    (MAIL, "501 5.1.7 Bad sender address syntax", "sender-refused"),
    (MAIL, "550 5.1.8 <a@nope.example>: Sender address rejected: Domain not found", "sender-domain-unknown"),
    (MAIL, "450 4.1.8 <a@nope.example>: Sender address rejected: Domain not found", "sender-domain-unknown"),
    (MAIL, "530 5.7.0 Authentication Required. For more information, go to", "auth-required"),
    (MAIL, "530 5.7.57 Client not authenticated to send mail.", "auth-required"),
    (MAIL, "530 5.7.0 Must issue a STARTTLS command first", "tls-required"),
    (MAIL, "451 4.7.0 STARTTLS is required to send mail", "tls-required"),
    (MAIL, "454 4.7.0 Too many concurrent SMTP connections; please try again later.", "too-many-connections"),
    (MAIL, "550 5.4.5 Daily user sending limit exceeded.", "daily-quota"),
    (MAIL, "553 sender address must match authenticated user", "sender-not-owned"),
    (MAIL, "550 5.7.1 please check your mailbox first (POP before SMTP)", "pop-login-needed"),
    (MAIL, "452 4.3.1 Insufficient system storage", "server-storage"),
    (MAIL, "552 5.3.4 Message size exceeds fixed maximum message size", "too-large"),
    # recipient
    (RCPT, "554 5.7.1 <a@b.example>: Relay access denied", "relay-denied"),
    (RCPT, "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", "relay-denied"),
    (RCPT, "550 relay not permitted", "relay-denied"),
    (
        RCPT,
        "550 5.1.1 <x@y.example>: Recipient address rejected: User unknown in local recipient table",
        "recipient-unknown",
    ),
    (RCPT, "550-5.1.1 The email account that you tried to reach does not exist.", "recipient-unknown"),
    (
        RCPT,
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found by SMTP address lookup",
        "recipient-unknown",
    ),
    (
        RCPT,
        "450 4.1.2 <x@nope.example>: Recipient address rejected: Domain not found",
        "recipient-domain-unknown",
    ),
    (RCPT, "452 4.2.2 Mailbox full", "mailbox-full"),
    (RCPT, "552 5.2.2 <x@y.example>: user is over quota", "mailbox-full"),
    (
        RCPT,
        "450 4.2.0 <x@y.example>: Recipient address rejected: Greylisted, see http://postgrey…",
        "greylisted",
    ),
    (RCPT, "451 4.7.1 Please try again in 300 seconds", "greylisted"),
    (RCPT, "451 temporarily deferred", "greylisted"),
    (RCPT, "550 5.2.1 This mailbox is disabled", "recipient-disabled"),
    (
        RCPT,
        "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
        "blocklisted",
    ),
    (RCPT, "550 no", "recipient-refused"),
    # content
    (CONTENT, "554 5.7.1 Spam message rejected", "spam"),
    (
        CONTENT,
        "550 5.7.26 Unauthenticated email from example.org is not accepted due to domain's DMARC policy.",
        "dmarc",
    ),
    (CONTENT, "554 5.2.252 SendAsDenied; tracker@x not allowed to send as jana@x", "header-from-refused"),
    (CONTENT, "550 5.7.1 From header does not match authenticated user", "header-from-refused"),
    (CONTENT, "552 5.3.4 Message too big for system", "too-large"),
    (CONTENT, "554 5.6.0 no", "content-refused"),
    (CONTENT, "421 4.7.28 Our system has detected an unusual rate", "rate-limit"),
    (CONTENT, "450 4.7.1 Error: too much mail from you", "rate-limit"),
    (MAIL, "450 4.7.1 Too many messages from this sender; slow down", "rate-limit"),
    (MAIL, "421 4.7.0 mail.example.org Error: too many errors", "rate-limit"),
]


def reply_of(said: str) -> Reply:
    return Reply(int(said[:3]), said[4:])


@pytest.mark.parametrize(("stage", "said", "meaning"), SAID)
def test_what_servers_mean(stage: Stage, said: str, meaning: str | None) -> None:
    assert refusal_of(stage, reply_of(said)) == meaning


@pytest.mark.parametrize("stage", [MAIL, RCPT, CONTENT, AUTH])
@pytest.mark.parametrize(
    "words", ["max ", "connections ", "message for this ", "5.7.139 ", "from: ", "user "]
)
def test_words_without_end_are_read_at_their_beginning_alone(stage: Stage, words: str) -> None:
    endless = (words * 16_000)[:64_000]
    for code in (421, 450, 550, 554):
        whole, beginning = Reply(code, endless + " spamhaus"), Reply(code, endless[:5000])
        assert refusal_of(stage, whole) == refusal_of(stage, beginning)
        assert asks_for_fewer_connections(whole) == asks_for_fewer_connections(beginning)
        assert asks_for_another_connection(whole) == asks_for_another_connection(beginning)
        assert asks_for_mailbox_login(whole) == asks_for_mailbox_login(beginning)


@given(st.sampled_from(Stage), st.integers(400, 599), st.lists(st.text(max_size=200), max_size=5).map(tuple))
def test_no_words_of_a_server_break_the_reading(stage: Stage, code: int, lines: tuple[str, ...]) -> None:
    meaning = refusal_of(stage, Reply(code, lines))
    assert meaning is None or isinstance(meaning, Refusal)


@pytest.mark.parametrize("code", [*(cause.value for cause in Cause), *Refusal, "nonsense"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_every_cause_is_explained_in_both_languages(code: str, language: str) -> None:
    from django.utils import translation

    with translation.override(language):
        cause = explain(code, {"host": "smtp.example", "port": 465, "encryption": "ssl"}, detail="so")
    assert cause.title
    assert cause.sentence
    assert cause.remedy
    assert "%" not in cause.title + cause.sentence + cause.remedy
    if code != "nonsense":
        assert cause.code != "unknown"


def test_enough_causes_are_told_apart() -> None:
    assert len(ENTRIES) >= 40
    assert len({str(entry.title) for entry in ENTRIES.values()}) == len(ENTRIES)
