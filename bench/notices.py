"""From a saved comment to the server's 250, and what a save costs with many watchers.

    python -m bench.notices [--rounds 5] [--comments 40]

Latency: a worker process waits, nothing else goes on; a comment is committed, and the clock runs until the
server has said 250 to its one mail. Both clocks are the machine's monotonic one. Comments come one at a time
with pauses between 30 and 300 ms. Saving: whole requests through the web stack, on an item with 10,000
watchers and on one with 10, in turns, while no worker runs.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.full_path import HERE, free_port
from bench.rows import Rounds, Row, percentile, save
from tests.support.waiting import wait_until

_FEW, _MANY = 10, 10_000


@dataclass
class Stage:
    """People and items that are written about."""

    client: Any
    few: Any
    many: Any
    watched: Any
    author: Any


def prepare() -> Stage:
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    from depesche.mailroom.connections.secrets import check_key
    from depesche.tracker.accounts.models import Person
    from depesche.tracker.items import actions
    from depesche.tracker.items.models import Watcher

    check_key()
    author = Person.objects.create(email="jana@example.org", name="Jana Voss")
    people = Person.objects.bulk_create(
        Person(email=f"person{n}@example.org", name=f"Person Number{n}") for n in range(_MANY)
    )
    workspace = actions.create_workspace("Plant", key="NW", members=[author, *people])
    items = [
        actions.create_item(workspace, author=author, title=f"Coolant pump {n}", via="web") for n in range(3)
    ]
    for item, count in ((items[0], _FEW), (items[1], _MANY), (items[2], 1)):
        Watcher.objects.bulk_create(Watcher(item=item, person=person) for person in people[:count])
    client = Client()
    client.force_login(author)
    return Stage(client, items[0], items[1], items[2], author)


def save_comment(stage: Stage, item: Any, number: int) -> float:
    """Through the whole web stack; seconds."""
    from django.urls import reverse

    began = time.perf_counter()
    url = reverse("web:comment", args=[item.key])
    response = stage.client.post(url, {"text": f"Comment {number}: looked at it, all is well."})
    seconds = time.perf_counter() - began
    assert response.status_code == 302, response.content
    return seconds


def saving(stage: Stage, rounds: int, comments: int) -> Row:
    for item in (stage.few, stage.many):
        save_comment(stage, item, 0)
    medians = {stage.few: Rounds(), stage.many: Rounds()}
    for number in range(rounds):
        times: dict[Any, list[float]] = {stage.few: [], stage.many: []}
        for count in range(comments):
            for item, taken in times.items():
                taken.append(save_comment(stage, item, number * comments + count))
        for item, taken in times.items():
            medians[item].add(percentile(taken, 0.5) * 1000)
    few, many = medians[stage.few].median, medians[stage.many].median
    return Row(
        f"saving a comment with {_MANY:,} watchers ÷ with {_FEW}", many / few, 1.3, 1.1, higher=False,
        detail=f"{many:.1f} ms and {few:.1f} ms",
    )  # fmt: skip


@contextlib.contextmanager
def timed_sink(times: Path) -> Iterator[int]:
    """Our sink, which writes down when it said 250."""
    port = free_port()
    words = [sys.executable, "-m", "bench.far.sink", "127.0.0.1", str(port), "--times", str(times)]
    process = subprocess.Popen(words, cwd=HERE.parent, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


def until_the_mail(times: Path, known: int) -> float:
    """Wait for one more line; its time."""
    found: list[str] = []

    def there() -> bool:
        found[:] = times.read_text(encoding="ascii").splitlines()
        return len(found) > known

    wait_until(there, "the mail of a comment")
    return float(found[known].split()[1])


def latency(stage: Stage, count: int) -> list[float]:
    """Milliseconds from commit to 250."""
    from depesche.mailroom.connections.models import OutgoingConnection
    from depesche.tracker.items import actions

    chance = random.Random(7)
    with tempfile.TemporaryDirectory(prefix="depesche-bench-") as folder:
        times = Path(folder) / "times"
        with timed_sink(times) as port:
            OutgoingConnection.objects.create(
                place=0, host="127.0.0.1", port=port, encryption="none", system_address="tracker@example.org"
            )
            worker = subprocess.Popen([str(Path(sys.executable).parent / "depesche"), "worker"])
            taken = []
            try:
                for number in range(-3, count):
                    actions.add_comment(
                        stage.watched, author=stage.author, text=f"Comment {number}: all is well.", via="web"
                    )
                    committed = time.monotonic()
                    accepted = until_the_mail(times, number + 3)
                    if number >= 0:  # the first ones wait for the worker to start
                        taken.append((accepted - committed) * 1000)
                    time.sleep(chance.uniform(0.03, 0.3))
            finally:
                worker.terminate()
                worker.wait(30)
    return taken


def measure(rounds: int, comments: int) -> list[Row]:
    stage = prepare()
    saved = saving(stage, rounds, comments)
    from depesche.tracker.items.models import ItemEvent

    ItemEvent.objects.all().delete()  # what was saved without a worker is not what is timed now
    taken = latency(stage, rounds * comments)
    shown = f"{len(taken)} comments; longest {max(taken):.0f} ms"
    return [
        Row("from commit of a comment to the server's 250, idle: p50", percentile(taken, 0.5), 50, 15,
            unit="ms", higher=False, detail=shown),
        Row("from commit of a comment to the server's 250, idle: p99", percentile(taken, 0.99), 200, 60,
            unit="ms", higher=False, detail=shown),
        saved,
    ]  # fmt: skip


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--comments", type=int, default=40, help="comments of a round")
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
        rows = measure(options.rounds, options.comments)
    method = "SQLite (synchronous=FULL)."
    print("\n" + save("notices", "Notices: how soon, and what a save costs", method, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
