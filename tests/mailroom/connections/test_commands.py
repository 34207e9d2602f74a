"""`connection`, `mailbox` and `keystore`: output, exit codes, and no secret anywhere."""

from __future__ import annotations

import gc
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command, load_command_class
from django.core.management.base import BaseCommand, CommandError, CommandParser

from depesche.mailroom.connections import mailbox_fields, queries, secrets
from depesche.mailroom.connections.command import DepescheCommand
from depesche.smtpclient.testing import Behaviour, FakeServer, in_thread
from tests.mailroom.connections.support import CANARY, certificate, key_pem, pem
from tests.mailroom.connections.test_diagnosis import NAMES


class Ran:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def run(db: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command as the command line does."""
    monkeypatch.setattr("django.db.connection.close", lambda: None)  # the test's transaction lives in it

    def run(*words: str, stdin: str | bytes = "") -> Ran:
        octets = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(octets), encoding="utf-8"))
        app = "inbox" if words[0] == "mailbox" else "connections"
        command: BaseCommand = load_command_class(f"depesche.mailroom.{app}", words[0])
        capsys.readouterr()
        code = 0
        try:
            command.run_from_argv(["depesche", *words])
        except SystemExit as error:
            code = int(error.code or 0)
        seen = capsys.readouterr()
        assert CANARY not in seen.out + seen.err
        assert "Traceback" not in seen.err
        return Ran(code, seen.out, seen.err)

    return run


def test_set_and_show(run: Any) -> None:
    words = [
        "host=smtp.x.example",
        "encryption=ssl",
        "system_address=t@x.example",
        "maxNoOfSMTPConnections=3",
    ]
    assert run("connection", "set", *words).code == 0
    (shown,) = run("connection", "show", "--json").rows
    assert shown == {
        "host": "smtp.x.example",
        "port": 465,
        "encryption": "ssl",
        "auth": "none",
        "username": "",
        "has_password": False,
        "system_address": "t@x.example",
        "system_name": "Depesche",
        "sender": "system",
        "charset": "utf-8",
        "maxNoOfSMTPConnections": 3,
        "messages_per_connection": 1000,
        "messages_per_minute": "",
        "chunking_window": 4,
        "items_by_mail": "off",
        "allow_clear_password": "off",
        "configured": True,
        "in_use": True,
    }
    assert run("connection", "--json", "show").rows == [shown]
    assert "smtp.x.example" in run("connection", "show").out


def test_a_password_is_read_from_stdin_kept_and_cleared(run: Any) -> None:
    words = ["host=smtp.x.example", "system_address=t@x.example", "auth=password", "username=t"]
    assert run("connection", "set", *words, "--password-stdin", stdin=CANARY + "\n").code == 0
    assert queries.outgoing().has_password
    assert run("connection", "set", "charset=iso-8859-1", "--json").rows[0]["has_password"] is True
    assert run("connection", "show").code == 0
    assert run("connection", "set", "--clear-password").code == 0
    assert not queries.outgoing().has_password


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["set", "port=0"], 1, "port: Enter a whole number from 1 to 65535"),
        (["set", "host=a:25", "system_address=x"], 1, "in its own field"),
        (["set", "colour=red"], 2, "no setting colour"),
        (["set", "host"], 2, "KEY=VALUE"),
        (["set"], 2, "at least one"),
        (["set", "--password-stdin"], 1, "no password on standard input"),
        (["frobnicate"], 2, "invalid choice"),
        ([], 2, "required"),
        (["test"], 2, "--to"),
        (["test", "--to", "nobody"], 1, "--to"),
        (["test", "--to", ""], 1, "--to"),
        (["test", "--to", "a@b.example"], 1, "server to test"),
    ],
)
def test_refusals_are_one_sentence(run: Any, words: list[str], code: int, said: str) -> None:
    ran = run("connection", *words)
    assert ran.code == code
    assert said in ran.err
    if code == 1:
        assert len(ran.err.strip().splitlines()) == 1
    assert not queries.outgoing().host


def test_testing_prints_the_steps_in_order(run: Any) -> None:
    behaviour = Behaviour(mechanisms=("PLAIN",), users={"t": CANARY}, login_required=True)
    with in_thread(FakeServer(behaviour)) as server:
        words = [
            "host=127.0.0.1",
            f"port={server.port}",
            "encryption=none",
            "system_address=t@x.example",
            "auth=password",
            "username=t",
            "allow_clear_password=on",
        ]
        test = ["connection", "test", "--to", "a@b.example", *words, "--password-stdin"]
        ran = run(*test, "--json", stdin=CANARY)
        assert ran.code == 0
        assert [row["step"] for row in ran.rows] == NAMES
        assert {row["outcome"] for row in ran.rows} == {"ok", "skipped"}
        assert any("AUTH PLAIN (secret)" in line for row in ran.rows for line in row["transcript"])
        ran = run(*test, "--transcript", stdin=CANARY)
        assert "The server accepted the test mail." in ran.out
        assert "| C: AUTH PLAIN (secret)" in ran.out
        ran = run(*test, stdin="wrong")
        assert ran.code == 1
        assert "login: User name or password is wrong." in ran.err
        assert "try:    username=t@x.example" in ran.out
    assert len(server.messages) == 4  # two tests, each with a mail From the system and one From the person
    assert not queries.outgoing().host
    assert run(*test, "--json", stdin=CANARY).code == 1


def test_a_stored_password_does_not_follow_to_another_host(run: Any, saved: Any) -> None:
    ran = run("connection", "test", "--to", "a@b.example", "host=evil.example")
    assert ran.code == 1
    assert "was typed for smtp.nordlicht.example" in ran.err


def test_the_mailbox_is_set_and_shown(run: Any) -> None:
    words = ["protocol=pop3", "host=pop.x.example", "username=t", "encryption=none"]
    ran = run("mailbox", "set", *words, "--password-stdin", "--json", stdin=CANARY)
    assert ran.code == 0
    (shown,) = run("mailbox", "show", "--json").rows
    assert (shown["protocol"], shown["port"], shown["has_password"]) == ("pop3", 110, True)
    assert run("mailbox", "set", "protocol=none").code == 0
    assert not queries.incoming().configured
    ran = run("mailbox", "test")
    assert ran.code == 1
    assert "choose IMAP or POP3" in ran.err
    assert run("mailbox", "poll").code == 1
    assert run("mailbox", "set", "bogus=1").code == 2


def test_several_mailboxes_by_name(run: Any) -> None:
    words = ["protocol=imap", "host=imap.example.org", "username=sales@example.org", "workspace=Sales"]
    ran = run("mailbox", "set", "--name", "sales", *words, "--password-stdin", "--json", stdin=CANARY)
    assert ran.code == 1  # there is no such workspace
    find_workspace = [("SA", "Sales"), ("NW", "North")]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(mailbox_fields, "workspaces", lambda: find_workspace)
        ran = run("mailbox", "set", "--name", "sales", *words, "--password-stdin", "--json", stdin=CANARY)
        assert ran.code == 0
        assert (ran.rows[0]["place"], ran.rows[0]["workspace"], ran.rows[0]["name"]) == (1, "SA", "sales")
        changed = run("mailbox", "set", "--name", "Sales", "when_taken=move", "move_to=Done", "--json")
        assert changed.rows[0]["move_to"] == "Done"
        refused = run("mailbox", "set", "--name", "sales", "when_taken=move", "move_to=inbox")
        assert refused.code == 1
        assert "comes from" in refused.err or "come from" in refused.err
    assert [row["name"] for row in run("mailbox", "list", "--json").rows] == ["main", "sales"]
    assert run("mailbox", "show", "--place", "1", "--json").rows[0]["host"] == "imap.example.org"
    missing = run("mailbox", "show", "--name", "nobody")
    assert missing.code == 1
    assert "main, sales" in missing.err
    assert run("mailbox", "remove").code == 2
    assert run("mailbox", "remove", "--place", "0").code == 1
    assert run("mailbox", "remove", "--name", "sales").code == 0
    assert [row["name"] for row in run("mailbox", "list", "--json").rows] == ["main"]


def test_a_mailbox_that_cannot_be_reached(run: Any) -> None:
    with in_thread(FakeServer()) as server:
        port = server.port
    words = ["protocol=imap", "host=127.0.0.1", f"port={port}", "username=t", "encryption=none"]
    ran = run("mailbox", "test", *words, "--password-stdin", "--json", stdin=CANARY)
    assert ran.code == 1
    assert [(row["step"], row["outcome"]) for row in ran.rows] == [
        ("resolve", "ok"),
        ("connect", "failed"),
        ("greeting", "skipped"),
        ("tls", "skipped"),
        ("login", "skipped"),
        ("folder", "skipped"),
        ("taking", "skipped"),
    ]


def test_the_keystore_lists_imports_and_removes(run: Any, tmp_path: Path) -> None:
    made = certificate("Root", authority=True)
    file = tmp_path / "root.pem"
    file.write_bytes(pem(made))
    assert run("keystore", "list").out == ""
    assert run("keystore", "import", str(file)).code == 0
    (row,) = run("keystore", "list", "--json").rows
    assert (row["kind"], row["subject"], row["host"], row["port"]) == ("ca", "Root", "", None)
    assert len(row["sha256"]) == 64
    assert "Root" in run("keystore", "list").out
    ran = run("keystore", "import", "-", "--host", "mail.lan", "--port", "465", "--json", stdin=pem(made))
    assert ran.rows[0]["host"] == "mail.lan"
    assert run("keystore", "remove", str(row["id"])).code == 0
    ran = run("keystore", "remove", str(row["id"]))
    assert ran.code == 1
    assert "no keystore entry" in ran.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["import", "/nowhere/at/all.pem"], 1, "cannot be read"),
        (["import", "KEY"], 1, "private key"),
        (["import", "KEY", "--host", "a.b"], 2, "together"),
        (["import", "KEY", "--port", "25"], 2, "together"),
        (["import", "KEY", "--host", "a:b/", "--port", "25"], 1, "without a path"),
        (["remove", "x"], 2, "invalid int"),
        ([], 2, "required"),
    ],
)
def test_the_keystore_refuses(run: Any, tmp_path: Path, words: list[str], code: int, said: str) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(key_pem(certificate("Root")))
    ran = run("keystore", *[str(file) if word == "KEY" else word for word in words])
    assert ran.code == code
    assert said in ran.err


# --- The base -----------------------------------------------------------------------------------------------


class Sample(DepescheCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--fail", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["fail"]:
            raise CommandError("It did\nnot work.")
        self.print_rows([{"id": 1, "who": "Ü" * 60}, {"id": 2, "who": None}])
        self.print_object({"yes": True, "list": ["a", "b"]})
        self.say("done")


def test_the_base_prints_for_people_and_programs(db: Any) -> None:
    out = io.StringIO()
    call_command(Sample(stdout=out))
    assert "Ü" * 60 in out.getvalue()
    assert "yes   yes" in out.getvalue()
    assert "done" in out.getvalue()
    out = io.StringIO()
    call_command(Sample(stdout=out), json=True)
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [
        {"id": 1, "who": "Ü" * 60},
        {"id": 2, "who": None},
        {"yes": True, "list": ["a", "b"]},
    ]


def test_another_key_stops_every_command(db: Any, settings: Any) -> None:
    secrets.ensure_installation()
    settings.DEPESCHE_KEYS = [b"x" * 32]
    with pytest.raises(CommandError, match="is not the key of this database"):
        call_command(Sample())


class Staying(DepescheCommand):
    needs_key = False

    def handle(self, *args: Any, **options: Any) -> None:
        self.stay()


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked of the collector."""
    asked: list[str] = []
    monkeypatch.setattr(gc, "freeze", lambda: asked.append("freeze"))
    return asked


def test_a_command_that_stays_is_not_searched_for_garbage(
    frozen: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.db.connection.close", lambda: None)
    Staying().run_from_argv(["depesche", "staying"])
    assert frozen == ["freeze"]


def test_a_command_in_the_process_of_another_leaves_its_memory_alone(frozen: list[str]) -> None:
    call_command(Staying())
    assert frozen == []
