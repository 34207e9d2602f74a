"""The main job through real servers: a comment reaches a mailbox, the answer comes back as a comment.

Real processes, a real Postfix (three ways of encryption, with login), a real Dovecot (IMAP and POP3), and a
real SMTP client that answers as a mail program does.
"""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import make_msgid, parseaddr
from typing import Any

import pytest

from tests.support.mail_host import MailHost
from tests.support.maildir import text_of
from tests.support.processes import Instance
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.journey]


@dataclass(frozen=True)
class Route:
    """One way of setting the connection up."""

    encryption: str
    protocol: str
    sender: str
    plus_addressing: str = "on"
    auth: str = "password"


ROUTES = [
    Route("none", "imap", "system", auth="none"),
    Route("tls", "imap", "user"),
    Route("ssl", "pop3", "system", plus_addressing="off"),
    Route("tls-if-available", "pop3", "user", plus_addressing="off", auth="same-as-mailbox"),
]
PASSWORD = "correct horse battery"


@pytest.fixture(params=ROUTES, ids=lambda route: f"{route.encryption}-{route.protocol}-{route.sender}")
def route(request: pytest.FixtureRequest) -> Route:
    chosen: Route = request.param
    return chosen


def people(instance: Instance) -> None:
    instance.run("init")
    for name, language in (("alice", "en"), ("bob", "de"), ("carol", "en")):
        instance.run(
            "person", "add", f"{name}@example.org", "--name", name.capitalize(), "--language", language,
            "--password-stdin", stdin=PASSWORD + "\n",
        )  # fmt: skip
    members = [f"{name}@example.org" for name in ("alice", "bob", "carol")]
    instance.run("workspace", "add", "Plant", *(word for one in members for word in ("--member", one)))


def connect(instance: Instance, host: MailHost, route: Route) -> None:
    instance.run("keystore", "import", host.ca_pem)
    incoming = host.dovecot.port_imap if route.protocol == "imap" else host.dovecot.port_pop3s
    instance.run(
        "mailbox", "set", f"protocol={route.protocol}", "host=localhost", f"port={incoming}",
        f"encryption={'tls' if route.protocol == 'imap' else 'ssl'}", "username=tracker",
        f"plus_addressing={route.plus_addressing}", "--password-stdin",
        stdin=host.password("tracker") + "\n",
    )  # fmt: skip
    ports = {
        "none": host.postfix.port_plain,
        "tls": host.postfix.port_login,
        "tls-if-available": host.postfix.port_login,
        "ssl": host.postfix.port_login_tls,
    }
    settings = [
        "host=localhost", f"port={ports[route.encryption]}", f"encryption={route.encryption}",
        f"auth={route.auth}", "system_address=tracker@example.org", "system_name=Plant Tracker",
        f"sender={route.sender}",
    ]  # fmt: skip
    if route.auth == "password":
        password = host.password("tracker") + "\n"
        instance.run("connection", "set", *settings, "username=tracker", "--password-stdin", stdin=password)
    else:
        instance.run("connection", "set", *settings)


def answer(host: MailHost, mail: EmailMessage, *, author: str, text: str) -> None:
    """As a mail program: to Reply-To, with the thread's headers and the quote below."""
    reply = EmailMessage()
    reply["From"] = f"{author}@example.org"
    reply["To"] = parseaddr(str(mail["Reply-To"] or mail["From"]))[1]
    reply["Subject"] = f"AW: {mail['Subject']}"
    reply["Message-ID"] = make_msgid(domain="example.org")
    reply["In-Reply-To"] = str(mail["Message-ID"])
    reply["References"] = f"{mail['References']} {mail['Message-ID']}"
    quoted = "\n".join(f"> {line}" for line in text_of(mail).splitlines())
    reply.set_content(f"{text}\n\nAm 23.11.2026 um 15:00 schrieb Plant Tracker:\n{quoted}\n")
    trust = ssl.create_default_context(cafile=str(host.ca_pem))
    with smtplib.SMTP("localhost", host.postfix.port_starttls) as client:
        client.starttls(context=trust)
        client.send_message(reply)


def comments(instance: Instance, key: str) -> list[dict[str, Any]]:
    shown = instance.json("item", "show", key)
    found: list[dict[str, Any]] = shown["comments"]
    return found


