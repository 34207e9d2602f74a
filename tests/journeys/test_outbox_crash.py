"""kill -9 of real workers, again and again, under a server that hangs up as well: nothing is lost.

Duplicates come only where SMTP leaves no choice: mails whose content was handed over, and whose acceptance
was not yet written down, when a worker or a connection was cut. Each carries its Message-ID.
"""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from depesche.smtpclient.testing.server import CUT, Act, Behaviour, Connection
from tests.journeys.killing import killed_again_and_again, settled
from tests.mailroom.outbox.servers import message_ids, running
from tests.support.processes import ROOT, Instance
from tests.support.waiting import wait_until

pytestmark = pytest.mark.journey

MAILS = 1000
KILLS = 20
CONNECTIONS = 4
IN_FLIGHT = CONNECTIONS * 2 + 100  # connections × window, and one batch of results not yet written down

_ENQUEUE = f"""
import django; django.setup()
from django.utils import timezone
from depesche.mailformat.compose import Content
from depesche.mailroom.outbox.actions import Category, NewMessage, NewRecipient, enqueue
new = NewMessage(Category.NOTICE, Content(b"Subject: x\\r\\n\\r\\nHello\\r\\n", "utf-8", False, False), "x")
enqueue(new, [
    NewRecipient(f"p{{n}}@example.org", f"<m{{n}}@example.org>",
                 f"To: p{{n}}@example.org\\r\\nMessage-ID: <m{{n}}@example.org>\\r\\n".encode())
    for n in range({MAILS})
], now=timezone.now())
"""


def enqueue_many(instance: Instance) -> None:
    environment = instance.environment | {"DJANGO_SETTINGS_MODULE": "depesche.server.settings"}
    subprocess.run([sys.executable, "-c", _ENQUEUE], env=environment, check=True, cwd=ROOT)


def prepared(instance: Instance, port: int) -> None:
    instance.run("init")
    instance.run(
        "connection", "set", "host=127.0.0.1", f"port={port}", "encryption=none",
        "system_address=tracker@example.org", f"maxNoOfSMTPConnections={CONNECTIONS}",
    )  # fmt: skip
    enqueue_many(instance)


def test_killed_workers_lose_nothing(instance: Instance) -> None:
    asked = iter(range(10**9))

    def hangs_up(stage: str, connection: Connection, argument: str) -> Act:
        if stage in ("rcpt", "data", "after-content") and next(asked) % 149 == 148:
            return CUT
        return None

    with running(Behaviour(decide=hangs_up, reply_delay=0.004)) as server:
        prepared(instance, server.port)
        workers = killed_again_and_again(instance, server, kills=KILLS, between=MAILS // (KILLS + 12))
        killed_at = time.monotonic()
        wait_until(lambda: settled(instance, MAILS), f"all mails after {killed_at}", timeout=90)
        for worker in workers:
            assert worker.terminate() == 0

    arrived = message_ids(server)
    assert len(arrived) == MAILS  # every mail arrived, each under the Message-ID it was given
    assert set(arrived) == {f"<m{n}@example.org>" for n in range(MAILS)}
    again = {message_id for message_id, count in arrived.items() if count > 1}
    cut = _ever_cut(instance)
    assert again <= cut  # only what was in flight at a cut
    assert sum(arrived.values()) - MAILS <= KILLS * IN_FLIGHT


def _ever_cut(instance: Instance) -> set[str]:
    """The Message-IDs that a kill or a lost connection met in flight, as the history has it."""
    code = """
import django; django.setup()
from depesche.mailroom.outbox.models import OutboxAttempt
rows = OutboxAttempt.objects.filter(outcome__in=["abandoned", "uncertain"])
print("\\n".join(rows.values_list("recipient__internet_message_id", flat=True).distinct()))
"""
    environment = instance.environment | {"DJANGO_SETTINGS_MODULE": "depesche.server.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, cwd=ROOT, capture_output=True, text=True
    )
    return set(done.stdout.split())


def test_the_cap_holds_over_four_processes(instance: Instance) -> None:
    with running(Behaviour(reply_delay=0.003)) as server:
        prepared(instance, server.port)
        workers = [instance.start("worker") for _ in range(4)]
        wait_until(lambda: len(server.messages) >= MAILS, "all mails", timeout=90)
        for worker in workers:
            assert worker.terminate() == 0
    assert server.high_water <= CONNECTIONS
    assert set(message_ids(server).values()) == {1}
    assert instance.json("outbox", "stats")["states"] == {"accepted": MAILS}
