"""Storing a raw mail, durably and once, before anything else happens to it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from depesche.mailroom.inbox.models import ReceivedMessage

# Lines that a delivering host adds: the same mail by two ways differs in them.
_TRACE = re.compile(
    rb"^(?:received|return-path|delivered-to|x-original-to|envelope-to|delivery-date|x-[a-z0-9-]*|status|"
    rb"arc-[a-z-]*|authentication-results)[ \t]*:",
    re.IGNORECASE,
)
_MESSAGE_ID = re.compile(rb"^message-id[ \t]*:\s*(<[^<>\r\n]{1,990}>)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Stored:
    """`new` is False when the same mail was there already, by whatever way it came."""

    id: int
    new: bool


def fingerprint(raw: bytes) -> str:
    """The same for one mail however it arrived: by Message-ID and body, or by all but its trace lines."""
    octets = raw.replace(b"\r\n", b"\n")
    if octets.startswith(b"From "):  # the separator of an mbox, which a pipe may put in front
        octets = octets.partition(b"\n")[2]
    head, _, body = octets.partition(b"\n\n")
    found = _MESSAGE_ID.search(head)
    digest = hashlib.sha256(body.rstrip(b"\n \t"))
    digest.update(b"\0")
    digest.update(found[1] if found else b"\n".join(_own_lines(head)))
    return digest.hexdigest()


def _own_lines(head: bytes) -> list[bytes]:
    lines: list[bytes] = []
    keep = True
    for line in head.split(b"\n"):
        if not line.startswith((b" ", b"\t")):
            keep = _TRACE.match(line) is None
        if keep:
            lines.append(line)
    return lines


def store(
    raw: bytes,
    *,
    source: str,
    source_ref: str = "",
    envelope_sender: str | None = None,
    envelope_recipient: str = "",
    now: datetime,
) -> Stored:
    """Store a raw mail and return when it is durable; a mail that is there already is not stored again.

    Only after this may the source mark or delete its copy.
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
                source_ref=source_ref[:255],
                fingerprint=mark,
                raw=raw,
                size=len(raw),
                envelope_sender=None if envelope_sender is None else _clean(envelope_sender),
                envelope_recipient=_clean(envelope_recipient),
            )
    except IntegrityError:  # two ways at the same moment
        return Stored(ReceivedMessage.objects.values_list("id", flat=True).get(fingerprint=mark), new=False)
    return Stored(row.id, new=True)


def _clean(address: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", "", address).strip().removeprefix("<").removesuffix(">")[:320]