def main_line(instance: Instance, host: MailHost, route: Route) -> None:
    people(instance)
    connect(instance, host, route)
    instance.start("worker")
    item = instance.json(
        "item", "create", "--workspace", "Plant", "--title", "Coolant pump vibrates – 4,6 mm/s",
        "--text", "Since **Friday**.", "--as", "alice@example.org", "--watch", "bob@example.org",
    )  # fmt: skip
    key = item["key"]
    created = host.maildir("bob").wait_for_subject(f"[{key}]")
    assert "Coolant pump vibrates – 4,6 mm/s" in str(created["Subject"])

    instance.run("item", "comment", key, "--as", "alice@example.org", "--text", "The coupling is worn.")
    told = host.maildir("bob").wait_for(lambda mail: "The coupling is worn." in text_of(mail), "the comment")
    name, address = parseaddr(str(told["From"]))
    if route.sender == "system":
        assert (name, address) == ("Alice via Plant Tracker", "tracker@example.org")
    else:
        assert (name, address) == ("Alice", "alice@example.org")
    assert set(str(created["References"] or "").split()) & set(str(told["References"]).split())

    answer(host, told, author="bob", text="Ich tausche sie morgen früh.")

    def arrived() -> bool:
        if route.protocol == "pop3":  # the worker looks into such a mailbox once a minute only
            instance.run("mailbox", "poll", status=None)
        return len(comments(instance, key)) == 2

    wait_until(arrived, "Bob's answer as a comment", timeout=90)
    second = comments(instance, key)[1]
    assert second["author"].startswith("bob@") or second["author"] == "Bob"
    assert second["text"] == "Ich tausche sie morgen früh."
    assert second["via"] == "mail"
    assert "The coupling is worn." in second["cut"]

    onward = host.maildir("alice").wait_for(
        lambda mail: "Ich tausche sie morgen früh." in text_of(mail), "Bob's answer in Alice's mailbox"
    )
    assert set(str(onward["References"]).split()) & set(str(told["References"]).split())
    assert len(host.maildir("bob").mails()) == 2  # he is not told what he wrote himself
    wait_until(  # it is written down a little after it arrives
        lambda: set(instance.json("outbox", "stats")["states"]) == {"accepted"}, "all of it on record"
    )


def test_comment_to_mailbox_and_answer_to_comment(
    instance: Instance, mail_host: MailHost, route: Route
) -> None:
    main_line(instance, mail_host, route)


@pytest.mark.contract
def test_the_whole_line_on_either_database(instance: Instance, mail_host: MailHost) -> None:
    main_line(instance, mail_host, ROUTES[1])


def test_a_mail_becomes_an_item_with_its_attachment(instance: Instance, mail_host: MailHost) -> None:
    people(instance)
    connect(instance, mail_host, ROUTES[1])
    instance.run("connection", "set", "items_by_mail=on")
    for name in ("alice", "bob"):
        instance.run("person", "add", f"{name}@example.org", "--name", name, status=None)
    instance.start("worker")
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "bob@example.org", "tracker@example.org", "Ventil undicht"
    mail["Message-ID"] = make_msgid(domain="example.org")
    mail.set_content("Am Ventil V-3 tropft es.\n")
    mail.add_attachment(b"\x89PNG\r\n\x1a\n0000", maintype="image", subtype="png", filename="ventil.png")
    stranger = EmailMessage()
    stranger["From"], stranger["To"] = "stranger@example.net", "tracker@example.org"
    stranger["Subject"], stranger["Message-ID"] = "Let me in", make_msgid(domain="example.net")
    stranger.set_content("Hello\n")
    with smtplib.SMTP("localhost", mail_host.postfix.port_plain) as client:
        client.send_message(mail)
        client.send_message(stranger, from_addr="stranger@example.net")

    def made() -> dict[str, Any] | None:
        done = instance.run("item", "show", "1", "--json", status=None)
        return instance.json("item", "show", "1") if done.returncode == 0 else None

    item = wait_until(made, "the item that Bob mailed", timeout=90)
    assert item is not None
    assert item["title"] == "Ventil undicht"
    assert "Am Ventil V-3 tropft es." in item["description"]
    wait_until(
        lambda: instance.run("item", "show", "2", status=None).returncode != 0, "no item from a stranger"
    )
