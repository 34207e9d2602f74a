"""The full path beside other programs: mails/s from a durable outbox to smtp-sink on loopback.

    .venv/bin/python -m bench.full_path [--rounds 5] [--count 10000]

Peers: `smtp-source` (C, no queue, no composing; Postfix), nodemailer's pool (npm; composes each mail, no
queue) and django-post_office, which does what we do: it queues on SQLite (by its quickest way, `send_many`),
composes and submits. All of it counts, as all of ours; how both compare from the full queue on is told too.
All submit the same mail of text and HTML, 2.9 KB together, one recipient each, over 10 connections, to a
fresh smtp-sink. The rounds are interleaved, so that a busy machine slows all; the figures are medians and
their ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from bench.rows import Row, save
from tests.support.postgres import PostgresServer

HERE = Path(__file__).resolve().parent
PEERS = HERE / ".peers"
SEARCH = os.pathsep.join(["/usr/sbin", os.environ.get("PATH", "")])

_LINE = "Status changed from open to in progress by Jane Doe, and the reason for it is told below.\n"
MAIL = {
    "subject": "[DEMO-17] State changed: in progress",
    "text": _LINE * 14,
    "html": "<html><body>\n" + f"<p>{_LINE.strip()}</p>\n" * 15 + "</body></html>\n",
}
SIZE = len(MAIL["text"]) + len(MAIL["html"])


def program(name: str) -> str | None:
    return shutil.which(name, path=SEARCH)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def sink() -> Iterator[int]:
    """A fresh smtp-sink on a free port."""
    path = program("smtp-sink")
    assert path is not None, "smtp-sink is missing: Debian's package postfix has it"
    port = free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen([path, *user, f"127.0.0.1:{port}", "1000"], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait()


@dataclass
class Runner:
    """One program: `run(port, count)` gives the seconds, and those of submission alone where it has a queue;
    `rates` and `drains` are mails a second of the rounds."""

    name: str
    count: int
    run: Callable[[int, int], tuple[float, float]]
    what: str
    at_least: float | None = None
    aim: float | None = None
    of_ours: bool = False
    queues_too: bool = False
    rates: list[float] = field(default_factory=list)
    drains: list[float] = field(default_factory=list)

    def measure(self, port: int) -> None:
        """One round more."""
        whole, submission = self.run(port, self.count)
        self.rates.append(self.count / whole)
        self.drains.append(self.count / submission)

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    @property
    def spread(self) -> str:
        return f"{min(self.rates):,.0f} to {max(self.rates):,.0f}"


def _json_of(command: list[str], environment: dict[str, str], count: int) -> dict[str, float]:
    done = subprocess.run(
        command, env=environment, check=True, stdout=subprocess.PIPE, text=True, cwd=HERE.parent
    )
    printed: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    assert printed["accepted"] == count, printed
    return printed


def _environment(**more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("DJANGO_", "DEPESCHE_"))}
    return kept | {"MAIL": json.dumps(MAIL)} | more


def smtp_source(port: int, count: int) -> tuple[float, float]:
    path = program("smtp-source")
    assert path is not None
    command = [path, "-d", "-s", "10", "-l", str(SIZE), "-m", str(count), "-f", "tracker@example.org"]
    began = time.perf_counter()
    subprocess.run([*command, "-t", "person@example.org", f"127.0.0.1:{port}"], check=True)
    return (taken := time.perf_counter() - began), taken


def _seconds(printed: dict[str, float]) -> tuple[float, float]:
    return printed["seconds"], printed.get("drain", printed["seconds"])


def ours(port: int, count: int, database_url: str = "") -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="depesche-bench-") as home:
        more = {"DEPESCHE_HOME": home, "PYTHONPATH": str(HERE.parent)}
        if database_url:
            more["DEPESCHE_DATABASE_URL"] = database_url
        command = [sys.executable, "-m", "bench.ours", str(port), str(count)]
        return _seconds(_json_of(command, _environment(**more), count))


def nodemailer(port: int, count: int) -> tuple[float, float]:
    command = [
        "node",
        str(HERE / "peers" / "nodemailer.mjs"),
        str(PEERS / "nodemailer"),
        str(port),
        str(count),
    ]
    return _seconds(_json_of(command, _environment(), count))


def post_office(port: int, count: int, processes: int, threads: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="depesche-bench-") as home:
        python = str(PEERS / "post_office" / "bin" / "python")
        script = str(HERE / "peers" / "post_office_run.py")
        command = [python, script, str(port), str(count), str(processes), str(threads), home]
        return _seconds(_json_of(command, _environment(), count))


def set_up_nodemailer() -> str | None:
    """Install it beside this file; its version, None where node or npm is missing."""
    if not (shutil.which("node") and shutil.which("npm")):
        return None
    folder = PEERS / "nodemailer"
    package = folder / "node_modules" / "nodemailer" / "package.json"
    if not package.exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
        command = ["npm", "install", "--no-audit", "--no-fund", "--silent", "nodemailer"]
        subprocess.run(command, cwd=folder, check=True)
    return str(json.loads(package.read_text(encoding="utf-8"))["version"])


def set_up_post_office() -> str:
    """Install it into an environment of its own; its version."""
    folder = PEERS / "post_office"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "django-post-office"], check=True)
    ask = (
        "from importlib.metadata import version as v\n"
        "print(v('django-post-office'), 'with Django', v('django'))"
    )
    return subprocess.run([python, "-c", ask], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def best_setting(count: int) -> tuple[int, int]:
    """Processes and threads with which post_office is quickest here."""
    timed: dict[tuple[int, int], float] = {}
    for setting in ((1, 1), (1, 4), (1, 10), (2, 5)):
        with sink() as port:
            try:
                timed[setting] = post_office(port, count, *setting)[1]
            except subprocess.CalledProcessError:
                continue  # several processes on SQLite may end in "database is locked"
    return min(timed, key=lambda setting: timed[setting])


def runners(count: int, database_url: str) -> tuple[list[Runner], list[str]]:
    """The programs that can run here, and what is said about them."""
    notes = [f"Python {platform.python_version()}, Django {version('django')}, {os.cpu_count()} CPUs"]
    listed = [
        Runner("depesche, SQLite (synchronous=FULL)", count, ours, "compose, queue, claim, submit, record"),
        Runner("smtp-source -d -s 10", count, smtp_source, "C; no queue, no composing", 0.3, 1.0),
    ]
    if database_url:
        listed.insert(
            1,
            Runner(
                "full path on PostgreSQL",
                count,
                lambda port, n: ours(port, n, database_url),
                "the same",
                0.7,
                1.0,
                of_ours=True,
            ),
        )
    if (node := set_up_nodemailer()) is not None:
        some = max(500, count // 2)
        listed.append(Runner("nodemailer pool, 10", some, nodemailer, "composes; no queue", 5, 12))
        notes.append(f"nodemailer {node}")
    else:
        notes.append("nodemailer was left out: node or npm is missing")
    found = set_up_post_office()
    setting = best_setting(max(200, count // 40))
    some = max(300, count // 5)
    listed.append(
        Runner(
            f"django-post_office, {setting[0]} × {setting[1]} threads",
            some,
            lambda port, n: post_office(port, n, *setting),
            "compose, queue on SQLite, submit",
            8,
            20,
            queues_too=True,
        )
    )
    notes.append(f"django-post_office {found}, the quickest of four settings")
    return listed, notes


def rows(listed: list[Runner]) -> list[Row]:
    """Our rate over each other one."""
    mine = listed[0]
    found = [Row("full path on SQLite (synchronous=FULL), mails a second", mine.rate, detail=mine.spread)]
    for one in listed[1:]:
        if one.of_ours:
            ratio = one.rate / mine.rate
            detail = f"{one.rate:,.0f}/s ({one.spread}); its synchronous_commit and fsync are on"
            found.append(Row(f"{one.name} ÷ SQLite", ratio, one.at_least, one.aim, detail=detail))
        else:
            detail = f"{one.rate:,.0f}/s ({one.spread}); {one.what}"
            name = f"full path on SQLite ÷ {one.name}"
            found.append(Row(name, mine.rate / one.rate, one.at_least, one.aim, detail=detail))
        if one.queues_too:
            ours_alone, its = statistics.median(mine.drains), statistics.median(one.drains)
            detail = f"{ours_alone:,.0f}/s and {its:,.0f}/s"
            found.append(
                Row("the same, submission alone ÷ submission alone", ours_alone / its, detail=detail)
            )
            detail = f"{mine.rate:,.0f}/s and {its:,.0f}/s"
            found.append(
                Row("the same, our full path ÷ its submission alone", mine.rate / its, detail=detail)
            )
    return found


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=10_000, help="mails of a round")
    options = parser.parse_args(words)
    if program("smtp-sink") is None or program("smtp-source") is None:
        print("smtp-sink and smtp-source are missing: Debian's package postfix has them.", file=sys.stderr)
        return 1
    with PostgresServer(durable=True) as postgres:
        listed, notes = runners(options.count, postgres.url)
        for number in range(options.rounds):
            for one in listed:
                with sink() as port:
                    one.measure(port)
                print(f"round {number + 1}: {one.name}: {one.rates[-1]:,.0f}/s", flush=True)
    method = (
        f"{options.rounds} interleaved rounds, medians. Mails of {SIZE} octets text and HTML, one recipient"
        f" each, 10 connections, to a fresh `smtp-sink`. {'. '.join(notes)}."
    )
    print("\n" + save("full_path", "Full path on loopback", method, rows(listed)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
