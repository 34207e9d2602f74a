"""Reading a real mailbox: stored before marked, one reader at a time, IDLE as a wake-up."""

from __future__ import annotations

import imaplib
import subprocess
import sys
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from depesche.mailroom.connections import access, actions, queries
from depesche.mailroom.inbox import intake, polling
from depesche.mailroom.inbox.models import MailboxCursor, ReceivedMessage
from depesche.mailroom.inbox.polling import MailboxBusy, PollMailboxes, poll_once
from depesche.mailroom.inbox.processing import process_waiting
from depesche.mailroom.mailboxes import MailboxError
from tests.support.mail_host import MailHost
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.journey, pytest.mark.django_db]


def append(host: MailHost, *subjects: str) -> None:
    with imaplib.IMAP4("localhost", host.dovecot.port_imap) as client:
        client.authenticate("PLAIN", lambda _: f"\0tracker\0{host.password('tracker')}".encode())
        for subject in subjects:
            raw = f"From: alice@example.org\r\nSubject: {subject}\r\n\r\nText\r\n".encode()
            client.append("INBOX", "", None, raw)  # type: ignore[arg-type]  # typeshed lacks None for "now"


@pytest.fixture(params=["imap", "pop3"])
def protocol(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def mailbox(mail_host: MailHost, protocol: str, settings: Any) -> MailHost:
    settings.DEPESCHE_INBOX_HANDLERS = []
    set_up(mail_host, protocol)
    return mail_host


def set_up(host: MailHost, protocol: str) -> None:
    port = host.dovecot.port_imap if protocol == "imap" else host.dovecot.port_pop3
    actions.import_certificates(host.ca_pem.read_bytes(), by=None)
    actions.save_incoming(
        {"protocol": protocol, "host": "localhost", "port": port, "encryption": "tls", "username": "tracker"},
        password=host.password("tracker"),
        by=None,
    )


def subjects() -> list[str]:
    return sorted(ReceivedMessage.objects.values_list("subject", flat=True))


def test_each_mail_is_taken_once(mailbox: MailHost) -> None:
    append(mailbox, "one", "two")
    assert poll_once().stored == 2
    append(mailbox, "three")
    assert poll_once().stored == 1
    assert poll_once().fetched == 0
    assert subjects() == ["one", "three", "two"]
    assert queries.incoming().last_polled_at is not None


def test_a_cut_between_storing_and_marking_doubles_nothing(
    mailbox: MailHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(mailbox, "one", "two")
    with monkeypatch.context() as patched:
        patched.setattr(polling, "_remember", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            poll_once()
    MailboxCursor.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    poll_once()
    assert subjects() == ["one", "two"]


def test_one_process_at_a_time(mailbox: MailHost) -> None:
    append(mailbox, "one")
    poll_once()
    MailboxCursor.objects.update(lease_owner="another", lease_until=timezone.now() + timedelta(minutes=1))
    with pytest.raises(MailboxBusy):
        poll_once()
    MailboxCursor.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    poll_once()


def test_a_failure_is_remembered_in_words_without_the_password(mailbox: MailHost) -> None:
    actions.save_incoming({}, password="wrong-canary", by=None)
    with pytest.raises(MailboxError):
        poll_once()
    error = queries.incoming().last_error
    assert "refused user name or password" in error
    assert "canary" not in error


def test_the_task_takes_up_new_settings_and_idles(mail_host: MailHost, settings: Any) -> None:
    settings.DEPESCHE_INBOX_HANDLERS = []
    stop = threading.Event()
    task = PollMailboxes()
    assert task.run(timezone.now(), stop) == 0  # nothing is set up
    assert task.wait(stop) is False
    append(mail_host, "one")
    set_up(mail_host, "imap")
    try:
        assert task.run(timezone.now(), stop) == 1
        timer = threading.Timer(0.3, append, [mail_host, "two"])
        timer.start()
        assert task.wait(stop) is True
        timer.join()
        assert task.run(timezone.now(), stop) == 1
    finally:
        task.close()
    process_waiting()
    assert subjects() == ["one", "two"]


def test_a_killed_reader_of_this_machine_is_not_waited_for(mailbox: MailHost) -> None:
    append(mailbox, "one")
    code = "from depesche.mailroom.connections import identity; print(identity.new_owner())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    MailboxCursor.objects.create(
        source=access.mailbox_config(queries.incoming()).name,
        lease_owner=done.stdout.strip(),
        lease_until=timezone.now() + timedelta(minutes=1),
    )
    assert poll_once().stored == 1


def test_a_long_mailbox_is_read_in_several_looks(
    mailbox: MailHost, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(polling.SESSION, protocol, 2)
    append(mailbox, "1", "2", "3", "4", "5")
    task = PollMailboxes()
    looks = 0
    try:
        while task.run(timezone.now(), threading.Event()):
            looks += 1
    finally:
        task.close()
    assert looks == 3
    assert ReceivedMessage.objects.count() == 5


def test_the_read_past_of_a_mailbox_is_never_taken(mail_host: MailHost, settings: Any) -> None:
    """Not at the first look, not after it, not after a cut in the middle of it."""
    settings.DEPESCHE_INBOX_HANDLERS = []
    set_up(mail_host, "imap")
    append(mail_host, "unread-1", "past-1", "unread-2", "past-2")
    mark_read(mail_host, "2,4")
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(polling.SESSION, "imap", 1)
        task = PollMailboxes()
        assert task.run(timezone.now(), threading.Event()) == 1
        task.close()
    assert poll_once().stored == 1
    append(mail_host, "new")
    assert poll_once().stored == 1
    assert poll_once().fetched == 0
    assert subjects() == ["new", "unread-1", "unread-2"]


def test_a_mailbox_that_was_all_read_stays_so(mail_host: MailHost, settings: Any) -> None:
    settings.DEPESCHE_INBOX_HANDLERS = []
    set_up(mail_host, "imap")
    append(mail_host, "past-1", "past-2")
    mark_read(mail_host, "1:2")
    assert poll_once().fetched == 0
    assert poll_once().fetched == 0
    append(mail_host, "new")
    mark_read(mail_host, "3")  # somebody looks into the mailbox between two looks of ours: it is ours
    assert poll_once().stored == 1
    assert subjects() == ["new"]


def mark_read(host: MailHost, numbers: str) -> None:
    with imaplib.IMAP4("localhost", host.dovecot.port_imap) as client:
        client.authenticate("PLAIN", lambda _: f"\0tracker\0{host.password('tracker')}".encode())
        client.select("INBOX")
        client.store(numbers, "+FLAGS", r"(\Seen)")


def test_a_database_that_fails_leaves_the_mails_where_they_are(
    mailbox: MailHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(mailbox, "one", "two")
    real, calls = intake.store, iter(range(10))

    def fails_once(*args: Any, **kwargs: Any) -> Any:
        if next(calls) == 1:
            raise OperationalError("disk full")
        return real(*args, **kwargs)

    monkeypatch.setattr(intake, "store", fails_once)
    task = PollMailboxes()
    with pytest.raises(OperationalError):
        task.run(timezone.now(), threading.Event())
    assert task.run(timezone.now(), threading.Event()) >= 1  # its lease was given back
    task.close()
    process_waiting()
    assert subjects() == ["one", "two"]


def test_a_pop3_mailbox_is_not_kept_locked(mail_host: MailHost, settings: Any) -> None:
    settings.DEPESCHE_INBOX_HANDLERS = []
    set_up(mail_host, "pop3")
    task = PollMailboxes()
    task.run(timezone.now(), threading.Event())
    assert task.wait(threading.Event()) is False
    poll_once()  # would be refused as "in use"


# --- several mailboxes --------------------------------------------------------------------------------------


def second_mailbox(host: MailHost, user: str = "carol") -> None:
    actions.save_incoming(
        {
            "protocol": "imap", "host": "localhost", "port": host.dovecot.port_imap, "encryption": "tls",
            "username": user, "name": "sales",
        },
        password=host.password(user),
        place=1,
    )  # fmt: skip


def append_for(host: MailHost, user: str, subject: str) -> None:
    with imaplib.IMAP4("localhost", host.dovecot.port_imap) as client:
        client.authenticate("PLAIN", lambda _: f"\0{user}\0{host.password(user)}".encode())
        raw = f"From: alice@example.org\r\nSubject: {subject}\r\n\r\nText\r\n".encode()
        client.append("INBOX", "", None, raw)  # type: ignore[arg-type]  # typeshed lacks None for "now"


def test_every_mailbox_is_read_and_told_apart(mail_host: MailHost, settings: Any) -> None:
    settings.DEPESCHE_INBOX_HANDLERS = []
    set_up(mail_host, "imap")
    second_mailbox(mail_host)
    append(mail_host, "to the first")
    append_for(mail_host, "carol", "to the second")
    task = PollMailboxes()
    try:
        assert task.run(timezone.now(), threading.Event()) == 2  # a drain: one after the other
    finally:
        task.close()
    process_waiting()
    assert dict(ReceivedMessage.objects.values_list("subject", "mailbox")) == {
        "to the first": 0,
        "to the second": 1,
    }
    assert queries.incoming(1).last_polled_at is not None
    actions.remove_incoming(1)
    append_for(mail_host, "carol", "after its end")
    assert task.run(timezone.now(), threading.Event()) == 0
    task.close()


@pytest.mark.django_db(transaction=True)
def test_a_mailbox_that_fails_holds_up_no_other(mail_host: MailHost, settings: Any) -> None:
    settings.DEPESCHE_INBOX_HANDLERS = []
    set_up(mail_host, "imap")
    second_mailbox(mail_host)
    actions.save_incoming({}, password="wrong", place=0)
    task = PollMailboxes()
    task.stays()
    try:
        task.run(timezone.now(), threading.Event())
        append_for(mail_host, "carol", "to the second")
        wait_until(lambda: ReceivedMessage.objects.filter(mailbox=1).exists(), "the mail of the second")
        append_for(mail_host, "carol", "by IDLE")
        wait_until(lambda: ReceivedMessage.objects.filter(mailbox=1).count() == 2, "the next one")
    finally:
        task.close()
    assert "refused" in queries.incoming(0).last_error
    assert queries.incoming(1).last_error == ""


def test_two_readers_of_one_folder_are_refused(mail_host: MailHost) -> None:
    set_up(mail_host, "imap")
    with pytest.raises(actions.InvalidSettings, match="reads this folder already"):
        second_mailbox(mail_host, "tracker")
