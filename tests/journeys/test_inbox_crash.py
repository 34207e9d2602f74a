"""kill -9 of the worker, again and again, while it fetches and processes: each answer becomes one comment.

The full run is a command of its own: `python -m tests.long.inbox_kills`.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from email.message import EmailMessage

import pytest

from tests.journeys.inbox_support import (
    append,
    mailbox,
    new_item,
    outgoing,
    people,
    reply_to,
    run_all,
    set_up,
)
from tests.support.mail_host import MailHost
from tests.support.processes import Instance
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.journey]

MAILS = int(os.environ.get("MAILS", "40"))
KILLS = int(os.environ.get("KILLS", "4"))
PATIENCE = 170 + MAILS / 5 + KILLS * 6


def answers(told: EmailMessage) -> list[bytes]:
    """Bob answers one mail again and again: each time another text."""
    return [
        reply_to(told, f"Answer number {number}.", author="bob", number=number)
        .as_bytes()
        .replace(b"\n", b"\r\n")
        for number in range(MAILS)
    ]


def count(instance: Instance, query: str) -> int:
    """One figure from the database of an installation, without starting a process on SQLite."""
    if not instance.database_url:
        with closing(sqlite3.connect(instance.home / "depesche.sqlite3", timeout=20)) as database:
            (found,) = database.execute(query).fetchone()
    else:
        import psycopg

        with psycopg.connect(instance.database_url) as connected:
            (found,) = connected.execute(query).fetchone() or (0,)  # type: ignore[arg-type]  # our own query
    return int(found)


COMMENTS = "SELECT count(*) FROM depesche_items_comment"
TEXTS = "SELECT count(DISTINCT text) FROM depesche_items_comment"
STORED = "SELECT count(*) FROM depesche_inbox_receivedmessage"
DONE = "SELECT count(*) FROM depesche_inbox_receivedmessage WHERE processed_at IS NOT NULL"


@pytest.mark.parametrize("protocol", [pytest.param("imap", marks=pytest.mark.contract), "pop3"])
@pytest.mark.timeout(PATIENCE * 3)
def test_killed_workers_lose_and_double_nothing(
    instance: Instance, mail_host: MailHost, protocol: str
) -> None:
    set_up(
        instance,
        people(),
        outgoing(mail_host.postfix.port_plain),
        mailbox(mail_host, protocol),
        new_item("Valve leaks"),
    )
    instance.run("worker", "--drain")
    told = mail_host.maildir("bob").wait_for_subject("Valve leaks", timeout=90)
    run_all(instance, outgoing(9))  # nothing listens there: what goes out is not at stake here
    append(mail_host, answers(told))
    chance = random.Random(7)
    worker = instance.start("worker")
    for _ in range(KILLS):
        done = count(instance, STORED) + count(instance, DONE)
        goal = min(2 * MAILS, done + chance.randint(1, max(2, 2 * MAILS // KILLS)))
        wait_until(
            lambda goal=goal: count(instance, STORED) + count(instance, DONE) >= goal,  # type: ignore[misc]  # a default binds the value of this round
            "something to happen between two kills",
            timeout=PATIENCE,
        )
        worker.kill()
        worker = instance.start("worker")
    wait_until(lambda: count(instance, DONE) >= MAILS, "every mail processed", timeout=PATIENCE)
    wait_until(lambda: count(instance, COMMENTS) >= MAILS, "every comment", timeout=PATIENCE)
    assert worker.terminate() == 0
    assert outcomes(instance) == {"comment": MAILS}
    assert (count(instance, COMMENTS), count(instance, TEXTS)) == (MAILS, MAILS)


def outcomes(instance: Instance) -> dict[str, int]:
    code = """
import django, json; django.setup()
from depesche.mailroom.inbox.queries import counts
print(json.dumps(counts()))
"""
    environment = instance.environment | {"DJANGO_SETTINGS_MODULE": "depesche.server.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    found: dict[str, int] = json.loads(done.stdout)
    return found
