"""Signed mails from the worker through a real Postfix into a real mailbox: every signature still verifies."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.utils import timezone

from depesche.mailformat.addresses import Address
from depesche.mailformat.compose import Draft, compose, personal_headers
from depesche.mailroom.connections import actions as connection_actions
from depesche.mailroom.connections.signing import actions as signing
from depesche.mailroom.connections.signing.models import DkimKey
from depesche.mailroom.outbox import actions
from depesche.mailroom.outbox.actions import Category, NewMessage, NewRecipient, SenderKind
from depesche.mailroom.outbox.worker import Drained, drain
from depesche.smtpclient.testing.server import Behaviour
from tests.mailroom.outbox.servers import configure, running
from tests.support.dkim_verifier import verdicts

pytestmark = [pytest.mark.usefixtures("alone"), pytest.mark.django_db(transaction=True)]
TEXTS = (
    "Hello\n",
    "Grüße aus Köln, 日本語\n" * 40,
    ".\n..\n.dots\n",
    "x" * 3000 + "\n" + "ü" * 3000,
    "  two  spaces \t\n\n\n\n",
)


def put(to: str) -> None:
    now = timezone.now()
    for number, text in enumerate(TEXTS):
        content = compose(Draft(f"Größe {number}", text, now, html=f"<p>{text}</p>"), boundary=f"n{number}")
        message_id = f"<{number}.{to}>"
        header = personal_headers(to=[Address("Älice", to)], message_id=message_id)
        new = NewMessage(Category.NOTICE, content, f"Größe {number}", SenderKind.SYSTEM)
        actions.enqueue(new, [NewRecipient(to, message_id, header)], now=now)


def sign() -> dict[str, str]:
    """Both keys sign; the records by name."""
    for key in signing.make_keys("example.org", now=timezone.now()):
        signing.activate(key.pk, now=timezone.now())
    return {f"{key.selector}._domainkey.{key.domain}": key.record for key in DkimKey.objects.all()}


@pytest.mark.parametrize("extensions", [("8BITMIME", "PIPELINING"), ("CHUNKING", "8BITMIME"), ()])
def test_each_way_of_submission_keeps_the_signatures(extensions: tuple[str, ...]) -> None:
    with running(Behaviour(extensions=extensions)) as server:
        configure(server.port)
        records = sign()
        put("kim@example.net")
        assert drain(threading.Event()) == Drained(len(TEXTS))
    assert [verdicts(mail.content, records) for mail in server.messages] == [[True, True]] * len(TEXTS)


@pytest.mark.needs("postfix", "dovecot")
def test_postfix_delivers_them_octet_for_octet(mail_host: Any) -> None:
    connection_actions.save_outgoing(
        {
            "host": "localhost",
            "port": str(mail_host.postfix.port_plain),
            "encryption": "none",
            "system_address": "tracker@example.org",
        }
    )
    records = sign()
    mail_host.clear()
    put("alice@example.org")
    assert drain(threading.Event()) == Drained(len(TEXTS))
    box = mail_host.maildir("alice")
    box.wait_for_count(len(TEXTS))
    for raw in box.raw():
        octets = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")  # a Maildir keeps lines as Unix does
        assert verdicts(octets, records) == [True, True]
