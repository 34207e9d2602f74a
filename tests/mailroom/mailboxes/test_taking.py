"""What becomes of stored mails at a real server, and waiting for new ones over bad lines."""

from __future__ import annotations

import imaplib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from imapclient import IMAPClient

from depesche.mailroom.mailboxes import (
    Cursor,
    Mailbox,
    MailboxConfig,
    MailboxError,
    MailboxStage,
    WhenTaken,
    open_mailbox,
)
from depesche.mailroom.mailboxes import idle as idling
from depesche.smtpclient.config import Encryption
from tests.mailroom.mailboxes.test_mailboxes import TODAY, config, deliver, subjects
from tests.support.mail_host import MailHost
from tests.support.tcp_proxy import TcpProxy

pytestmark = pytest.mark.journey


@contextmanager
def logged_in(host: MailHost, folder: str = "INBOX") -> Iterator[imaplib.IMAP4]:
    with imaplib.IMAP4("localhost", host.dovecot.port_imap) as client:
        client.authenticate("PLAIN", lambda _: f"\0tracker\0{host.password('tracker')}".encode())
        assert client.select(folder)[0] == "OK", folder
        yield client


def there(host: MailHost, folder: str = "INBOX", what: str = "ALL") -> int:
    with logged_in(host, folder) as client:
        return len(client.search(None, what)[1][0].split())


