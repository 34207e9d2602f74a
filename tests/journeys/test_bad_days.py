"""Wrong settings and bad servers with real commands: mails wait with the reason shown, and go when it is set
right (issue: bad input and bad days).
"""

from __future__ import annotations

import os
import sqlite3
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme

from depesche.smtpclient.testing.server import CUT, Behaviour, FakeServer, in_thread
from tests.mailroom.outbox.servers import message_ids
from tests.support.availability import find
from tests.support.ports import free_port
from tests.support.processes import Instance
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.journey]

PASSWORD = "correct horse battery"
RIGHT = ("host=127.0.0.1", "encryption=none", "auth=none", "system_address=tracker@example.org")
RESUMES = 5.0  # seconds after new settings
LOCKED = 4.0  # seconds; tests/soak holds it longer


def people(instance: Instance) -> None:
    """Alice writes, Bob is told."""
    instance.run("init")
    for name in ("alice", "bob"):
        instance.run(
            "person", "add", f"{name}@example.org", "--name", name, "--password-stdin",
            stdin=PASSWORD + "\n",
        )  # fmt: skip
    instance.run("workspace", "add", "Plant", "--member", "alice@example.org", "--member", "bob@example.org")
    instance.run(
        "item", "create", "--workspace", "Plant", "--title", "Pump", "--text", "x",
        "--as", "alice@example.org", "--watch", "bob@example.org",
    )  # fmt: skip


def comment(instance: Instance, text: str) -> None:
    instance.run("item", "comment", "1", "--as", "alice@example.org", "--text", text)


def states(instance: Instance) -> dict[str, int]:
    shown: dict[str, int] = instance.json("outbox", "stats")["states"]
    return shown


def said_by_check(instance: Instance) -> str:
    done = instance.run("check", status=None)
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout


@dataclass(frozen=True)
class BadDay:
    """Settings or a server that are wrong, and words that say what is the case."""

    words: str
    settings: tuple[str, ...] = ()
    behaviour: Behaviour = field(default_factory=Behaviour)
    stranger: bool = False  # its certificate comes from an authority that nobody knows
    password: str = ""


LOGIN = ("auth=password", "username=tracker")
BAD_DAYS = {
    "host": BadDay("does not exist", ("host=nohost.invalid",)),
    "certificate": BadDay("vouches", ("encryption=tls",), Behaviour(starttls=True), stranger=True),
    "password": BadDay(
        "password is wrong", LOGIN, Behaviour(mechanisms=("CRAM-MD5",), users={"tracker": "x"}), password="y"
    ),
    "sender": BadDay(
        "only its own sender", behaviour=Behaviour(faults={"mail": "550 5.7.1 sender not allowed"})
    ),
    "closed": BadDay("closed just now", behaviour=Behaviour(faults={"greeting": "421 4.3.2 closing"})),
}


def stranger() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_mails_wait_until_the_settings_are_right(instance: Instance) -> None:
    """Nothing configured, then one wrong setting after the other; each time put right again."""
    people(instance)
    instance.start("worker")
    wait_until(lambda: states(instance) == {"queued": 1}, "the notice")
    assert "No SMTP server is configured: mails wait" in said_by_check(instance)
    with in_thread(FakeServer()) as good:
        count = 1
        instance.run("connection", "set", *RIGHT, f"port={good.port}")
        _resumes(good, count)
        for name, day in BAD_DAYS.items():
            with in_thread(FakeServer(day.behaviour, context=stranger() if day.stranger else None)) as bad:
                password = ("--password-stdin",) if day.password else ()
                instance.run(
                    "connection", "set", *RIGHT, f"port={bad.port}", *day.settings, *password,
                    stdin=day.password + "\n",
                )  # fmt: skip
                comment(instance, name)
                wait_until(
                    lambda words=day.words: words in said_by_check(instance),  # type: ignore[misc]  # binds this round's words
                    f"{name}: {day.words!r}",
                )
                (waiting,) = wait_until(  # a probe has it for a moment
                    lambda: instance.json_lines("outbox", "list", "--state", "queued"), f"{name}: it waits"
                )
                assert waiting["attempts"] == 0, name
                assert bad.messages == []
                assert bad.violations == []
                count += 1
                instance.run("connection", "set", *RIGHT, f"port={good.port}")
                _resumes(good, count)
        wait_until(lambda: states(instance) == {"accepted": count}, "all mails written down")
    assert set(message_ids(good).values()) == {1}


