"""Saving comments in the web while mails go out on SQLite: how long a save takes, with and without the load.

    .venv/bin/python -m bench.web_latency [--mails 5000] [--saves 300]

A real worker process submits notices to smtp-sink; this process saves comments through the whole web stack
(form, CSRF, session, action, commit with synchronous=FULL), one after the other with 10 ms between, as long
as mails go out.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.full_path import HERE, sink
from bench.rows import Row, percentile, save
from bench.waiting import put

BETWEEN = 0.01


def watch_the_lock() -> list[float]:
    """A list that grows by the seconds that each transaction of this process waited for the lock."""
    from django.db import connections

    wrapper: Any = type(connections["default"])
    waits: list[float] = []
    begin = wrapper._start_transaction_under_autocommit

    def timed(self: Any) -> None:
        began = time.perf_counter()
        begin(self)
        waits.append(time.perf_counter() - began)

    wrapper._start_transaction_under_autocommit = timed
    return waits


def save_until(client: Any, url: str, most: int, over: Any) -> list[float]:
    """Save comments until `over()` or `most`; the seconds of each."""
    times = []
    for number in range(most):
        if over():
            break
        began = time.perf_counter()
        response = client.post(url, {"text": f"Comment {number}: looked at it, all is well."})
        times.append(time.perf_counter() - began)
        assert response.status_code == 302, response.content
        time.sleep(BETWEEN)
    return times


@dataclass
class Figures:
    """Seconds of the saves at rest and under load, and of the waits for the lock under load; mails/s then."""

    rest: list[float]
    load: list[float]
    waits: list[float]
    rate: float


def measure(mails: int, saves: int) -> Figures:
    """Save at rest, then while a worker submits."""
    from django.core.management import call_command
    from django.test import Client
    from django.urls import reverse
    from django.utils import timezone

    call_command("migrate", verbosity=0)
    from depesche.mailroom.connections.models import OutgoingConnection
    from depesche.mailroom.connections.secrets import check_key
    from depesche.mailroom.outbox import queries
    from depesche.tracker.accounts.models import Person
    from depesche.tracker.items import actions

    check_key()
    author = Person.objects.create(email="jana@example.org", name="Jana Voss")
    workspace = actions.create_workspace("Plant", key="NW", members=[author])
    item = actions.create_item(workspace, author=author, title="Coolant pump", via="web")
    client = Client()
    client.force_login(author)
    url = reverse("web:comment", args=[item.key])
    waits = watch_the_lock()
    save_until(client, url, 20, lambda: False)
    rest = save_until(client, url, saves, lambda: False)
    put(mails)
    with sink() as port:
        OutgoingConnection.objects.create(
            place=0, host="127.0.0.1", port=port, encryption="none", system_address="tracker@example.org"
        )
        worker = subprocess.Popen([str(Path(sys.executable).parent / "depesche"), "worker"])
        try:
            while not queries.stats().states.get("accepted", 0):
                time.sleep(0.02)
            began, before = time.perf_counter(), queries.stats().states["accepted"]
            last = [began, 0.0]

            def over() -> bool:
                if time.perf_counter() - last[0] > 0.25:  # a question of its own, not in the measured time
                    last[0] = time.perf_counter()
                    last[1] = float(queries.stats(timezone.now()).states.get("queued", 0) == 0)
                return bool(last[1])

            waits.clear()
            load = save_until(client, url, 100_000, over)
            rate = (queries.stats().states["accepted"] - before) / (time.perf_counter() - began)
        finally:
            worker.terminate()
            worker.wait(30)
    return Figures(rest, load, list(waits), rate)


def rows(found: Figures) -> list[Row]:
    """Milliseconds of a whole request."""
    listed = [
        Row(
            "saving a comment in the web while mails go out at full speed: p99",
            percentile(found.load, 0.99) * 1000,
            50,
            unit="ms",
            higher=False,
            detail=f"{len(found.load)} saves while mails went out at {found.rate:,.0f}/s",
        )
    ]
    more = [
        ("the same, p50", found.load, 0.5),
        ("of that, waiting for the write lock, p99", found.waits, 0.99),
        ("saving a comment at rest, p50", found.rest, 0.5),
        ("saving a comment at rest, p99", found.rest, 0.99),
    ]
    listed += [
        Row(name, percentile(times, share) * 1000, unit="ms", higher=False) for name, times, share in more
    ]
    return listed


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mails", type=int, default=5000)
    parser.add_argument("--saves", type=int, default=300)
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="depesche-bench-") as home:
        from depesche.server import keyfile

        keyfile.create(Path(home) / "secret.key")
        for name in [name for name in os.environ if name.startswith(("DJANGO_", "DEPESCHE_"))]:
            del os.environ[name]
        os.environ |= {"DEPESCHE_HOME": home, "DJANGO_SETTINGS_MODULE": "depesche.server.settings"}
        os.chdir(HERE.parent)
        import django

        django.setup()
        found = measure(options.mails, options.saves)
    method = (
        f"SQLite, synchronous=FULL; {options.mails:,} mails, {os.cpu_count()} CPUs shared by worker, web and"
        " sink. Milliseconds of a whole request."
    )
    print("\n" + save("web_latency", "Saving a comment while mails go out", method, rows(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
