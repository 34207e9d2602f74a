"""`depesche inbox`: an exit code is a promise to the mail server (0 stored, 75 try again, nothing else)."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError

from depesche.mailroom.inbox import intake, processing, reader
from depesche.mailroom.inbox.handlers import Handled, IncomingMail
from depesche.mailroom.inbox.models import Outcome, ReceivedMessage
from tests.support.processes import Instance

HERE = "tests.mailroom.inbox.test_commands"
MAIL = (
    b"From: Alice <alice@example.org>\r\nTo: t@example.org\r\nSubject: Hello\r\n"
    b"Message-ID: <1@x>\r\n\r\nText\r\n"
)


class Handler:
    def handle(self, mail: IncomingMail) -> Handled | None:
        if mail.reading.mail.subject == "boom":
            raise RuntimeError("canary")
        return Handled(Outcome.COMMENT, "taken", item="NW-1", comment=5, text=mail.reading.text)

    def accept_held(self, mail: IncomingMail, proposal: Mapping[str, Any]) -> Handled:
        raise LookupError


@pytest.fixture(autouse=True)
def _handlers(settings: Any) -> None:
    settings.DEPESCHE_INBOX_HANDLERS = [f"{HERE}.Handler"]


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    path = tmp_path / "mail.eml"
    path.write_bytes(MAIL)
    return path


def run(*words: str | Path) -> list[dict[str, Any]]:
    out = io.StringIO()
    call_command("inbox", *map(str, words), "--json", stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.django_db
def test_receive_says_what_became_of_it(mail: Path) -> None:
    (said,) = run("receive", mail, "--recipient", "t@example.org", "--sender", "alice@example.org")
    assert said == {
        "file": str(mail),
        "outcome": "comment",
        "reason": "taken",
        "item": "NW-1",
        "comment": 5,
        "text": "Text",
    }
    row = ReceivedMessage.objects.get()
    assert (row.source, row.envelope_sender, row.envelope_recipient) == (
        "file",
        "alice@example.org",
        "t@example.org",
    )


@pytest.mark.django_db
def test_the_same_mail_again_says_the_same(mail: Path) -> None:
    first, again = run("receive", mail, mail)
    assert again["outcome"] == "comment"
    assert (again["item"], again["comment"]) == (first["item"], first["comment"])
    assert ReceivedMessage.objects.count() == 1


@pytest.mark.django_db
def test_a_null_sender_is_not_an_unknown_one(mail: Path) -> None:
    run("receive", mail, "--sender", "")
    assert ReceivedMessage.objects.get().envelope_sender == ""


@pytest.mark.django_db
def test_several_files_go_on_behind_one_that_cannot_be_read(mail: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.eml"
    other.write_bytes(MAIL.replace(b"<1@x>", b"<2@x>"))
    with pytest.raises(CommandError) as caught:
        run("receive", mail, tmp_path / "none.eml", other)
    assert caught.value.returncode == 75
    assert "none.eml cannot be read: No such file or directory." in str(caught.value)
    assert ReceivedMessage.objects.filter(outcome=Outcome.COMMENT).count() == 2


@pytest.mark.django_db
def test_from_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(MAIL)))
    (said,) = run("receive", "-")
    assert (said["file"], said["outcome"]) == ("-", "comment")
    assert ReceivedMessage.objects.get().source == "pipe"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "outcome"),
    [(b"", "comment"), (b"boom", "waiting"), (b"\0\xff\xed\xa0\x80", "comment")],
)
def test_stored_is_done_whatever_becomes_of_it(tmp_path: Path, change: bytes, outcome: str) -> None:
    path = tmp_path / "x.eml"
    path.write_bytes(MAIL.replace(b"Hello", change or b"Hello"))
    (said,) = run("receive", path)
    assert said["outcome"] == outcome
    assert "canary" not in json.dumps(said)


@pytest.mark.django_db
def test_an_empty_mail_is_stored_too(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (said,) = run("receive", tmp_path / "empty")
    assert said["outcome"] in {"comment", "ignored"}


@pytest.mark.django_db
def test_what_fails_before_it_is_stored_is_tried_again(mail: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> intake.Stored:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(intake, "store", full)
    with pytest.raises(CommandError) as caught:
        run("receive", mail)
    assert caught.value.returncode == 75
    assert "database or disk is full" in str(caught.value)


@pytest.mark.django_db
def test_what_fails_after_it_is_stored_is_not(mail: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: object, **__: object) -> Handled:
        raise OperationalError("database is locked")

    monkeypatch.setattr(processing, "process", locked)
    (said,) = run("receive", mail)
    assert said["outcome"] == "waiting"
    assert "database is locked" in said["reason"]


@pytest.mark.django_db
def test_a_reader_that_goes_away_changes_nothing(mail: Path) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    call_command("inbox", "receive", str(mail), "--json", stdout=Gone())
    assert ReceivedMessage.objects.get().outcome == Outcome.COMMENT


@pytest.mark.django_db
def test_parse_has_no_effect(mail: Path, tmp_path: Path) -> None:
    bounce = tmp_path / "bounce.eml"
    bounce.write_bytes(
        b"From: MAILER-DAEMON@example.org\r\nSubject: Undelivered\r\n"
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        b"--b\r\n\r\nIt failed.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        b"Reporting-MTA: dns; example.org\r\n\r\nFinal-Recipient: rfc822; gone@example.org\r\n"
        b"Action: failed\r\nStatus: 5.1.1\r\n--b--\r\n"
    )
    read, report = run("parse", mail, bounce)
    assert {"file", "kind", "text", "cut", "reports", "defects"} <= set(read)
    assert (read["kind"], read["text"], read["reports"]) == ("personal", "Text", [])
    assert report["kind"] == "report"
    (one,) = report["reports"]
    assert (one["recipient"], one["action"], one["status"]) == ("gone@example.org", "failed", "5.1.1")
    assert not ReceivedMessage.objects.exists()


@pytest.mark.django_db
def test_parse_names_what_it_cannot_read(mail: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError) as caught:
        run("parse", tmp_path / "none", mail)
    assert caught.value.returncode == 1
    monkeypatch.setattr(
        reader, "read", lambda _: (_ for _ in ()).throw(reader.Unreadable(reader.Trouble.TIME))
    )
    (said,) = run("parse", mail)
    assert said["defects"] == [processing.NOT_READ[reader.Trouble.TIME]]


# --- as a mail server runs it -------------------------------------------------------------------------------


@pytest.mark.journey
def test_exit_codes_of_the_real_command(tmp_path: Path, mail: Path) -> None:
    nowhere = Instance(tmp_path / "nowhere")
    done = nowhere.run("inbox", "receive", "-", stdin=MAIL, status=75)  # no database
    assert str(nowhere.home) in done.stderr
    assert not nowhere.home.exists()

    home = Instance(tmp_path / "home")
    home.run("init")
    for wrong in (["receive"], ["receive", "--nonsense", "-"], ["receive", str(tmp_path / "none")]):
        assert home.run("inbox", *wrong, status=75).stdout == ""
    assert len(home.run("inbox", "receive", str(tmp_path / "none"), status=75).stderr.splitlines()) == 1
    home.run("inbox", "parse", status=2)
    home.run("inbox", "parse", str(tmp_path / "none"), status=1)
    home.run("inbox", status=2)

    (said,) = home.json_lines("inbox", "receive", "-", stdin=MAIL)
    assert set(said) == {"file", "outcome", "reason", "item", "comment", "text"}
    assert said["outcome"] == "rejected"  # nobody knows Alice here
    home.run("inbox", "receive", "-", stdin=MAIL, status=0)

    database = home.home / "depesche.sqlite3"
    for path in home.home.glob("*.sqlite3"):
        database = path
    database.write_bytes(b"this is no database" * 100)
    home.run("inbox", "receive", "-", stdin=MAIL, status=75)
    (home.home / "secret.key").unlink()
    home.run("inbox", "receive", "-", stdin=MAIL, status=75)
