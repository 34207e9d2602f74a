"""The mail server of the tests does what its descriptions promise."""

from __future__ import annotations

import imaplib
import poplib
import smtplib
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.mail_host import MailHost
from tests.support.maildir import parse, text_of
from tests.support.postfix import Postfix
from tests.support.waiting import wait_until

pytestmark = pytest.mark.journey

CONTENT = "Subject: {subject}\r\nFrom: bob@example.org\r\nTo: alice@example.org\r\n\r\nGood morning\r\n"


def trusting(ca_pem: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ca_pem))


def plain(host: MailHost) -> smtplib.SMTP:
    return smtplib.SMTP("localhost", host.postfix.port_plain)


def starttls(host: MailHost) -> smtplib.SMTP:
    session = smtplib.SMTP("localhost", host.postfix.port_starttls)
    session.starttls(context=trusting(host.ca_pem))
    return session


def tls(host: MailHost) -> smtplib.SMTP:
    return smtplib.SMTP_SSL("localhost", host.postfix.port_tls, context=trusting(host.ca_pem))


@pytest.mark.parametrize("submit", [plain, starttls, tls])
def test_each_port_takes_a_mail_and_both_protocols_serve_it(
    mail_host: MailHost, submit: Callable[[MailHost], smtplib.SMTP]
) -> None:
    with submit(mail_host) as session:
        refused = session.sendmail(
            "bob@example.org", ["alice+tag@example.org"], CONTENT.format(subject=submit.__name__)
        )
    assert refused == {}
    arrived = mail_host.maildir("alice").wait_for_subject(submit.__name__)
    assert text_of(arrived).strip() == "Good morning"
    assert str(arrived["Delivered-To"]) == "alice+tag@example.org"

    imap = imaplib.IMAP4_SSL(
        "localhost", mail_host.dovecot.port_imaps, ssl_context=trusting(mail_host.ca_pem)
    )
    imap.authenticate("PLAIN", lambda _: f"\0alice\0{mail_host.password('alice')}".encode())
    assert imap.select("INBOX") == ("OK", [b"1"])
    _status, parts = imap.fetch("1", "(RFC822)")
    assert isinstance(parts[0], tuple)
    assert parse(parts[0][1])["Subject"] == submit.__name__
    imap.logout()

    pop = poplib.POP3("localhost", mail_host.dovecot.port_pop3)
    pop.stls(context=trusting(mail_host.ca_pem))
    pop.user("alice")
    pop.pass_(mail_host.password("alice"))
    assert pop.stat()[0] == 1
    pop.quit()


def test_starttls_is_required_and_unknown_recipients_are_refused(mail_host: MailHost) -> None:
    with smtplib.SMTP("localhost", mail_host.postfix.port_starttls) as session:
        session.ehlo()
        assert session.mail("bob@example.org")[0] == 530
    with plain(mail_host) as session, pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
        session.sendmail("bob@example.org", ["nobody@example.org"], CONTENT.format(subject="no"))
    assert refusal.value.recipients["nobody@example.org"][0] == 550


def authenticate(session: smtplib.SMTP, user: str, password: str) -> int:
    """AUTH PLAIN with a password that is not ASCII, as smtplib cannot."""
    import base64

    word = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
    return session.docmd("AUTH", f"PLAIN {word}")[0]


def test_relaying_needs_a_login(mail_host: MailHost) -> None:
    with plain(mail_host) as session:
        session.ehlo()
        session.mail("alice@example.org")
        assert session.rcpt("elsewhere@example.net")[0] == 554
    with smtplib.SMTP_SSL(
        "localhost", mail_host.postfix.port_login_tls, context=trusting(mail_host.ca_pem)
    ) as session:
        session.ehlo()
        assert session.esmtp_features["auth"].split() == ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"]
        assert authenticate(session, "alice", "wrong") == 535
        assert authenticate(session, "alice", mail_host.password("alice")) == 235
        session.sendmail("alice@example.org", ["elsewhere@example.net"], CONTENT.format(subject="far"))
    mail_host.postfix.other_maildir.wait_for_subject("far")


