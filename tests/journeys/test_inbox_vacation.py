"""A real vacation responder: Dovecot's Sieve, behind Postfix by LMTP."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from tests.journeys.inbox_support import comments, mailbox, new_item, outgoing, people, set_up
from tests.journeys.test_inbox_ways import received
from tests.support.certificates import Authority
from tests.support.dovecot import Dovecot
from tests.support.mail_host import MailHost
from tests.support.ports import free_port
from tests.support.postfix import Postfix
from tests.support.processes import Instance
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.journey, pytest.mark.needs("sieve")]

_VACATION = """require ["vacation"];
vacation :days 1 :subject "Out of office" "I am away until Monday.";
keep;
"""
_MARKS = ("Auto-Submitted", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Precedence",
          "X-Auto-Response-Suppress")  # fmt: skip


@pytest.fixture
def away(authority: Authority) -> Iterator[MailHost]:
    """A mail host where Bob is on holiday."""
    port = free_port()
    dovecot = Dovecot(authority, sieve={"bob": _VACATION}, submission_port=port)
    dovecot.start()
    transports = dovecot.folder / "transports"
    transports.write_text(f"bob@example.org lmtp:unix:{dovecot.lmtp_socket}\n")
    postfix = Postfix(authority, dovecot, port_plain=port, more={"transport_maps": f"texthash:{transports}"})
    postfix.start()
    yield MailHost(authority, dovecot, postfix)
    postfix.remove()
    dovecot.remove()


def stripped(mail: EmailMessage) -> EmailMessage:
    """The mail after a gateway that takes away what says that a program wrote it."""
    for name in _MARKS:
        del mail[name]
    return mail


def test_a_vacation_responder_stays_silent_or_is_ignored(instance: Instance, away: MailHost) -> None:
    set_up(
        instance,
        people(),
        outgoing(away.postfix.port_plain, "items_by_mail=on"),
        mailbox(away),
        new_item("Valve leaks"),
    )
    instance.start("worker")
    told = away.maildir("bob").wait_for_subject("Valve leaks", timeout=90)
    # Our mails say that a program wrote them: a good responder does not answer.
    wait_until(lambda: "discarding vacation response" in away.dovecot.log(), "Sieve to stay silent")
    assert received(instance) == []
    with smtplib.SMTP("localhost", away.postfix.port_plain) as client:
        client.send_message(stripped(told), from_addr="tracker@example.org", to_addrs=["bob@example.org"])
    wait_until(lambda: any(row["outcome"] for row in received(instance)), "the note to be read", timeout=90)
    (row,) = received(instance)
    assert (row["outcome"], row["kind"]) == ("ignored", "automatic")
    assert row["subject"].startswith("Out of office")
    assert comments(instance, "1") == []
    assert {one["category"] for one in instance.json_lines("outbox", "list")} == {"notice"}