def _resumes(server: FakeServer, count: int) -> None:
    wait_until(lambda: len(server.messages) == count, f"mail {count} soon", timeout=2 * RESUMES)


TESTS: dict[str, tuple[BadDay, str]] = {
    "refused-sender": (BAD_DAYS["sender"], "mail-from-system"),
    "refused-recipient": (
        BadDay("does not exist", behaviour=Behaviour(faults={"rcpt": "550 5.1.1 no such user"})),
        "recipient",
    ),
    "greylisted": (
        BadDay("greylisting", behaviour=Behaviour(faults={"rcpt": "450 4.7.1 greylisted"})),
        "recipient",
    ),
    "cut-at-content": (BadDay("Nobody knows", behaviour=Behaviour(faults={"content": CUT})), "content"),
    "closed-at-data": (
        BadDay("trouble just now", behaviour=Behaviour(faults={"data": "421 4.3.2 closing"})),
        "content",
    ),
    "words-before-tls": (
        BadDay(
            "put something into the connection",
            ("encryption=tls",),
            Behaviour(starttls=True, after_starttls=b"250 evil\r\n"),
            stranger=True,
        ),
        "tls",
    ),
    "endless-reply": (
        BadDay("broke the rules", behaviour=Behaviour(faults={"ehlo": "250-" + "x" * 100_000 + "\n250 x"})),
        "capabilities",
    ),
}


def test_the_test_names_what_failed_and_what_to_do(instance: Instance) -> None:
    instance.run("init")
    for name, (day, stage) in TESTS.items():
        with in_thread(FakeServer(day.behaviour, context=stranger() if day.stranger else None)) as server:
            done = instance.run(
                "connection", "test", "--to", "alice@example.org", *RIGHT, f"port={server.port}",
                *day.settings, status=1,
            )  # fmt: skip
        assert "Traceback" not in done.stdout + done.stderr, name
        assert "could not send" not in (done.stdout + done.stderr).lower(), name
        failed = [line.split()[0] for line in done.stdout.splitlines() if " failed " in line]
        assert failed == [stage], (name, done.stdout)
        assert day.words in done.stdout, (name, done.stdout)
        assert "cause:" in done.stdout, name
        assert "remedy:" in done.stdout, name
        assert done.stderr.startswith(f"{stage}: "), name
        assert done.stderr.strip().count("\n") == 0, name
    assert instance.json("connection", "show")["host"] == ""  # a test saves nothing


INVALID = {
    "port=65536": 1, "host=evil\r\nRCPT": 1, "encryption=rot13": 1,
    "system_address=a@b\r\nBcc: x@example.net": 1,
    "charset=klingon": 1, "maxNoOfSMTPConnections=0": 1, "nothing=1": 2, "password=x": 2,
}  # fmt: skip


def test_invalid_settings_save_nothing(instance: Instance) -> None:
    instance.run("init")
    before = instance.json("connection", "set", *RIGHT, "port=25")
    for wrong, status in INVALID.items():
        done = instance.run("connection", "set", "system_name=Half", wrong, status=None)
        assert done.returncode == status, (wrong, done.stdout, done.stderr)
        assert done.stderr.strip(), wrong
        assert "Traceback" not in done.stderr, wrong
    assert instance.json("connection", "show") == before


