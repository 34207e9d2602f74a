"""One contract for both protocols, against a real Dovecot."""

from __future__ import annotations

import imaplib
import threading
from dataclasses import replace
from datetime import date

import pytest

from depesche.mailroom.mailboxes import (
    Cursor,
    MailboxConfig,
    MailboxError,
    MailboxStage,
    Position,
    login_only,
    open_mailbox,
)
from depesche.smtpclient.config import Encryption, Trust
from depesche.smtpclient.errors import Cause
from tests.support.certificates import Authority
from tests.support.mail_host import MailHost
from tests.support.ports import free_port

pytestmark = pytest.mark.journey

TODAY = date(2026, 11, 23)


def mail(subject: str, body: str = "Hello\r\n") -> bytes:
    return f"From: alice@example.org\r\nSubject: {subject}\r\n\r\n{body}".encode()


def config(host: MailHost, protocol: str, encryption: str = "tls") -> MailboxConfig:
    implicit = encryption == "ssl"
    ports = {
        ("imap", False): host.dovecot.port_imap,
        ("imap", True): host.dovecot.port_imaps,
        ("pop3", False): host.dovecot.port_pop3,
        ("pop3", True): host.dovecot.port_pop3s,
    }
    return MailboxConfig(
        protocol=protocol,
        host="localhost",
        port=ports[protocol, implicit],
        encryption=Encryption(encryption),
        username="tracker",
        password=host.password("tracker"),
        trust=Trust(ca_pems=(host.ca_pem.read_bytes(),)),
    )


def deliver(host: MailHost, *subjects: str) -> None:
    for subject in subjects:
        append(host, mail(subject))


def append(host: MailHost, raw: bytes) -> None:
    """By IMAP, so that the octets are just these."""
    with imaplib.IMAP4("localhost", host.dovecot.port_imap) as client:
        client.authenticate("PLAIN", lambda _: f"\0tracker\0{host.password('tracker')}".encode())
        client.append("INBOX", "", None, raw)  # type: ignore[arg-type]  # typeshed lacks None for "now"


def subjects(mails: list[bytes]) -> list[str]:
    return [raw.split(b"Subject: ")[1].split(b"\r\n")[0].decode() for raw in mails]


