"""kill -9 of the worker, again and again, while it fetches and processes: each mail has its effect once.

A longer run by hand: `MAILS=1000 KILLS=50 .venv/bin/python -m pytest tests/journeys/test_inbox_crash.py`.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from tests.journeys.inbox_support import append, mailbox, outgoing, people, set_up
from tests.support.mail_host import MailHost
from tests.support.processes import Instance
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.journey]

MAILS = int(os.environ.get("MAILS", "40"))
KILLS = int(os.environ.get("KILLS", "4"))
PATIENCE = 170 + MAILS / 5 + KILLS * 6


def mails() -> list[bytes]:
    return [
        f"From: {name}@example.org\r\nTo: tracker@example.org\r\nSubject: Pump {number}\r\n"
        f"Message-ID: <{number}@client.example.org>\r\n\r\nPump {number} leaks.\r\n".encode()
        for number in range(MAILS)
        for name in [("alice", "bob", "carol")[number % 3]]
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


ITEMS = "SELECT count(*) FROM depesche_items_item"
STORED = "SELECT count(*) FROM depesche_inbox_receivedmessage"
DONE = "SELECT count(*) FROM depesche_inbox_receivedmessage WHERE processed_at IS NOT NULL"


@pytest.mark.parametrize("protocol", [pytest.param("imap", marks=pytest.mark.contract), "pop3"])
def test_killed_workers_lose_and_double_nothing(
    instance: Instance, mail_host: MailHost, protocol: str
) -> None:
    set_up(
        instance,
        people(),
        # Nothing listens there: what goes out is not at stake here.
        outgoing(9, "items_by_mail=on"),
        mailbox(mail_host, protocol),
    )
    append(mail_host, mails())
    worker = instance.start("worker")
    for _ in range(KILLS):
        before = count(instance, STORED) + count(instance, DONE)
        wait_until(
            lambda before=before: (  # type: ignore[misc]  # a default binds the value of this round
                count(instance, STORED) + count(instance, DONE) > before or count(instance, DONE) == MAILS
            ),
            "something to happen between two kills",
            timeout=PATIENCE,
        )
        worker.kill()
        worker = instance.start("worker")
    wait_until(lambda: count(instance, DONE) >= MAILS, "every mail processed", timeout=PATIENCE)
    wait_until(lambda: count(instance, ITEMS) >= MAILS, "every item", timeout=PATIENCE)
    assert worker.terminate() == 0
    assert outcomes(instance) == {"item": MAILS}
    assert count(instance, ITEMS) == MAILS
    assert count(instance, "SELECT count(DISTINCT title) FROM depesche_items_item") == MAILS


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