def test_ports_with_login_refuse_those_without(mail_host: MailHost) -> None:
    with smtplib.SMTP("localhost", mail_host.postfix.port_login_clear) as session:
        session.ehlo()
        session.mail("alice@example.org")
        assert session.rcpt("bob@example.org")[0] == 554
        session.rset()
        assert authenticate(session, "alice", mail_host.password("alice")) == 235
        session.sendmail("alice@example.org", ["bob@example.org"], CONTENT.format(subject="in clear"))
    mail_host.maildir("bob").wait_for_subject("in clear")


def test_own_sender_port_refuses_another_persons_address(mail_host: MailHost) -> None:
    with smtplib.SMTP("localhost", mail_host.postfix.port_own_sender) as session:
        session.starttls(context=trusting(mail_host.ca_pem))
        session.ehlo()
        assert authenticate(session, "tracker", mail_host.password("tracker")) == 235
        session.mail("alice@example.org")
        assert session.rcpt("bob@example.org")[0] == 553
        session.rset()
        session.sendmail("tracker@example.org", ["bob@example.org"], CONTENT.format(subject="own"))
    mail_host.maildir("bob").wait_for_subject("own")


def test_pop3_locks_the_mailbox(mail_host: MailHost) -> None:
    def open_session() -> poplib.POP3:
        session = poplib.POP3("localhost", mail_host.dovecot.port_pop3)
        session.user("carol")
        session.pass_(mail_host.password("carol"))
        return session

    first = open_session()
    second = poplib.POP3("localhost", mail_host.dovecot.port_pop3)
    second.user("carol")
    with pytest.raises(poplib.error_proto, match="IN-USE"):
        second.pass_(mail_host.password("carol"))
    second.close()
    first.quit()
    open_session().quit()


def test_mailboxes_are_empty_at_the_start(mail_host: MailHost) -> None:
    assert [mail_host.maildir(user).raw() for user in mail_host.dovecot.users] == [[], [], [], []]


def test_mail_for_the_tracker_goes_to_a_command(mail_host: MailHost) -> None:
    host = Postfix(
        mail_host.authority,
        mail_host.dovecot,
        pipe_to=["/bin/sh", "/placeholder", "${sender}", "${recipient}"],
    )
    script, taken = host.folder / "take.sh", host.folder / "mail" / "taken"
    script.write_text(f'#!/bin/sh\nset -e\n(echo "$1 $2"; cat) > {taken}.part\nmv {taken}.part {taken}\n')
    script.chmod(0o755)
    services = host.configuration / "master.cf"
    services.write_text(services.read_text().replace("/placeholder", str(script)))
    try:
        host.start()
        with smtplib.SMTP("localhost", host.port_plain) as session:
            session.sendmail("bob@example.org", ["tracker+abc@example.org"], CONTENT.format(subject="piped"))
        wait_until(taken.exists, "the command")
        first, _, rest = taken.read_bytes().partition(b"\n")
        assert first == b"bob@example.org tracker+abc@example.org"
        assert parse(rest)["Subject"] == "piped"
    finally:
        host.remove()


def test_other_settings_take_the_place_of_ours_without_a_warning(mail_host: MailHost) -> None:
    host = Postfix(
        mail_host.authority, mail_host.dovecot, size_limit=5_000_000, more={"message_size_limit": "1234"}
    )
    try:
        host.start()
        with smtplib.SMTP("localhost", host.port_plain) as session:
            session.ehlo()
            assert session.esmtp_features["size"] == "1234"
        wait_until(lambda: "disconnect from" in host.log(), "what it says of its clients")
        assert "warning" not in host.log()
    finally:
        host.remove()


def test_a_start_in_vain_says_what_the_processes_did(
    mail_host: MailHost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    silent = tmp_path / "master"
    silent.write_text("#!/bin/sh\nexec sleep 600\n")
    silent.chmod(0o755)
    host = Postfix(mail_host.authority, mail_host.dovecot)
    monkeypatch.setattr(host, "_daemons", lambda: tmp_path)
    monkeypatch.setattr("tests.support.postfix.PATIENCE", 0.3)
    try:
        with pytest.raises(
            AssertionError, match=r"greetings(.|\n)*(?:master -c|sleep 600)(.|\n)*files: .*console.log"
        ):
            host.start()
        assert host._program is None
    finally:
        host.remove()
