"""What the journeys of the way back share: people, items, a mailbox or a pipe, and mails to answer."""

from __future__ import annotations

import imaplib
import json
import smtplib
import subprocess
import sys
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from typing import Any

from tests.support.mail_host import MailHost
from tests.support.maildir import text_of
from tests.support.processes import Instance

NAMES = ("alice", "bob", "carol")


Command = tuple[Sequence[str], str]  # words and stdin

_BATCH = """
import io, json, sys
import django; django.setup()
from django.core.management import ManagementUtility
for words, stdin in json.load(sys.stdin):
    sys.stdin = io.StringIO(stdin)
    ManagementUtility(["depesche", *words]).execute()
"""


def run_all(instance: Instance, commands: Sequence[Command]) -> str:
    """Several commands in one process: each would load everything anew."""
    environment = instance.environment | {"DJANGO_SETTINGS_MODULE": "depesche.server.settings"}
    done = subprocess.run(
        [sys.executable, "-c", _BATCH],
        input=json.dumps(commands),
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def people(*names: str, workspace: str = "Plant", more: Sequence[str] = ()) -> list[Command]:
    """Members of a workspace, each NAME@example.org; with a password, so that no mail welcomes them."""
    addresses = [*(f"{name}@example.org" for name in names or NAMES), *more]
    added: list[Command] = [
        (
            ["person", "add", address, "--name", address.partition("@")[0].capitalize(), "--password-stdin"],
            "correct horse battery\n",
        )
        for address in addresses
    ]
    members = [word for address in addresses for word in ("--member", address)]
    return [*added, (["workspace", "add", workspace, *members], "")]


def outgoing(port: int, *more: str) -> list[Command]:
    settings = [
        "host=localhost", f"port={port}", "encryption=none", "system_address=tracker@example.org",
        "system_name=Plant Tracker", *more,
    ]  # fmt: skip
    return [(["connection", "set", *settings], "")]


def mailbox(host: MailHost, protocol: str = "imap", user: str = "tracker") -> list[Command]:
    port = host.dovecot.port_imap if protocol == "imap" else host.dovecot.port_pop3s
    settings = [
        f"protocol={protocol}", "host=localhost", f"port={port}",
        f"encryption={'tls' if protocol == 'imap' else 'ssl'}", f"username={user}",
    ]  # fmt: skip
    return [
        (["keystore", "import", str(host.ca_pem)], ""),
        (["mailbox", "set", *settings, "--password-stdin"], host.password(user) + "\n"),
    ]


def new_item(title: str, *, author: str = "alice", watcher: str = "bob@example.org") -> list[Command]:
    words = ["item", "create", "--workspace", "Plant", "--title", title, "--text", "Since Friday."]
    return [([*words, "--as", f"{author}@example.org", "--watch", watcher], "")]


def set_up(instance: Instance, *commands: list[Command]) -> None:
    """A new installation, and these commands."""
    instance.run("init")
    run_all(instance, [one for some in commands for one in some])


def comments(instance: Instance, key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = instance.json("item", "show", key)["comments"]
    return found


def reply_to(mail: EmailMessage, text: str, *, author: str, number: int = 0) -> EmailMessage:
    """As a mail program answers: to Reply-To, with the thread's headers and the quote below."""
    reply = EmailMessage()
    reply["From"] = f"{author}@example.org"
    reply["To"] = parseaddr(str(mail["Reply-To"] or mail["From"]))[1]
    reply["Subject"] = f"Re: {mail['Subject']}"
    reply["Message-ID"] = make_msgid(str(number), domain="client.example.org")
    reply["Date"] = formatdate()  # else Postfix writes its own, and a mail sent twice is two
    reply["In-Reply-To"] = str(mail["Message-ID"])
    reply["References"] = f"{mail['References']} {mail['Message-ID']}"
    quoted = "\n".join(f"> {line}" for line in text_of(mail).splitlines())
    reply.set_content(f"{text}\n\nOn Mon, 23 Nov 2026 at 15:00, Plant Tracker wrote:\n{quoted}\n")
    return reply


def submit(host: MailHost, *mails: EmailMessage, sender: str | None = None) -> None:
    with smtplib.SMTP("localhost", host.postfix.port_plain) as client:
        for mail in mails:
            client.send_message(mail, from_addr=sender)


def append(host: MailHost, mails: list[bytes], user: str = "tracker") -> None:
    """Straight into a mailbox, by IMAP."""
    with imaplib.IMAP4("localhost", host.dovecot.port_imap) as client:
        client.authenticate("PLAIN", lambda _: f"\0{user}\0{host.password(user)}".encode())
        for raw in mails:
            client.append("INBOX", "", "", raw)