@pytest.fixture(params=["imap", "pop3"])
def protocol(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.mark.parametrize("encryption", ["ssl", "tls", "tls-if-available", "none"])
def test_takes_new_mails_once(mail_host: MailHost, protocol: str, encryption: str) -> None:
    deliver(mail_host, "one", "two")
    reached = replace(config(mail_host, protocol, encryption), allow_clear_password=encryption == "none")
    with open_mailbox(reached) as mailbox:
        found = list(mailbox.new_mails(Cursor()))
        assert sorted(subjects([one.raw for one in found])) == ["one", "two"]
        taken = [one.position for one in found]
        mailbox.mark_taken(taken)
        cursor = mailbox.caught_up(mailbox.advanced(Cursor(), taken), today=TODAY)
    deliver(mail_host, "three")
    with open_mailbox(reached) as mailbox:
        assert subjects([one.raw for one in mailbox.new_mails(cursor)]) == ["three"]


def test_unmarked_mails_come_again(mail_host: MailHost, protocol: str) -> None:
    """A cut before marking: nothing is lost."""
    deliver(mail_host, "one")
    with open_mailbox(config(mail_host, protocol)) as mailbox:
        assert len(list(mailbox.new_mails(Cursor()))) == 1
    with open_mailbox(config(mail_host, protocol)) as mailbox:
        assert len(list(mailbox.new_mails(Cursor()))) == 1


def test_a_mail_keeps_its_octets(mail_host: MailHost, protocol: str) -> None:
    body = "." * 3 + "\r\n..dots\r\n" + "ä" * 5000 + "\r\n\r\nlast\r\n"
    append(mail_host, mail("octets", body))
    with open_mailbox(config(mail_host, protocol)) as mailbox:
        (one,) = mailbox.new_mails(Cursor())
    assert one.raw.rstrip() == mail("octets", body).rstrip()


def test_what_a_person_read_before_set_up_is_not_ours(mail_host: MailHost) -> None:
    reached = config(mail_host, "imap")
    deliver(mail_host, "old")
    with open_mailbox(reached) as mailbox:
        mailbox.mark_taken([one.position for one in mailbox.new_mails(Cursor())])
    deliver(mail_host, "new")
    with open_mailbox(reached) as mailbox:
        assert subjects([one.raw for one in mailbox.new_mails(Cursor())]) == ["new"]


def test_numbered_anew_looks_again_since_the_last_day(mail_host: MailHost) -> None:
    deliver(mail_host, "one", "two")
    with open_mailbox(config(mail_host, "imap")) as mailbox:
        cursor = Cursor(uidvalidity=1, last_uid=999, since=TODAY.replace(year=2020))
        assert len(list(mailbox.new_mails(cursor))) == 2


def test_numbered_anew_and_cut_in_the_middle(mail_host: MailHost) -> None:
    """The rest of the old mails still comes by its day, and later ones whatever their day."""
    deliver(mail_host, "one", "two", "three")
    old = Cursor(uidvalidity=1, last_uid=999, since=TODAY.replace(year=2020))
    with open_mailbox(config(mail_host, "imap")) as mailbox:
        first = next(iter(mailbox.new_mails(old)))
        cursor = mailbox.advanced(old, [first.position])
    assert (cursor.last_uid, cursor.boundary, cursor.since) == (1, 3, old.since)
    deliver(mail_host, "four")
    with open_mailbox(config(mail_host, "imap")) as mailbox:
        assert subjects([one.raw for one in mailbox.new_mails(cursor)]) == ["two", "three", "four"]


def test_a_lower_number_that_shows_late_is_found(mail_host: MailHost) -> None:
    with open_mailbox(config(mail_host, "imap")) as mailbox:
        cursor = mailbox.caught_up(Cursor(), today=TODAY)
    deliver(mail_host, "late", "early")
    with open_mailbox(config(mail_host, "imap")) as mailbox:
        cursor = mailbox.advanced(cursor, [Position(uid=2, uidvalidity=cursor.uidvalidity or 0)])
        mailbox.mark_taken([Position(uid=2)])
        assert subjects([one.raw for one in mailbox.new_mails(cursor)]) == ["late"]


def test_a_lost_quit_is_made_good_without_fetching_again(mail_host: MailHost) -> None:
    deliver(mail_host, "one", "two")
    with open_mailbox(config(mail_host, "pop3")) as mailbox:
        taken = [one.position for one in mailbox.new_mails(Cursor())]
        cursor = mailbox.advanced(Cursor(), taken)  # stored and remembered, but never deleted
    with open_mailbox(config(mail_host, "pop3")) as mailbox:
        assert list(mailbox.new_mails(cursor)) == []
        cursor = mailbox.caught_up(cursor, today=TODAY)
    with open_mailbox(config(mail_host, "pop3")) as mailbox:
        assert list(mailbox.new_mails(Cursor())) == []
        assert mailbox.caught_up(cursor, today=TODAY).seen == frozenset()


def test_a_uidl_that_comes_back_for_another_mail_is_no_reason_to_delete_it(mail_host: MailHost) -> None:
    deliver(mail_host, "one")
    with open_mailbox(config(mail_host, "pop3")) as mailbox:
        (one,) = mailbox.new_mails(Cursor())
    used = Cursor(seen=frozenset({f"{one.position.uidl} {'0' * 20}"}))
    with open_mailbox(config(mail_host, "pop3")) as mailbox:
        assert subjects([one.raw for one in mailbox.new_mails(used)]) == ["one"]


def test_of_a_huge_mail_the_beginning_is_taken_and_the_whole_left(
    mail_host: MailHost, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"depesche.mailroom.mailboxes.{protocol}.MAX_MAIL", 200_000)
    append(mail_host, mail("huge", ("x" * 78 + "\r\n") * 5000))
    deliver(mail_host, "next")
    with open_mailbox(config(mail_host, protocol)) as mailbox:
        huge, small = mailbox.new_mails(Cursor())
        assert (huge.position.whole, small.position.whole) == (False, True)
        assert len(huge.raw) <= 200_000
        taken = [huge.position, small.position]
        cursor = mailbox.advanced(Cursor(), taken)
        mailbox.mark_taken(taken)
        cursor = mailbox.caught_up(cursor, today=TODAY)
    with open_mailbox(config(mail_host, protocol)) as mailbox:
        assert list(mailbox.new_mails(cursor)) == []
    assert any(b"Subject: huge" in raw for raw in mail_host.maildir("tracker").raw())


def test_idle_wakes_when_a_mail_arrives(mail_host: MailHost) -> None:
    with open_mailbox(config(mail_host, "imap")) as mailbox:
        timer = threading.Timer(0.3, deliver, [mail_host, "now"])
        timer.start()
        try:
            assert mailbox.wait(30, threading.Event())
        finally:
            timer.join()
        assert subjects([one.raw for one in mailbox.new_mails(Cursor())]) == ["now"]


def test_idle_ends_when_told_to(mail_host: MailHost) -> None:
    stop = threading.Event()
    stop.set()
    with open_mailbox(config(mail_host, "imap")) as mailbox:
        assert not mailbox.wait(30, stop)


def test_login_only_leaves_the_mailbox_unlocked(mail_host: MailHost) -> None:
    """POP3 permits one session a mailbox: the second login shows that the first has ended."""
    login_only(config(mail_host, "pop3"))
    login_only(config(mail_host, "pop3"))


def failure(reached: MailboxConfig) -> MailboxError:
    with pytest.raises(MailboxError) as caught:
        login_only(reached)
    return caught.value


def test_wrong_password(mail_host: MailHost, protocol: str) -> None:
    error = failure(replace(config(mail_host, protocol), password="wröng-canary"))
    assert (error.stage, error.cause) == (MailboxStage.LOGIN, Cause.AUTH_REFUSED)
    assert "canary" not in f"{error} {error!r} {error.args}"


def test_unknown_authority(mail_host: MailHost, protocol: str) -> None:
    for encryption in ("ssl", "tls", "tls-if-available"):
        error = failure(replace(config(mail_host, protocol, encryption), trust=Trust()))
        assert (error.stage, error.cause) == (MailboxStage.TLS, Cause.CERT_UNKNOWN_CA)


def test_another_pin(mail_host: MailHost, protocol: str) -> None:
    error = failure(replace(config(mail_host, protocol, "ssl"), trust=Trust(pins=("ab" * 32,))))
    assert (error.stage, error.cause) == (MailboxStage.TLS, Cause.CERT_CHANGED)


def test_no_password_in_clear_without_permission(mail_host: MailHost, protocol: str) -> None:
    error = failure(config(mail_host, protocol, "none"))
    assert error.cause is Cause.CLEAR_PASSWORD_FORBIDDEN


def test_ssl_on_a_plain_port_and_the_reverse(mail_host: MailHost, protocol: str) -> None:
    plain = config(mail_host, protocol, "tls")
    assert failure(replace(plain, encryption=Encryption.SSL)).stage is MailboxStage.TLS
    encrypted = config(mail_host, protocol, "ssl")
    assert failure(replace(encrypted, encryption=Encryption.TLS, timeout=2)).stage is MailboxStage.GREETING


def test_nothing_listens(authority: Authority, protocol: str) -> None:
    reached = MailboxConfig(protocol, "127.0.0.1", free_port(), Encryption.NONE, "tracker", "x")
    assert failure(reached).cause is Cause.REFUSED


def test_no_such_host(protocol: str) -> None:
    reached = MailboxConfig(protocol, "no-such-host.invalid", 993, Encryption.SSL, "tracker", "x")
    assert failure(reached).cause in {Cause.NAME_NOT_FOUND, Cause.NAME_LOOKUP_FAILED}


def test_the_password_is_not_in_the_repr() -> None:
    shown = repr(MailboxConfig("imap", "h", 143, Encryption.NONE, "tracker", "canary"))
    assert "canary" not in shown
