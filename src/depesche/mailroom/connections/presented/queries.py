"""Reading what servers showed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from depesche.mailroom.connections import queries
from depesche.mailroom.connections.choices import EncryptionMode
from depesche.mailroom.connections.fetch import Protocol
from depesche.mailroom.connections.ports import implicit_mailbox, implicit_smtp
from depesche.mailroom.connections.presented.models import PresentedCertificate

NEWS = timedelta(days=7)
"""How long a change is news, if nobody says before that it was noticed."""


@dataclass(frozen=True)
class Target:
    """A server of the settings that shows a certificate. `place` is that of the way out, None for a
    mailbox."""

    host: str
    port: int
    starttls: Protocol | None
    place: int | None = None


@dataclass(frozen=True)
class PresentedRow:
    """What a server showed last."""

    id: int
    host: str
    port: int
    sha256: str
    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    problem: str
    seen_at: datetime
    old_sha256: str
    old_subject: str
    old_issuer: str
    old_not_after: datetime | None
    changed_at: datetime | None
    noticed_at: datetime | None

    def news(self, now: datetime) -> bool:
        """Whether the change is still to be told."""
        if self.changed_at is None or self.noticed_at is not None:
            return False
        return bool(self.problem) or now < self.changed_at + NEWS


def targets() -> list[Target]:
    """The servers of the settings with which TLS is spoken, each once."""
    found: dict[tuple[str, int], Target] = {}
    for place in (0, 1):
        out = queries.outgoing(place)
        if out.host and out.encryption != EncryptionMode.NONE:
            starttls: Protocol | None = None if implicit_smtp(out.encryption, out.port) else "smtp"
            found.setdefault((out.host, out.port), Target(out.host, out.port, starttls, place))
    for box in queries.mailboxes():
        if box.is_mailbox and box.encryption != EncryptionMode.NONE:
            begins: Protocol | None = "pop3" if box.protocol == "pop3" else "imap"
            if implicit_mailbox(box.protocol, box.encryption, box.port):
                begins = None
            found.setdefault((box.host, box.port), Target(box.host, box.port, begins))
    return list(found.values())


def presented() -> list[PresentedRow]:
    """What the servers of the settings showed last; others are not watched any more."""
    wanted = {(target.host, target.port) for target in targets()}
    rows = PresentedCertificate.objects.order_by("host", "port")
    return [presented_row(row) for row in rows if (row.host, row.port) in wanted]


def presented_row(row: PresentedCertificate) -> PresentedRow:
    names = PresentedRow.__dataclass_fields__
    return PresentedRow(**{name: getattr(row, name) for name in names})
