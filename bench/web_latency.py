"""Saving comments in the web while mails go out on SQLite: how long a save takes, with and without the load.

    .venv/bin/python -m bench.web_latency [--mails 20000] [--saves 300]

`depesche serve` with its worker submits notices to smtp-sink; this process saves comments as a browser does
(form, CSRF, session, commit with synchronous=FULL), one after the other with 10 ms between, as long as mails
go out.
"""

from __future__ import annotations

import argparse
import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from bench.full_path import HERE, free_port, sink
from bench.rows import Row, percentile, save
from bench.waiting import put
from tests.support.waiting import wait_until

BETWEEN = 0.01  # seconds between two saves: people pause, and the machine is not the browser's alone
_PATIENCE = 30.0


class Browser:
    """Somebody who is signed in, and saves comments on one item over one connection."""

    def __init__(self, port: int, cookies: dict[str, str], path: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
        self._path = path
        self._headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self._token = cookies["csrftoken"]

    def save(self, text: str) -> float:
        """The seconds that it took."""
        body = urlencode({"csrfmiddlewaretoken": self._token, "text": text})
        began = time.perf_counter()
        self._connection.request("POST", self._path, body, self._headers)
        reply = self._connection.getresponse()
        page = reply.read()
        taken = time.perf_counter() - began
        assert reply.status == 302, page
        return taken

    def save_until(self, most: int, over: Callable[[], bool]) -> list[float]:
        """Save comments until `over()` or `most`; the seconds of each."""
        times = []
        for number in range(most):
            if over():
                break
            times.append(self.save(f"Comment {number}: looked at it, all is well."))
            time.sleep(BETWEEN)  # part of the load that is measured, no wait for anything
        return times


@dataclass
class Figures:
    """Seconds of the saves at rest and under load; mails/s then."""

    rest: list[float]
    load: list[float]
    rate: float


@contextmanager
def served() -> Iterator[int]:
    """`depesche serve`, pages and worker, on a free port."""
    port = free_port()
    program = str(Path(sys.executable).parent / "depesche")
    process = subprocess.Popen([program, "serve", "--port", str(port)], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert b"listens on" in process.stdout.readline()
        yield port
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def somebody(port: int) -> Browser:
    """A person with an item."""
    from django.conf import settings
    from django.test import Client
    from django.urls import reverse
    from django.utils.crypto import get_random_string

    from depesche.tracker.accounts.models import Person
    from depesche.tracker.items import actions

    author = Person.objects.create(email="jana@example.org", name="Jana Voss")
    workspace = actions.create_workspace("Plant", key="NW", members=[author])
    item = actions.create_item(workspace, author=author, title="Coolant pump", via="web")
    client = Client()
    client.force_login(author)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    cookies = {settings.SESSION_COOKIE_NAME: session, settings.CSRF_COOKIE_NAME: get_random_string(32)}
    return Browser(port, cookies, reverse("web:comment", args=[item.key]))


def measure(mails: int, saves: int) -> Figures:
    """Save at rest, then while the worker submits."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from depesche.mailroom.connections.models import OutgoingConnection
    from depesche.mailroom.connections.secrets import check_key
    from depesche.mailroom.outbox import queries

    check_key()
    with sink() as smtp_port, served() as port:
        browser = somebody(port)
        browser.save_until(20, lambda: False)
        rest = browser.save_until(saves, lambda: False)
        put(mails)
        OutgoingConnection.objects.create(
            place=0,
            host="127.0.0.1",
            port=smtp_port,
            encryption="none",
            system_address="tracker@example.org",
            revision=1,
        )
        wait_until(lambda: queries.stats().states.get("accepted", 0), "the first mail", timeout=_PATIENCE)
        began, before = time.perf_counter(), queries.stats().states["accepted"]
        last = [began, 0.0]

        def over() -> bool:
            if time.perf_counter() - last[0] > 0.25:  # a question of its own, not in the measured time
                last[0] = time.perf_counter()
                last[1] = float(queries.stats().states.get("queued", 0) == 0)
            return bool(last[1])

        load = browser.save_until(100_000, over)
        rate = (queries.stats().states["accepted"] - before) / (time.perf_counter() - began)
    return Figures(rest, load, rate)


def rows(found: Figures) -> list[Row]:
    """Milliseconds of a whole request."""
    listed = [
        Row(
            "saving a comment in the web while mails go out at full speed: p99",
            percentile(found.load, 0.99) * 1000,
            50,
            unit="ms",
            higher=False,
            detail=f"{len(found.load)} saves while mails went out at {found.rate:,.0f}/s; longest"
            f" {max(found.load) * 1000:.0f} ms",
        )
    ]
    more = [
        ("the same, p50", found.load, 0.5),
        ("saving a comment at rest, p50", found.rest, 0.5),
        ("saving a comment at rest, p99", found.rest, 0.99),
    ]
    listed += [
        Row(name, percentile(times, share) * 1000, unit="ms", higher=False) for name, times, share in more
    ]
    return listed


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mails", type=int, default=20_000)
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
        f"SQLite, synchronous=FULL; {options.mails:,} mails, {os.cpu_count()} CPUs shared by worker, web,"
        " browser and sink. Milliseconds of a whole request over HTTP."
    )
    print("\n" + save("web_latency", "Saving a comment while mails go out", method, rows(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
