"""The mail catcher: a real SMTP server with PIPELINING and CHUNKING, whose mails are files."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from depesche.mailformat.parse import parse
from depesche.mailroom.inbox import processing
from depesche.mailroom.inbox.models import Outcome
from depesche.server.catcher import answer, service
from depesche.server.catcher.smtp_server import CatcherController
from depesche.server.catcher.store import CatcherStore
from tests.support.ports import free_port

MAIL = b"From: a@example.org\r\nSubject: Hello\r\n\r\n.dot\r\nText\r\n"


@pytest.fixture
def store(tmp_path: Path) -> CatcherStore:
    return CatcherStore(tmp_path / "catcher")


@pytest.fixture
def port(store: CatcherStore) -> Iterator[int]:
    number = free_port()
    controller = CatcherController(
        lambda raw, sender, recipients: store.add(raw, sender=sender, recipients=recipients) and None,
        host="127.0.0.1",
        port=number,
    )
    controller.start()
    yield number
    controller.stop()


def test_keeps_a_mail_with_its_envelope(store: CatcherStore, port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail("bounce@example.org", ["one@example.org", "two@example.org"], MAIL)
    (name,) = store.names()
    caught = store.get(name)
    assert caught is not None
    assert caught.recipients == ("one@example.org", "two@example.org")
    assert caught.raw.endswith(MAIL)
    assert caught.mail.subject == "Hello"


def conversation(port: int, octets: bytes) -> bytes:
    """Everything in one write, as a pipelining client may; what came back until the server closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(octets)
        answer_ = b""
        while chunk := connection.recv(65536):
            answer_ += chunk
    return answer_


def test_bdat_and_pipelining(store: CatcherStore, port: int) -> None:
    half, rest = MAIL[:20], MAIL[20:]
    said = conversation(
        port,
        b"EHLO here\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n"
        + b"BDAT %d\r\n%bBDAT %d LAST\r\n%b" % (len(half), half, len(rest), rest)
        + b"MAIL FROM:<a@example.org>\r\nRCPT TO:<c@example.org>\r\nBDAT %d LAST\r\n%b" % (len(MAIL), MAIL)
        + b"QUIT\r\n",
    )
    assert b"250-PIPELINING" in said
    assert b"CHUNKING" in said
    assert [store.get(name).raw.endswith(MAIL) for name in store.names()] == [True, True]  # type: ignore[union-attr]  # they were listed


@pytest.mark.parametrize("bad", [b"BDAT", b"BDAT x LAST", b"BDAT 5 FIRST", b"BDAT -1", b"BDAT 99999999999"])
def test_a_bdat_without_length_ends_the_session(store: CatcherStore, port: int, bad: bytes) -> None:
    said = conversation(
        port, b"EHLO here\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n" + bad + b"\r\n"
    )
    assert b"501 5.5.4" in said
    assert store.names() == []


def test_bdat_without_recipients(store: CatcherStore, port: int) -> None:
    said = conversation(port, b"EHLO here\r\nBDAT 3 LAST\r\nabcQUIT\r\n")
    assert b"503 5.5.1" in said
    assert store.names() == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "x", "", "1-1", "12345678901234567890-1/.."])
def test_a_name_from_an_address_reaches_no_other_file(store: CatcherStore, name: str) -> None:
    assert store.get(name) is None


def test_newest_first_and_cleared(store: CatcherStore) -> None:
    names = [store.add(MAIL, sender="", recipients=["b@example.org"]) for _ in range(12)]
    assert store.names() == names[::-1]
    store.clear()
    assert store.names() == []


@pytest.mark.django_db(transaction=True)  # as a request: it closes old connections
def test_no_worker_is_faster_than_the_page_that_tells_what_became_of_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process = processing.process

    def after_a_worker(received_id: int, *, claim: int = 0) -> object:
        monkeypatch.setattr(processing, "process", process)
        assert processing.process_waiting() == 0
        return process(received_id, claim=claim)

    monkeypatch.setattr(processing, "process", after_a_worker)
    handled = service.take_in(MAIL, sender="b@example.org", recipient="tracker@example.org")
    assert handled.outcome != Outcome.WAITING


def test_an_answer_is_what_a_mail_program_writes() -> None:
    original = parse(
        b"From: Tracker <tracker@example.org>\r\nReply-To: <tracker+tok@example.org>\r\n"
        b"Subject: [NW-1] Hello\r\nMessage-ID: <2@example.org>\r\nReferences: <1@example.org>\r\n"
        b"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\nThe pump\r\n"
    )
    raw = answer.build_answer(
        original,
        author="b@example.org",
        text="Ja.",
        quote=True,
        language="de",
        date=datetime(2026, 11, 23, 12, tzinfo=UTC),
        message_id="<3@example.org>",
    )
    assert raw is not None
    read = parse(raw)
    assert read.to[0].addr_spec == "tracker+tok@example.org"
    assert read.subject == "Re: [NW-1] Hello"
    assert read.in_reply_to == ("<2@example.org>",)
    assert read.references == ("<1@example.org>", "<2@example.org>")
    assert (read.text or "").splitlines()[0] == "Ja."
    assert "> The pump" in (read.text or "")
