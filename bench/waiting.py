"""A large queue: is the worker as quick and as small with 1,000,000 mails waiting as with a few?

    python -m bench.waiting [--rounds 5] [--large 1000000] [--small 10000] [--count 5000]

Each round drains the same number of mails from the large queue and from the small one, which is filled up
again before; the clock runs from the start of the worker. Memory is the most that the worker's process ever
had, with the large queue and with 1,000 mails.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.full_path import HERE, MAIL, program, sink
from bench.rows import Rounds, Row, save

_AT_ONCE = 10_000
_TINY = 1_000


def put(count: int) -> None:
    """Queue so many notices, in transactions of 10,000."""
    from django.db import transaction
    from django.utils import timezone

    from depesche.mailformat.addresses import Address
    from depesche.mailformat.compose import Draft, compose, personal_headers
    from depesche.mailroom.outbox.actions import Category, NewMessage, NewRecipient, enqueue

    now = timezone.now()
    content = compose(Draft(MAIL["subject"], MAIL["text"], now, html=MAIL["html"]), boundary="k3jd82hs7ak2h")
    mark = f"{time.time_ns():x}"
    for first in range(0, count, _AT_ONCE):
        recipients = []
        for n in range(first, min(first + _AT_ONCE, count)):
            message_id = f"<{n}.{mark}@example.org>"
            header = personal_headers(to=[Address("", f"p{n}@example.org")], message_id=message_id)
            recipients.append(NewRecipient(f"p{n}@example.org", message_id, header))
        with transaction.atomic():
            enqueue(NewMessage(Category.NOTICE, content, MAIL["subject"]), recipients, now=now)


def connect(port: int) -> None:
    """Let the outbox submit to this port of this machine."""
    from depesche.mailroom.connections.models import OutgoingConnection

    values = {
        "host": "127.0.0.1",
        "port": port,
        "encryption": "none",
        "system_address": "tracker@example.org",
        "revision": int(time.time()),
    }
    OutgoingConnection.objects.update_or_create(place=0, defaults=values)


async def _drain(count: int) -> float:
    from depesche.mailroom.outbox.worker import Worker

    worker = Worker(with_tasks=False, eager=True)
    began = time.perf_counter()
    await worker.start()
    while worker.desk.accepted < count:
        await asyncio.sleep(0.005)
    seconds = time.perf_counter() - began
    await worker.end()
    return worker.desk.accepted / seconds


def child(words: list[str]) -> None:
    """`fill N` | `top-up N` | `drain PORT COUNT` in the installation of DEPESCHE_HOME; one JSON line."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"
    import django

    django.setup()
    from django.core.management import call_command

    from depesche.mailroom.outbox import queries

    if words[0] == "fill":
        call_command("migrate", verbosity=0)
        put(int(words[1]))
        print(json.dumps({}))
    elif words[0] == "top-up":
        put(max(0, int(words[1]) - queries.stats().remaining))
        print(json.dumps({}))
    else:
        connect(int(words[1]))
        rate = asyncio.run(_drain(int(words[2])))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        began = time.perf_counter()
        queries.stats()
        print(json.dumps({"rate": rate, "peak": peak, "look": (time.perf_counter() - began) * 1000}))


class Queue:
    """An installation with so many mails waiting."""

    def __init__(self, home: Path, size: int) -> None:
        home.mkdir()
        self._home, self.size = home, size
        self.rates, self.peaks, self.looks = Rounds(), Rounds(), Rounds()
        self._run("fill", str(size))

    def _run(self, *words: str) -> dict[str, float]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO_", "DEPESCHE_"))}
        environment = kept | {"DEPESCHE_HOME": str(self._home)}
        command = [sys.executable, "-m", "bench.waiting", "--child", *words]
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, cwd=HERE.parent, env=environment
        )
        printed: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return printed

    def round(self, count: int, *, top_up: bool) -> None:
        if top_up:
            self._run("top-up", str(self.size))
        with sink() as port:
            found = self._run("drain", str(port), str(min(count, self.size)))
        self.rates.add(found["rate"])
        self.peaks.add(found["peak"])
        self.looks.add(found["look"])


def measure(rounds: int, large: int, small: int, count: int) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="depesche-bench-") as folder:
        print(f"filling a queue of {large:,}", flush=True)
        queues = (
            Queue(Path(folder) / "large", large),
            Queue(Path(folder) / "small", small),
            Queue(Path(folder) / "tiny", _TINY),
        )
        for number in range(rounds):
            for queue in queues:
                queue.round(count, top_up=queue is not queues[0])
            shown = ", ".join(f"{queue.size:,}: {queue.rates.figures[-1]:,.0f}/s" for queue in queues)
            print(f"round {number + 1}: {shown}", flush=True)
    many, few, tiny = queues
    rates = f"{many.rates.median:,.0f}/s and {few.rates.median:,.0f}/s"
    peaks = f"{many.peaks.median:.0f} MB and {tiny.peaks.median:.0f} MB"
    return [
        Row(f"rate with {large:,} waiting ÷ with {small:,}", many.rates.median / few.rates.median, 0.8, 0.95,
            detail=f"{rates}; {count:,} mails each, the start of the worker included"),
        Row(f"worker's memory with {large:,} waiting − with {_TINY:,}", many.peaks.median - tiny.peaks.median,
            40, 10, unit="MB", higher=False, detail=peaks),
        Row(f"one look at the figures (`outbox stats`) with {large:,} waiting", many.looks.median, unit="ms",
            higher=False, detail=f"with {small:,}: {few.looks.median:.1f} ms"),
    ]  # fmt: skip


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--count", type=int, default=5_000, help="mails of a round")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if options.child:
        child(options.child)
        return 0
    if program("smtp-sink") is None:
        print("smtp-sink is missing: Debian's package postfix has it.", file=sys.stderr)
        return 1
    rows = measure(options.rounds, options.large, options.small, options.count)
    method = f"{options.rounds} interleaved rounds, medians; SQLite (synchronous=FULL), smtp-sink."
    print("\n" + save("waiting", "A large queue", method, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
