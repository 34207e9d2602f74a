"""Reports of servers that write for people, each in its manner, for addresses and causes of every kind.

`{to}` is the recipient, `{code}` a reply code, `{status}` an enhanced code, `{words}` what the other
server said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.mailformat.siblings.server import Server
from tests.mailformat.siblings.servers_languages import TRANSLATED
from tests.mailformat.siblings.servers_programs import PROGRAMS

SENDER = "tracker+web-42@firma.example"
MESSAGE_ID = "<web-42.n9@firma.example>"

RETURNED = (
    f"Return-Path: <{SENDER}>\nReceived: from app.firma.example (app.firma.example [192.0.2.7])\n"
    "\tby mx.firma.example with ESMTP id 4XyZ; Tue, 3 Mar 2026 10:11:12 +0100\n"
    f"From: Depesche <{SENDER}>\nTo: {{to}}\nSubject: [WEB-42] Termin\nMessage-ID: {MESSAGE_ID}\n"
    "Date: Tue, 3 Mar 2026 10:11:12 +0100\n\nGuten Tag,\npasst der Termin?\n"
)


@dataclass(frozen=True)
class Report:
    """A whole mail, and what it says."""

    name: str
    raw: bytes
    recipients: tuple[str, ...]
    action: str
    status_class: str | None


CAUSES = (
    ("550", "5.1.1", "User unknown"),
    ("552", "5.2.2", "Mailbox full"),
    ("554", "5.7.1", "Message rejected due to local policy"),
    ("550", "5.1.2", "Host unknown"),
)

SERVERS = (*PROGRAMS, *TRANSLATED)

ADDRESSES = (
    ("jana.vogt@kunde.example",),
    ("Jana.O'Brien+web@sub.kunde.example",),
    ("jana@kunde.example", "max_muster@kunde.example", "l.m-3@other.example"),
)


def reports() -> Iterator[Report]:
    """Each server with each cause; the addresses in turn."""
    for number, server in enumerate(SERVERS):
        for turn, (code, status, words) in enumerate(CAUSES):
            for addresses in ADDRESSES:
                if len(addresses) > 1 and not server.several:
                    continue
                yield _report(server, addresses, code, status, words, as_part=(number + turn) % 2 == 1)
                if server.delayed:
                    break


def _report(
    server: Server, addresses: tuple[str, ...], code: str, status: str, words: str, *, as_part: bool
) -> Report:
    values = {"code": code, "status": status, "words": words, "sender": SENDER, "id": MESSAGE_ID}
    entries = "\n".join(server.entry.format(to=address, **values) for address in addresses)
    more = "\n".join(f"{code} {status} <{address}>... {words}" for address in addresses)
    returned = RETURNED.format(to=", ".join(addresses))
    as_part = as_part or "{returned}" not in server.body
    inline = "" if as_part else returned
    body = server.body.format(entry=entries, more=more, returned=inline, to=addresses[0], **values)
    head = (
        f"Return-Path: <>\nReceived: by mx.firma.example; Tue, 3 Mar 2026 10:12:00 +0100\nFrom: "
        f"{server.sender}\n"
        f"To: {SENDER}\nSubject: {server.subject}\nDate: Tue, 3 Mar 2026 10:12:00 +0100\nMIME-Version: 1.0\n"
    )
    if as_part:
        raw = (
            f'{head}Content-Type: multipart/mixed; boundary="b1"\n\n--b1\nContent-Type: text/plain; '
            f"charset=utf-8\n\n"
            f"{body}\n--b1\nContent-Type: message/rfc822\n\n{returned}\n--b1--\n"
        )
    else:
        raw = f"{head}Content-Type: text/plain; charset=utf-8\n\n{body}"
    return Report(
        f"{server.name}-{status}-{len(addresses)}-{'part' if as_part else 'inline'}",
        raw.encode(),
        addresses,
        "delayed" if server.delayed else "failed",
        "4" if server.delayed else code[0],
    )
