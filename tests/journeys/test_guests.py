"""From an item to somebody outside and back, through a real Postfix and Dovecot; strangers become guests."""

from __future__ import annotations

import pytest

from tests.journeys.inbox_support import (
    comments,
    mailbox,
    new_item,
    outgoing,
    people,
    reply_to,
    run_all,
    set_up,
    submit,
)
from tests.support.mail_host import MailHost
from tests.support.maildir import text_of
from tests.support.processes import Instance
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.journey, pytest.mark.both_databases]


def test_a_guest_is_written_to_answers_and_is_answered(instance: Instance, mail_host: MailHost) -> None:
    """Carol has no sign-in. Alice writes to her from the item; Bob's words in between are not for her."""
    set_up(
        instance,
        people("alice", "bob"),
        outgoing(mail_host.postfix.port_plain, "items_by_mail=on"),
        mailbox(mail_host),
        new_item("Coolant pump vibrates"),
        [(["correspondence", "set", "strangers=guest"], "")],
    )
    mail = ["correspondence", "mail", "1", "--as", "alice@example.org", "--to", "Carol <carol@example.org>"]
    run_all(instance, [([*mail, "--text", "Could you look at the pump?"], "")])
    instance.start("worker")
    first = mail_host.maildir("carol").wait_for(
        lambda one: "Could you look" in text_of(one), "the mail", timeout=90
    )
    submit(mail_host, reply_to(first, "The bearing is worn.", author="carol"))
    answer = wait_until(
        lambda: [one for one in comments(instance, "1") if "bearing" in one["text"]], "her answer", timeout=90
    )[0]
    assert answer["text"] == "The bearing is worn."
    assert answer["via"] == "mail"
    mail_host.maildir("bob").wait_for(lambda one: "bearing" in text_of(one), "Bob hears of it", timeout=90)

    run_all(
        instance,
        [
            (
                ["item", "comment", "1", "--as", "bob@example.org", "--text", "Internal: charge her twice."],
                "",
            ),
            ([*mail, "--quote", "--text", "Thank you."], ""),
        ],
    )
    second = mail_host.maildir("carol").wait_for(
        lambda one: "Thank you." in text_of(one), "the second", timeout=90
    )
    assert "> The bearing is worn." in text_of(second)
    assert "charge her twice" not in second.as_string()
    submit(mail_host, reply_to(second, "You are welcome.", author="carol", number=2))
    wait_until(
        lambda: [one for one in comments(instance, "1") if one["text"] == "You are welcome."],
        "it",
        timeout=90,
    )
    assert len(mail_host.maildir("carol").mails()) == 2
