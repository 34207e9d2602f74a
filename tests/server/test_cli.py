"""The command line: exit codes, sentences, and the key that is never made anew."""

from __future__ import annotations

import os
import stat

import pytest
from django.core.management import get_commands

from depesche.server import cli
from tests.support.processes import Instance

pytestmark = pytest.mark.journey


def test_without_an_installation_it_names_the_path(instance: Instance) -> None:
    done = instance.run("outbox", "stats", status=1)
    assert str(instance.home) in done.stderr or "database" in done.stderr
    assert "depesche init" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (instance.home / "secret.key").exists()


def test_wrong_usage_is_2(instance: Instance) -> None:
    assert instance.run(status=2).stdout.startswith("usage:")
    assert "no command 'nonsense'" in instance.run("nonsense", status=2).stderr
    instance.run("init")
    instance.run("outbox", "nonsense", status=2)
    instance.run("connection", "set", "no-such-key=1", status=2)


def test_an_mta_keeps_its_mail_whatever_goes_wrong(instance: Instance) -> None:
    """75: neither a missing installation nor wrong usage may bounce somebody's mail."""
    instance.run("inbox", "receive", "-", stdin="Subject: x\n\n", status=75)
    instance.run("init")
    instance.run("inbox", "receive", status=75)
    instance.run("inbox", "receive", "--nonsense", "-", stdin="Subject: x\n\n", status=75)
    instance.run("inbox", "receive", "/no/such/file", status=75)
    instance.run("inbox", "receive", "-", stdin="Subject: x\n\n", status=0)


@pytest.mark.contract
def test_init_is_safe_to_repeat_and_keeps_the_key(instance: Instance) -> None:
    instance.run("init", "--admin", "root@example.org", "--password-stdin", stdin="correct horse battery\n")
    key = instance.home / "secret.key"
    octets = key.read_bytes()
    assert stat.S_IMODE(os.stat(key).st_mode) == 0o600
    again = instance.run("init", "--admin", "root@example.org", "--password-stdin", stdin="another\n")
    assert "there already" in again.stdout
    assert key.read_bytes() == octets


def test_a_new_folder_is_for_its_user_alone(instance: Instance) -> None:
    """Also where the key lies elsewhere, so that nothing else makes the folder."""
    home = instance.home / "new"
    instance.environment["DEPESCHE_SECRET_KEY_FILE"] = str(instance.home / "other.key")
    instance.environment["DEPESCHE_HOME"] = str(home)
    instance.run("init")
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert (home / "depesche.sqlite3").exists()


@pytest.mark.contract
def test_a_lost_key_is_not_replaced(instance: Instance) -> None:
    instance.run("init")
    (instance.home / "secret.key").unlink()
    for command in (["init"], ["outbox", "stats"], ["worker", "--drain"], ["demo"]):
        done = instance.run(*command, status=1)
        assert "secret key" in done.stderr.lower() or "secret.key" in done.stderr
    assert not (instance.home / "secret.key").exists()


@pytest.mark.contract
def test_another_key_stops_every_process_with_a_sentence(instance: Instance) -> None:
    instance.run("init")
    key = instance.home / "secret.key"
    octets = key.read_bytes()
    key.unlink()
    instance.environment["DEPESCHE_SECRET_KEY_FILE"] = str(instance.home / "other.key")
    (instance.home / "other.key").write_bytes(octets[:-10] + b"AAAAAAAA=\n")
    done = instance.run("outbox", "stats", status=1)
    assert "key" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_says_what_is_missing_and_how_to_mend_it(instance: Instance) -> None:
    instance.run("init")
    done = instance.run("check", status=1)
    assert "No SMTP server is configured" in done.stdout
    assert "connection set" in done.stdout
    levels = {row["level"] for row in map(dict, [*instance_lines(instance)])}
    assert levels <= {"ok", "warning", "error"}


def instance_lines(instance: Instance) -> list[dict[str, str]]:
    import json

    return [json.loads(line) for line in instance.run("check", "--json", status=1).stdout.splitlines()]


def test_help_needs_no_installation(instance: Instance) -> None:
    for command in ("init", "serve", "worker", "demo", "outbox", "connection", "inbox", "item", "check"):
        assert "usage" in instance.run(command, "--help").stdout.lower()
    assert "usage" in instance.run("--help").stdout
    assert instance.run("--version").stdout.startswith("depesche ")


def test_every_command_of_ours_can_be_called() -> None:
    known = {name for name, app in get_commands().items() if app.startswith("depesche.")}
    spelled = {name.replace("_", "-") for name in known} - {"checkup"} | {"check"}
    assert spelled == set(cli.COMMANDS)
