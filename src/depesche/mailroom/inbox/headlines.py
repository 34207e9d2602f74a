"""Sender, subject and Message-ID of a mail that nobody could read, for the page: by its first lines alone."""

from __future__ import annotations

from dataclasses import dataclass

from depesche.mailformat.parse import parse

_LINES, _LONGEST, _OCTETS = 200, 2_000, 64 * 1024


@dataclass(frozen=True)
class Headlines:
    """Each "" where the mail does not tell."""

    author: str = ""
    subject: str = ""
    message_id: str = ""


def of(raw: bytes) -> Headlines:
    """From a few fields of a small size: nothing in them can cost much."""
    head = raw[:_OCTETS].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    lines = [
        line
        for line in head.split(b"\n")[:_LINES]
        if len(line) <= _LONGEST and line.lower().startswith((b"from:", b"subject:", b"message-id:"))
    ]
    mail = parse(b"\n".join(lines[:10]) + b"\n\n")
    author = next(iter(mail.from_), None)
    return Headlines(
        author.addr_spec[:320] if author else "", mail.subject[:400], (mail.message_id or "")[:998]
    )
