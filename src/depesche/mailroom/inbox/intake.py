"""Storing a raw mail, durably and once, before anything else happens to it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from depesche.mailroom.connections import identity
from depesche.mailroom.inbox.models import ReceivedMessage

LEASE = timedelta(seconds=30)
_CHUNK = 1 << 20
_HEAD = 1 << 20  # octets in which a header is looked for

# Lines that a delivering host adds: the same mail by two ways differs in them.
_TRACE = re.compile(
    rb"^(?:received|return-path|delivered-to|x-original-to|envelope-to|delivery-date|x-[a-z0-9-]*|status|"
    rb"arc-[a-z-]*|authentication-results|received-spf|dkim-signature)[ \t]*:",
    re.IGNORECASE,
)
# Beside Message-ID and body, what a mail says of itself. Whoever knows a mail could otherwise hand in a copy
# under another name first, and the real one would pass for known.
_ITS_OWN = re.compile(
    rb"^(?:message-id|from|to|cc|date|in-reply-to|references)[ \t]*:",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Stored:
    """`new` is False when the same mail was there already, by whatever way it came. `claim` is what
    processing.process takes from whoever stored it to process it at once."""

    id: int
    new: bool
    claim: int = 0


def fingerprint(raw: bytes) -> str:
    """The same for one mail however it arrived: by body and what it says of itself, or where it has no
    Message-ID by body and all but its trace lines."""
    start, body, end = _bounds(raw)
    digest = hashlib.sha256()
    for chunk in _plain_lines(raw, body, end):
        digest.update(chunk)
    digest.update(b"\0")
    fields = list(_fields(raw[start:body]))
    identified = any(field.lower().startswith(b"message-id") for field in fields)
    for field in fields:
        if _ITS_OWN.match(field) if identified else not _TRACE.match(field):
            name, _, value = field.partition(b":")
            digest.update(name.strip().lower() + b":" + b" ".join(value.split()) + b"\n")
    return digest.hexdigest()


def _bounds(raw: bytes) -> tuple[int, int, int]:
    """Where header and body begin and where the body ends, without the line breaks around it."""
    start = 0
    if raw.startswith(b"From "):  # the separator of an mbox, which a pipe may put in front
        start = raw.find(b"\n", 0, _HEAD) + 1
    ends = [found for mark in (b"\n\r\n", b"\n\n") if (found := raw.find(mark, start, start + _HEAD)) >= 0]
    body = min(ends, default=len(raw))
    end = len(raw)
    while end > body and raw[end - 1] in b"\r\n \t":
        end -= 1
    while body < end and raw[body] in b"\r\n":
        body += 1
    return start, body, end


def _plain_lines(raw: bytes, start: int, end: int) -> Iterator[bytes]:
    """The body in chunks, its line ends as LF: a mail of 50 MB is not copied for it."""
    view = memoryview(raw)
    while start < end:
        stop = min(start + _CHUNK, end)
        if stop < end and raw[stop - 1] == 0x0D:
            stop += 1
        yield bytes(view[start:stop]).replace(b"\r\n", b"\n")
        start = stop


def _fields(head: bytes) -> Iterator[bytes]:
    field: list[bytes] = []
    for line in head.replace(b"\r\n", b"\n").split(b"\n"):
        if field and not line.startswith((b" ", b"\t")):
            yield b"\n".join(field)
            field = []
        if line.strip():
            field.append(line)
    if field:
        yield b"\n".join(field)


def store(
    raw: bytes,
    *,
    source: str,
    source_ref: str = "",
    envelope_sender: str | None = None,
    envelope_recipient: str = "",
    mailbox: int = 0,
    claim: bool = False,
    now: datetime,
) -> Stored:
    """Store a raw mail and return when it is durable; a mail that is there already is not stored again.

    `mailbox` is the place of the mailbox or pipe that it came by.

    Only after this may the source mark or delete its copy. With `claim` no worker takes it up before the
    caller, who processes it at once.
    """
    mark = fingerprint(raw)
    known = ReceivedMessage.objects.filter(fingerprint=mark).values_list("id", flat=True).first()
    if known is not None:
        return Stored(known, new=False)
    try:
        with transaction.atomic():
            row = ReceivedMessage.objects.create(
                received_at=now,
                source=source,
                source_ref=_clean(source_ref)[:255],
                mailbox=mailbox,
                fingerprint=mark,
                raw=raw,
                size=len(raw),
                envelope_sender=None if envelope_sender is None else _clean(envelope_sender),
                envelope_recipient=_clean(envelope_recipient),
                attempts=int(claim),
                tries=int(claim),
                lease_owner=identity.new_owner() if claim else "",
                lease_until=now + LEASE if claim else None,
            )
    except IntegrityError:  # two ways at the same moment
        return Stored(ReceivedMessage.objects.values_list("id", flat=True).get(fingerprint=mark), new=False)
    return Stored(row.pk, new=True, claim=int(claim))


def _clean(address: str) -> str:
    text = address.encode("utf-8", "replace").decode()  # an argument of a command may hold any octets
    return re.sub(r"[\x00-\x1f\x7f]", "", text).strip().removeprefix("<").removesuffix(">")[:320]
