"""What a server's refusal of a login means."""

from __future__ import annotations

import poplib

import pytest

from depesche.mailroom.mailboxes.errors import MailboxError, MailboxStage, explained
from depesche.mailroom.outbox.mailbox_first import _is_locked
from depesche.smtpclient.errors import Cause


def refusal(words: str) -> MailboxError:
    with pytest.raises(MailboxError) as caught, explained(MailboxStage.LOGIN):
        raise poplib.error_proto(words.encode())
    return caught.value


@pytest.mark.parametrize(
    "words",
    [
        "-ERR [IN-USE] Couldn't get POP3 lock",
        "-ERR maildrop already locked",
        "-ERR can't get dotlock",
        "-ERR [IN-USE] Do you have another POP session running?",
    ],
)
def test_a_mailbox_that_another_session_has_is_tried_again(words: str) -> None:
    error = refusal(words)
    assert error.cause is Cause.AUTH_TEMPORARY
    assert _is_locked(error)


@pytest.mark.parametrize("words", ["-ERR [AUTH] your account is blocked", "-ERR unblock it at the help desk"])
def test_an_account_that_is_blocked_is_not(words: str) -> None:
    error = refusal(words)
    assert error.cause is Cause.AUTH_REFUSED
    assert not _is_locked(error)