def test_two_workers_and_a_locked_database(instance: Instance) -> None:
    """Somebody holds SQLite's lock for a while: all who write wait their turn, and nobody doubles."""
    if instance.database_url:
        pytest.skip("about SQLite's lock")
    people(instance)
    workers = [instance.start("worker") for _ in range(2)]
    with in_thread(FakeServer()) as server:
        instance.run("connection", "set", *RIGHT, f"port={server.port}")
        wait_until(lambda: len(server.messages) == 1, "the first mail")
        lock = sqlite3.connect(instance.home / "depesche.sqlite3", isolation_level=None, timeout=30)
        lock.execute("BEGIN EXCLUSIVE")
        begun = time.monotonic()
        writing = instance.start("item", "comment", "1", "--as", "alice@example.org", "--text", "Locked")
        wait_until(lambda: time.monotonic() > begun + LOCKED, "the end of the lock", timeout=LOCKED + 10)
        assert len(server.messages) == 1
        lock.execute("ROLLBACK")
        lock.close()
        assert writing.wait() == 0, writing.output()
        wait_until(lambda: states(instance) == {"accepted": 2}, "the second mail")
        assert [worker.terminate() for worker in workers] == [0, 0]
    assert set(message_ids(server).values()) == {1}
    assert "Traceback" not in workers[0].output() + workers[1].output()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own with little room."""
    if os.geteuid() != 0 or not find("mount"):
        pytest.skip("a disk of its own can be mounted by root alone")
    place = tmp_path / "disk"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path) -> Callable[[], None]:
    """Leave no octet free; the answer makes room again."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        size = 1 << 16
        while size:
            try:
                file.write(b"x" * size)
            except OSError:
                size //= 2
    return ballast.unlink


def test_a_full_disk_loses_nothing(small_disk: Path, tmp_path: Path) -> None:
    instance = Instance(small_disk / "home")
    people(instance)
    environment = instance.environment
    outside = Instance(tmp_path)  # its output goes elsewhere
    outside.environment = environment
    port = free_port()
    with in_thread(FakeServer()) as server:
        instance.run("connection", "set", *RIGHT, f"port={server.port}")
        served = outside.start("serve", "--port", str(port))
        try:
            wait_until(lambda: len(server.messages) == 1, "the first mail")
            make_room = fill(small_disk)
            failed = instance.run(
                "item", "comment", "1", "--as", "alice@example.org", "--text", "y" * 100_000, status=1
            )
            assert "full" in failed.stderr
            assert "Traceback" not in failed.stderr
            received = instance.run(
                "inbox", "receive", "-", stdin="From: alice@example.org\r\n\r\n" + "z" * 200_000, status=75
            )  # the MTA keeps it
            assert "Traceback" not in received.stderr
            make_room()
            comment(instance, "After")
            wait_until(lambda: len(server.messages) == 2, "the mail about the comment")
            assert served.running
        finally:
            served.kill()
    shown: dict[str, Any] = instance.json("item", "show", "1")
    assert [one["text"] for one in shown["comments"]] == ["After"]


def test_a_changed_cap_is_kept_by_four_workers_within_five_seconds(instance: Instance) -> None:
    """Down below the number of workers as well, up again, counted at the server (M17)."""
    instance.run("init")
    instance.run("demo-data", "--people", "300", "--items", "10", "--watchers", "250")
    with in_thread(FakeServer(Behaviour(reply_delay=0.05))) as server:
        instance.run("connection", "set", *RIGHT, f"port={server.port}", "maxNoOfSMTPConnections=6")
        for number in range(1, 11):
            instance.run("item", "comment", str(number), "--as", "person1@example.org", "--text", "Hello")
        workers = [instance.start("worker") for _ in range(4)]
        wait_until(lambda: server.open == 6, "six connections")
        for cap in (2, 5, 1):
            before = len(server.messages)
            instance.run("connection", "set", f"maxNoOfSMTPConnections={cap}")
            wait_until(lambda cap=cap: server.open == cap, f"a cap of {cap}", timeout=2 * RESUMES)  # type: ignore[misc]  # binds this round's cap
            server.high_water = server.open
            kept = len(server.messages)
            wait_until(lambda kept=kept: len(server.messages) > kept + 20, "mails under that cap")  # type: ignore[misc]  # binds this round's count
            assert server.high_water <= cap
            assert len(server.messages) > before
        instance.run("connection", "set", "maxNoOfSMTPConnections=10")
        server.behaviour = Behaviour()
        wait_until(lambda: set(states(instance)) == {"accepted"}, "all mails", timeout=120)
        assert [worker.terminate() for worker in workers] == [0] * 4
    assert set(message_ids(server).values()) == {1}
