"""What the test of a mailbox says of servers that behave in their ways; spoken to over real sockets."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.utils import translation

from depesche.mailroom.connections.diagnosis import mailbox as mailbox_test
from depesche.mailroom.connections.diagnosis.mailbox import mailbox_order, run_mailbox
from depesche.mailroom.connections.diagnosis.steps import Outcome, Step, StepName
from depesche.mailroom.mailboxes import (
    Mailbox,
    MailboxConfig,
    MailboxError,
    MailboxStage,
    Passed,
    WhenTaken,
)
from depesche.smtpclient.config import Encryption
from depesche.smtpclient.errors import Cause
from tests.mailroom.connections.provoking import provokes
from tests.support.ports import free_port

GREETING = b"* OK [CAPABILITY IMAP4rev1 IDLE] Northern Lights mail\r\n"


@contextmanager
def imap_server(answers: dict[bytes, bytes], *, greeting: bytes = GREETING) -> Iterator[int]:
    """Answers each command by its word ("{tag}" is filled in); what it does not know, with OK. Without a
    greeting it only listens."""
    answers = {b"CAPABILITY": b"* CAPABILITY IMAP4rev1 IDLE\r\n{tag} OK done\r\n", **answers}
    listener = socket.create_server(("127.0.0.1", 0))
    ends = threading.Event()

    def serve() -> None:
        with contextlib.suppress(OSError):
            client, _ = listener.accept()
            with client, client.makefile("rwb", buffering=0) as lines:
                if not greeting:
                    ends.wait(30)
                    return
                lines.write(greeting)
                while line := lines.readline():
                    tag, word = line.split()[:2]
                    known = answers.get(word.upper(), b"{tag} OK done\r\n")
                    lines.write(known.replace(b"{tag}", tag))
                    if word.upper() == b"LOGOUT":
                        return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        ends.set()
        listener.close()
        thread.join(5)


def config(port: int, **more: object) -> MailboxConfig:
    values = {
        "protocol": "imap", "host": "127.0.0.1", "port": port, "encryption": Encryption.NONE,
        "username": "tracker", "password": "canary", "allow_clear_password": True, "timeout": 2.0, **more,
    }  # fmt: skip
    return MailboxConfig(**values)  # type: ignore[arg-type]  # each key has its own type


def walked(reached: MailboxConfig) -> dict[StepName, Step]:
    with translation.override("en"):
        steps = list(run_mailbox(reached))
    assert tuple(step.name for step in steps) == mailbox_order(reached)
    assert "canary" not in repr(steps)
    return {step.name: step for step in steps}


SELECTED = b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 12] x\r\n{tag} OK [%s] selected\r\n"


@provokes("mailbox-silent")
def test_a_port_that_waits_for_tls_suggests_ssl() -> None:
    with imap_server({}, greeting=b"") as port:
        steps = walked(config(port))
        cause = steps[StepName.GREETING].cause
    assert steps[StepName.CONNECT].outcome is Outcome.OK
    assert cause is not None
    assert cause.code == "mailbox-silent"
    assert cause.change == {"encryption": "ssl", "port": str(port)}


@provokes("mailbox-folder")
def test_a_folder_that_is_not_there() -> None:
    with imap_server({b"SELECT": b"{tag} NO [NONEXISTENT] no such folder\r\n"}) as port:
        steps = walked(config(port, folder="Plant"))
    cause = steps[StepName.FOLDER].cause
    assert steps[StepName.LOGIN].outcome is Outcome.OK
    assert cause is not None
    assert cause.code == "mailbox-folder"
    assert "Plant" in cause.sentence


@provokes("mailbox-read-only")
def test_a_folder_that_can_only_be_read() -> None:
    only = SELECTED.replace(b"%s", b"READ-ONLY")
    with imap_server({b"SELECT": only, b"EXAMINE": only}) as port:
        steps = walked(config(port, when_taken=WhenTaken.MOVE, move_to="Done"))
    step = steps[StepName.TAKING]
    assert step.outcome is Outcome.HINT
    assert step.cause is not None
    assert step.cause.code == "mailbox-read-only"
    assert "3 mails in INBOX" in steps[StepName.FOLDER].fact


def test_all_is_well_and_each_step_says_something() -> None:
    listed = b'* LIST () "/" Done\r\n{tag} OK listed\r\n'
    answers = {b"SELECT": SELECTED.replace(b"%s", b"READ-WRITE"), b"LIST": listed}
    with imap_server(answers) as port:
        steps = walked(config(port, when_taken=WhenTaken.MOVE, move_to="Done"))
    assert all(step.fact for step in steps.values())
    assert not [step for step in steps.values() if step.outcome is Outcome.FAILED]
    assert "Northern Lights" in steps[StepName.GREETING].transcript[0]
    assert "IDLE" in steps[StepName.FOLDER].fact
    assert "Done" in steps[StepName.TAKING].fact


def test_nothing_listens_and_no_such_name() -> None:
    steps = walked(config(free_port()))
    assert steps[StepName.CONNECT].outcome is Outcome.FAILED
    steps = walked(config(143, host="no-such-host.invalid"))
    assert steps[StepName.RESOLVE].outcome is Outcome.FAILED


def test_a_refusal_of_the_greeting() -> None:
    with imap_server({}, greeting=b"* BYE too busy\r\n") as port:
        steps = walked(config(port))
    assert steps[StepName.GREETING].outcome is Outcome.FAILED
    assert "too busy" in steps[StepName.GREETING].fact


@pytest.mark.parametrize("garbage", [b"\0" * 5000 + b"\r\n", b"220 mail ESMTP\r\n", b"\xff\r\n"])
def test_what_is_no_imap_server(garbage: bytes) -> None:
    with imap_server({}, greeting=garbage) as port:
        steps = walked(config(port))
    assert [step for step in steps.values() if step.outcome is Outcome.FAILED]


def test_answers_that_the_library_stumbles_over() -> None:
    with imap_server({b"CAPABILITY": b"{tag} OK none\r\n"}) as port:
        steps = walked(config(port))
    assert [step for step in steps.values() if step.outcome is Outcome.FAILED]


def test_it_can_be_stopped() -> None:
    stop = threading.Event()
    with imap_server({}, greeting=b"") as port:
        walk = run_mailbox(config(port, timeout=30.0), stop=stop)
        assert next(walk).name is StepName.RESOLVE
        assert next(walk).name is StepName.CONNECT
        stop.set()
        rest = list(walk)
    assert rest[0].cause is not None
    assert rest[0].cause.code == "aborted"
    assert all(step.outcome is Outcome.SKIPPED for step in rest[1:])


def test_a_line_that_breaks_after_its_encryption_fails_where_it_broke(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What fails in TLS while we log in is a failure of the login's step."""

    def broken(config: MailboxConfig, passed: Passed) -> Mailbox:
        for stage in (MailboxStage.CONNECT, MailboxStage.TLS, MailboxStage.GREETING):
            passed(stage, "said")
        raise MailboxError(MailboxStage.TLS, Cause.TLS_HANDSHAKE)

    monkeypatch.setattr(mailbox_test, "open_mailbox", broken)
    steps = walked(config(993, encryption=Encryption.SSL))
    assert steps[StepName.TLS].outcome is Outcome.OK
    cause = steps[StepName.LOGIN].cause
    assert cause is not None
    assert cause.code == "tls-handshake"