def without(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """A server that does not know these extensions."""
    real = IMAPClient.has_capability
    monkeypatch.setattr(
        IMAPClient, "has_capability", lambda self, name: name not in names and real(self, name)
    )


def take(mailbox: Mailbox, cursor: Cursor | None = None) -> Cursor:
    cursor = cursor or Cursor()
    taken = [one.position for one in mailbox.new_mails(cursor)]
    after = mailbox.advanced(cursor, taken)
    mailbox.mark_taken(taken)
    return mailbox.caught_up(after, today=TODAY)


@pytest.mark.parametrize("lacks", [(), ("MOVE",), ("MOVE", "UIDPLUS")])
def test_moved_into_a_folder_that_is_made(
    mail_host: MailHost, monkeypatch: pytest.MonkeyPatch, lacks: tuple[str, ...]
) -> None:
    without(monkeypatch, *lacks)
    reached = replace(config(mail_host, "imap"), when_taken=WhenTaken.MOVE, move_to="Taken")
    deliver(mail_host, "one", "two")
    with open_mailbox(reached) as mailbox:
        found = mailbox.look_around()
        assert (found.makes_folder, found.takes) == (True, "copy" if lacks else "move")
        cursor = take(mailbox)
    assert (there(mail_host), there(mail_host, "Taken"), there(mail_host, "Taken", "SEEN")) == (0, 2, 2)
    deliver(mail_host, "three")
    with open_mailbox(reached) as mailbox:
        assert not mailbox.look_around().makes_folder
        assert subjects([one.raw for one in mailbox.new_mails(cursor)]) == ["three"]


def test_a_move_that_was_cut_off_is_made_good(mail_host: MailHost) -> None:
    reached = replace(config(mail_host, "imap"), when_taken=WhenTaken.MOVE, move_to="Übernommen & fertig")
    with open_mailbox(reached) as mailbox:
        cursor = take(mailbox)
    deliver(mail_host, "one", "two")
    with open_mailbox(reached) as mailbox:
        taken = [one.position for one in mailbox.new_mails(cursor)]
        cursor = mailbox.advanced(cursor, taken)
    with logged_in(mail_host) as client:
        client.store("1", "+FLAGS", r"(\Seen)")  # cut between marking and moving
    with open_mailbox(reached) as mailbox:
        assert subjects([one.raw for one in mailbox.new_mails(cursor)]) == ["one", "two"]
        take(mailbox, cursor)
    assert there(mail_host) == 0


@pytest.mark.parametrize("lacks", [(), ("UIDPLUS",)])
def test_deleted_alone(mail_host: MailHost, monkeypatch: pytest.MonkeyPatch, lacks: tuple[str, ...]) -> None:
    """What somebody else has marked as deleted is not ours to remove."""
    without(monkeypatch, *lacks)
    reached = replace(config(mail_host, "imap"), when_taken=WhenTaken.DELETE)
    deliver(mail_host, "theirs")
    with logged_in(mail_host) as client:
        client.store("1", "+FLAGS", r"(\Seen \Deleted)")
    deliver(mail_host, "ours")
    with open_mailbox(reached) as mailbox:
        cursor = take(mailbox)
    # Without UIDPLUS ours cannot be removed alone: it stays, marked.
    assert there(mail_host) == (2 if lacks else 1)
    assert there(mail_host, what="UNDELETED") == 0
    with open_mailbox(reached) as mailbox:
        assert list(mailbox.new_mails(cursor)) == []


def test_pop3_leaves_and_remembers(mail_host: MailHost) -> None:
    reached = replace(config(mail_host, "pop3"), when_taken=WhenTaken.LEAVE)
    deliver(mail_host, "one", "two")
    with open_mailbox(reached) as mailbox:
        cursor = take(mailbox)
    deliver(mail_host, "three")
    with open_mailbox(reached) as mailbox:
        assert mailbox.look_around().mails == 3
        assert subjects([one.raw for one in mailbox.new_mails(cursor)]) == ["three"]
    assert there(mail_host) == 3


def test_another_folder_is_read(mail_host: MailHost) -> None:
    with logged_in(mail_host) as client:
        client.create("Plant")
        client.append("Plant", "", None, b"From: a@example.org\r\nSubject: here\r\n\r\nx\r\n")  # type: ignore[arg-type]  # typeshed lacks None
    deliver(mail_host, "elsewhere")
    with open_mailbox(replace(config(mail_host, "imap"), folder="Plant")) as mailbox:
        assert subjects([one.raw for one in mailbox.new_mails(Cursor())]) == ["here"]
    with pytest.raises(MailboxError) as caught, open_mailbox(replace(config(mail_host, "imap"), folder="No")):
        pass
    assert caught.value.stage is MailboxStage.FOLDER


@pytest.mark.parametrize("encryption", ["none", "tls"])
def test_stages_are_told_as_they_pass(mail_host: MailHost, encryption: str) -> None:
    told: list[MailboxStage] = []
    reached = replace(config(mail_host, "imap", encryption), allow_clear_password=encryption == "none")
    with open_mailbox(reached, lambda stage, said: told.append(stage)):
        pass
    stages = MailboxStage
    assert told == [stages.CONNECT, stages.GREETING, stages.TLS, stages.LOGIN, stages.FOLDER]


# --- IDLE ---------------------------------------------------------------------------------------------------


def through(host: MailHost, proxy: TcpProxy) -> MailboxConfig:
    reached = config(host, "imap", "none")
    return replace(
        reached,
        host="127.0.0.1",
        port=proxy.port,
        encryption=Encryption.NONE,
        allow_clear_password=True,
        timeout=10.0,
    )


def test_idle_over_a_line_that_chops(mail_host: MailHost) -> None:
    """Every octet of the server in a segment of its own."""
    with (
        TcpProxy(mail_host.dovecot.port_imap, piece=1) as proxy,
        open_mailbox(through(mail_host, proxy)) as mailbox,
    ):
        cursor = take(mailbox)
        for subject in ("one", "two"):
            timer = threading.Timer(0.2, deliver, [mail_host, subject])
            timer.start()
            assert mailbox.wait(20, threading.Event())
            timer.join()
            assert subjects([one.raw for one in mailbox.new_mails(cursor)]) == [subject]
            cursor = take(mailbox, cursor)


def test_a_line_that_is_cut_in_idle_is_noticed_at_once(mail_host: MailHost) -> None:
    with TcpProxy(mail_host.dovecot.port_imap) as proxy, open_mailbox(through(mail_host, proxy)) as mailbox:
        timer = threading.Timer(0.2, proxy.cut)
        timer.start()
        with pytest.raises(MailboxError):
            mailbox.wait(60, threading.Event())
        timer.join()


def test_a_line_that_falls_silent_is_noticed_when_idle_is_renewed(
    mail_host: MailHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idling, "RENEW", 0.2)
    monkeypatch.setattr(idling, "STEP", 0.1)
    with TcpProxy(mail_host.dovecot.port_imap) as proxy:
        reached = replace(through(mail_host, proxy), timeout=1.0)
        with open_mailbox(reached) as mailbox:
            assert not mailbox.wait(1.0, threading.Event())  # renewed several times
            proxy.fall_silent()
            with pytest.raises(MailboxError):
                mailbox.wait(60, threading.Event())


def test_idle_goes_on_over_several_waits(mail_host: MailHost) -> None:
    with open_mailbox(config(mail_host, "imap")) as mailbox:
        cursor = take(mailbox)
        assert not mailbox.wait(0.2, threading.Event())
        deliver(mail_host, "between two waits")
        assert mailbox.wait(20, threading.Event())
        assert len(list(mailbox.new_mails(cursor))) == 1
        stopped = threading.Event()
        stopped.set()
        assert not mailbox.wait(60, stopped)


def test_a_server_without_idle_is_not_waited_for(
    mail_host: MailHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch, "IDLE")
    with open_mailbox(config(mail_host, "imap")) as mailbox:
        assert not mailbox.wait(60, threading.Event())
        assert not mailbox.look_around().wakes
