"""From that heals itself, and the failover, with real processes that are killed, and a real Postfix (M5,
M13)."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter, deque
from email.utils import parseaddr

import pytest

from depesche.smtpclient.testing.server import Act, Behaviour, FakeServer
from tests.journeys.killing import killed_again_and_again, settled
from tests.journeys.test_main_line import Route, answer, comments, connect, people
from tests.mailroom.outbox.servers import message_ids, running
from tests.support.mail_host import MailHost
from tests.support.ports import free_port
from tests.support.processes import ROOT, Instance, Program
from tests.support.waiting import wait_until

pytestmark = pytest.mark.journey

MAILS = 200
KILLS = 2
CONNECTIONS = 4
IN_FLIGHT = CONNECTIONS * 2 + 100  # connections × window, and one batch of results not yet written down

_ENQUEUE = """
import sys
import django; django.setup()
from django.utils import timezone
from depesche.mailformat.compose import Content
from depesche.mailroom.outbox.actions import Category, NewMessage, NewRecipient, SenderKind, enqueue
first, count = int(sys.argv[1]), int(sys.argv[2])
new = NewMessage(Category.NOTICE, Content(b"Subject: x\\r\\n\\r\\nHello\\r\\n", "utf-8", False, False), "x",
                 sender=SenderKind.USER, author_name="Jane Doe", author_address="jane@people.example")
enqueue(new, [
    NewRecipient(f"p{n}@example.org", f"<m{n}@example.org>",
                 f"To: p{n}@example.org\\r\\nMessage-ID: <m{n}@example.org>\\r\\n".encode())
    for n in range(first, first + count)
], now=timezone.now())
"""


def put(instance: Instance, first: int, count: int) -> None:
    environment = instance.environment | {"DJANGO_SETTINGS_MODULE": "depesche.server.settings"}
    command = [sys.executable, "-c", _ENQUEUE, str(first), str(count)]
    subprocess.run(command, env=environment, check=True, cwd=ROOT)


def connection(instance: Instance, port: int, *more: str) -> None:
    instance.run(
        "connection", "set", *more, "host=127.0.0.1", f"port={port}", "encryption=none",
        f"maxNoOfSMTPConnections={CONNECTIONS}",
    )  # fmt: skip


def only_the_system(content: bytes) -> Act:
    author = re.search(rb"^From:.*<([^<>]+)>\r$", content, re.MULTILINE)
    if author is not None and author[1] == b"tracker@example.org":
        return None
    return "550 5.7.60 SMTP; Client does not have permissions to send as this sender"


@pytest.mark.contract
def test_killed_workers_rewrite_every_mail_and_lose_none(instance: Instance) -> None:
    instance.run("init")
    with running(Behaviour(judge=only_the_system, reply_delay=0.004)) as server:
        connection(
            instance,
            server.port,
            "system_address=tracker@example.org",
            "system_name=Your Server",
            "sender=user",
        )
        put(instance, 0, MAILS)
        workers = killed_again_and_again(instance, server, kills=KILLS, between=MAILS // (KILLS + 4))
        wait_until(lambda: len(message_ids(server)) == MAILS, "all mails", timeout=90)
        wait_until(lambda: settled(instance, MAILS), "all of them on record", timeout=90)
        for worker in workers:
            assert worker.terminate() == 0
    arrived = message_ids(server)
    assert set(arrived) == {f"<m{n}@example.org>" for n in range(MAILS)}
    assert sum(arrived.values()) - MAILS <= KILLS * IN_FLIGHT
    senders = {re.match(rb"From: (.*)\r\n", mail.content)[1] for mail in server.messages}  # type: ignore[index]  # each has one
    assert senders == {b"Jane Doe via Your Server <tracker@example.org>"}
    (rule,) = instance.json_lines("connection", "rules")
    assert (rule["domain"], rule["seen"]) == ("people.example", "off")


def test_the_failover_under_kill_loses_nothing_and_the_first_gets_them_back(instance: Instance) -> None:
    instance.run("init")
    first_port = free_port()
    with running(Behaviour(reply_delay=0.004)) as second:
        connection(instance, first_port, "system_address=tracker@example.org", "system_name=Your Server")
        connection(instance, second.port, "--failover")
        servers: list[FakeServer] = [second]
        with running(Behaviour(reply_delay=0.004), port=first_port) as first:
            servers.append(first)
            put(instance, 0, MAILS)
            workers: deque[Program] = deque(instance.start("worker") for _ in range(2))
            wait_until(lambda: len(first.messages) >= MAILS // 4, "the first mails", timeout=60)
        # The first server is gone, in the middle of everything; then a worker is killed as well.
        wait_until(lambda: len(second.messages) >= 20, "mails through the failover", timeout=60)
        for _ in range(2):
            workers.popleft().kill()
            workers.append(instance.start("worker"))
        wait_until(lambda: len(message_ids(first) | message_ids(second)) == MAILS, "all mails", timeout=90)
        wait_until(lambda: settled(instance, MAILS), "all of them on record", timeout=90)
        assert instance.json("outbox", "stats")["connection_in_use"] == "failover"
        assert second.high_water <= CONNECTIONS
        with running(Behaviour(), port=first_port) as first_again:
            servers.append(first_again)
            wait_until(
                lambda: instance.json("outbox", "stats")["connection_in_use"] == "first",
                "the first server in use again",
                timeout=60,
            )
            through_second = len(second.messages)
            put(instance, MAILS, 50)
            wait_until(lambda: len(first_again.messages) == 50, "the rest", timeout=60)
            assert len(second.messages) == through_second
        for worker in workers:
            assert worker.terminate() == 0
    arrived: Counter[str] = Counter()
    for server in servers:
        arrived += message_ids(server)
    assert set(arrived) == {f"<m{n}@example.org>" for n in range(MAILS + 50)}
    again = sum(arrived.values()) - len(arrived)
    assert again <= 2 * IN_FLIGHT  # in flight when the first server went, and at the kill


def test_postfix_refuses_a_workspaces_sender_and_answers_still_become_comments(
    instance: Instance, mail_host: MailHost
) -> None:
    people(instance)
    connect(instance, mail_host, Route("tls", "imap", "system"))
    port = mail_host.postfix.port_own_sender
    instance.run("connection", "set", f"port={port}")
    instance.run(
        "workspace", "sender", "Plant", "--address", "plant@customer.example", "--sender-name", "Plant Desk"
    )
    instance.start("worker")
    item = instance.json(
        "item", "create", "--workspace", "Plant", "--title", "Coolant pump", "--text", "It hums.",
        "--as", "alice@example.org", "--watch", "bob@example.org",
    )  # fmt: skip
    key = item["key"]
    told = mail_host.maildir("bob").wait_for_subject(f"[{key}]")
    name, address = parseaddr(str(told["From"]))
    assert (name, address) == ("Alice via Plant Desk via Plant Tracker", "tracker@example.org")
    (rule,) = instance.json_lines("connection", "rules")
    assert rule["domain"] == "customer.example"
    assert "not owned by user" in rule["reply"]
    answer(mail_host, told, author="bob", text="I hear it too.")
    wait_until(lambda: len(comments(instance, key)) == 1, "Bob's answer as a comment", timeout=90)
    assert comments(instance, key)[0]["text"] == "I hear it too."
