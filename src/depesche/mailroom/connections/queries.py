"""Reading the settings: frozen values without secrets. The only readers that other packages call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from django.db import connection
from django.utils import timezone

from depesche.mailroom.connections import ports
from depesche.mailroom.connections.choices import (
    Auth,
    EncryptionMode,
    MailboxAuth,
    MailboxProtocol,
    PlusAddressing,
    Sender,
)
from depesche.mailroom.connections.models import (
    ConnectionHealth,
    IncomingMailbox,
    KeystoreEntry,
    OutgoingConnection,
)
from depesche.mailroom.connections.volume import Volume, chunking_rests
from depesche.smtpclient.config import Timeouts


@dataclass(frozen=True)
class OutgoingSettings:
    """How mails go out. `port` is the one in use; `port_typed` is None while it follows the encryption."""

    place: int = 0
    revision: int = 0
    host: str = ""
    port: int = 25
    port_typed: int | None = None
    encryption: str = EncryptionMode.TLS_IF_AVAILABLE
    auth: str = Auth.NONE
    username: str = ""
    has_password: bool = False
    password_host: str = ""  # the host that the stored password was typed for
    password_set_at: datetime | None = None
    mailbox_password_host: str = ""  # the SMTP server that the mailbox's password was typed for
    allow_clear_password: bool = False
    system_address: str = ""
    system_name: str = "Depesche"
    sender: str = Sender.SYSTEM
    charset: str = "utf-8"
    max_connections: int = 10
    items_by_mail: bool = False
    volume: Volume = field(default_factory=Volume)
    updated_at: datetime | None = None
    signed_return_path: bool = False  # each mail has a reverse-path of its own

    @property
    def configured(self) -> bool:
        """Whether mails can go out at all: a server to submit to, and an address to submit from."""
        return bool(self.host and self.system_address)


@dataclass(frozen=True)
class IncomingSettings:
    """How answers come in. `protocol` is "" while there is neither mailbox nor pipe."""

    place: int = 0
    revision: int = 0
    protocol: str = ""
    host: str = ""
    port: int = 0
    port_typed: int | None = None
    encryption: str = EncryptionMode.SSL
    auth: str = MailboxAuth.PASSWORD
    username: str = ""
    has_password: bool = False
    password_host: str = ""
    password_set_at: datetime | None = None
    allow_clear_password: bool = False
    plus_addressing: str = PlusAddressing.AUTO
    trusted_authserv_id: str = ""  # the server whose Authentication-Results count (RFC 8601); "": nobody's
    tagged_address_seen_at: datetime | None = None
    last_polled_at: datetime | None = None
    last_error: str = ""
    updated_at: datetime | None = None
    name: str = ""
    address: str = ""
    workspace: str = ""  # whose new mails are: a word of the tracker
    folder: str = "INBOX"
    when_taken: str = ""  # a WhenTaken; "": as the protocol suggests
    move_to: str = ""

    @property
    def title(self) -> str:
        """Its name, or one that tells it from others."""
        if self.name:
            return self.name
        return "main" if self.place == 0 else f"mailbox-{self.place}"

    @property
    def own_address(self) -> str:
        """The address whose mails arrive here, as far as the mailbox's own settings tell."""
        return self.address or (self.username if "@" in self.username and self.is_mailbox else "")

    @property
    def is_mailbox(self) -> bool:
        """A mailbox that Depesche fetches mails from."""
        return self.protocol in (MailboxProtocol.IMAP, MailboxProtocol.POP3) and bool(self.host)

    @property
    def configured(self) -> bool:
        """Whether an answer can reach us: a mailbox, or a mail server that pipes mails to `inbox receive`."""
        return self.is_mailbox or self.protocol == MailboxProtocol.PIPE


class Flow(StrEnum):
    """The answer to: does mail go out?"""

    FLOWING = "flowing"
    PAUSED = "paused"
    UNCONFIGURED = "unconfigured"


@dataclass(frozen=True)
class Health:
    """How the way out is doing. `cause`, `stage` and `reply` say why it is paused; empty while it flows."""

    flow: Flow
    since: datetime | None = None
    cause: str = ""
    stage: str = ""
    reply: str = ""
    probes: int = 0
    next_probe_at: datetime | None = None
    effective_cap: int = (
        10  # what is really used: the configured cap, or less after the server asked for less
    )
    last_accepted_at: datetime | None = None
    chunking_rests: bool = False  # the server announced CHUNKING, and failed it lately
    facts: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)  # for the sentence


@dataclass(frozen=True)
class KeystoreRow:
    """A certificate that an administrator trusts. `sha256` is 64 lower-case hexadecimal digits."""

    id: int
    kind: str
    host: str
    port: int | None
    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    sha256: str
    added_at: datetime


def outgoing(place: int = 0) -> OutgoingSettings:
    """The settings of the way out; their defaults while nobody has saved any."""
    settings = stored_outgoing(place)
    return completed(settings)


def stored_outgoing(place: int = 0) -> OutgoingSettings:
    """The same as they were saved: the failover's may leave open what it then has from the connection."""
    row = OutgoingConnection.objects.filter(place=place).first()
    if row is not None:
        return outgoing_of(row)
    return OutgoingSettings(place=place, system_name="" if place else OutgoingSettings.system_name)


def completed(settings: OutgoingSettings) -> OutgoingSettings:
    """The failover's settings, where they are left open as the connection has them; the connection's as they
    are.
    """
    if settings.place == 0:
        return settings
    first = stored_outgoing()
    return replace(
        settings,
        system_address=settings.system_address or first.system_address,
        system_name=settings.system_name or first.system_name,
        charset=first.charset,
        items_by_mail=first.items_by_mail,
    )


def place_in_use() -> int:
    """Which connection mails go through now: 0, or 1 while the first rests and its failover does not."""
    if health().flow is Flow.PAUSED and health(1).flow is Flow.FLOWING:
        return 1
    return 0


def outgoing_of(row: OutgoingConnection) -> OutgoingSettings:
    return OutgoingSettings(
        place=row.place,
        revision=row.revision,
        host=row.host,
        port=row.port or ports.smtp_port(row.encryption),
        port_typed=row.port,
        encryption=row.encryption,
        auth=row.auth,
        username=row.username,
        has_password=row.password_encrypted is not None,
        password_host=row.password_host,
        password_set_at=row.password_set_at,
        mailbox_password_host=row.mailbox_password_host,
        allow_clear_password=row.allow_clear_password,
        system_address=row.system_address,
        system_name=row.system_name,
        sender=row.sender,
        charset=row.charset,
        max_connections=row.max_connections,
        items_by_mail=row.items_by_mail,
        volume=Volume(row.messages_per_connection, row.messages_per_minute, row.chunking_window),
        updated_at=row.updated_at,
        signed_return_path=row.tagged_sender_accepted_at is not None and plus_addressing_in_use(),
    )


def incoming(place: int = 0) -> IncomingSettings:
    """The settings of the way in; their defaults while nobody has saved any."""
    row = IncomingMailbox.objects.filter(place=place).first()
    return incoming_of(row) if row is not None else IncomingSettings(place=place)


def incoming_of(row: IncomingMailbox) -> IncomingSettings:
    return IncomingSettings(
        place=row.place,
        revision=row.revision,
        protocol=row.protocol,
        host=row.host,
        port=row.port or ports.mailbox_port(row.protocol, row.encryption),
        port_typed=row.port,
        encryption=row.encryption,
        auth=row.auth,
        username=row.username,
        has_password=row.password_encrypted is not None,
        password_host=row.password_host,
        password_set_at=row.password_set_at,
        allow_clear_password=row.allow_clear_password,
        plus_addressing=row.plus_addressing,
        trusted_authserv_id=row.trusted_authserv_id,
        tagged_address_seen_at=row.tagged_address_seen_at,
        last_polled_at=row.last_polled_at,
        last_error=row.last_error,
        updated_at=row.updated_at,
        name=row.name,
        address=row.address,
        workspace=row.workspace,
        folder=row.folder,
        when_taken=row.when_taken,
        move_to=row.move_to,
    )


def mailboxes() -> list[IncomingSettings]:
    """Every way in: that of the system address first, then the others in the order of their places."""
    rows = [incoming_of(row) for row in IncomingMailbox.objects.order_by("place")]
    return rows if rows and rows[0].place == 0 else [IncomingSettings(), *rows]


def mailbox_named(text: str) -> IncomingSettings | None:
    """The mailbox with this name (without regard to case) or place; None where there is none."""
    wanted = text.strip().casefold()
    found = [one for one in mailboxes() if wanted in (one.title.casefold(), str(one.place))]
    return found[0] if found else None


def revision() -> tuple[int, int]:
    """The revisions of outgoing settings (the failover's with them) and of incoming ones, keystore
    included, in one cheap query.
    """
    one = f"SELECT SUM(revision) FROM {OutgoingConnection._meta.db_table}"  # noqa: S608  our own names
    other = f"SELECT SUM(revision) FROM {IncomingMailbox._meta.db_table}"  # noqa: S608  our own names
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT ({one}), ({other})")
        out, incoming_revision = cursor.fetchone()
    return out or 0, int(incoming_revision or 0)


@dataclass(frozen=True)
class Ways:
    """The way out and every way in, read together; what follows from both."""

    outgoing: OutgoingSettings
    mailboxes: tuple[IncomingSettings, ...]

    @property
    def answers_reach_us(self) -> bool:
        """Whether a mailbox or pipe is configured for the system address, so that a Reply-To may promise an
        answer (M5, M6)."""
        configured = [one for one in self.mailboxes if one.configured]
        if any(one.place == 0 for one in configured):
            return True
        system = self.outgoing.system_address.casefold()
        return bool(system) and any(one.own_address.casefold() == system for one in configured)

    @property
    def plus_addressing(self) -> bool:
        """Whether reply addresses carry their token as tracker+token@…: set on, or proved by a mail that
        arrived so."""
        return _tags_in_use(self.mailboxes[0])


def ways() -> Ways:
    """All settings of both directions, in two queries."""
    return Ways(outgoing(), tuple(mailboxes()))


def answers_reach_us() -> bool:
    """See Ways."""
    boxes = mailboxes()
    if boxes[0].configured:
        return True
    return any(one.configured for one in boxes) and Ways(outgoing(), tuple(boxes)).answers_reach_us


def plus_addressing_in_use() -> bool:
    """See Ways."""
    return _tags_in_use(incoming())


def _tags_in_use(settings: IncomingSettings) -> bool:
    if not settings.configured or settings.plus_addressing == PlusAddressing.OFF:
        return False
    return settings.plus_addressing == PlusAddressing.ON or settings.tagged_address_seen_at is not None


def _patience(stage: str) -> float:
    """How long the workers wait for the server at this stage, in seconds."""
    timeouts = Timeouts()
    return float(getattr(timeouts, stage, timeouts.command) if stage else timeouts.command)


def health(place: int = 0) -> Health:
    """How the way out is doing, as the workers wrote it down."""
    settings = outgoing(place)
    row = ConnectionHealth.objects.filter(connection__place=place).first()
    cap = settings.max_connections
    if row is None:
        return Health(Flow.FLOWING if settings.configured else Flow.UNCONFIGURED, effective_cap=cap)
    paused = row.paused and settings.configured
    return Health(
        flow=Flow.PAUSED if paused else Flow.FLOWING if settings.configured else Flow.UNCONFIGURED,
        since=row.since,
        cause=row.cause if paused else "",
        stage=row.stage if paused else "",
        reply=row.reply if paused else "",
        probes=row.probes,
        next_probe_at=row.next_probe_at if paused else None,
        effective_cap=min(row.effective_cap or cap, cap),
        last_accepted_at=row.last_accepted_at,
        chunking_rests=chunking_rests(
            row.chunking_failed_at,
            row.chunking_failed_with,
            f"{settings.host}:{settings.port}",
            timezone.now(),
        ),
        facts={
            "host": settings.host,
            "port": settings.port,
            "encryption": settings.encryption,
            "username": settings.username,
            "address": settings.system_address,
            "seconds": f"{_patience(row.stage):g}",
        },
    )


def keystore() -> list[KeystoreRow]:
    """What is trusted beside the system's own authorities, oldest first."""
    return [keystore_row(entry) for entry in KeystoreEntry.objects.order_by("id")]


def keystore_row(entry: KeystoreEntry) -> KeystoreRow:
    return KeystoreRow(
        id=entry.pk,
        kind=entry.kind,
        host=entry.host,
        port=entry.port or None,
        subject=entry.subject,
        issuer=entry.issuer,
        names=tuple(entry.names.split("\n")) if entry.names else (),
        not_before=entry.not_before,
        not_after=entry.not_after,
        sha256=entry.sha256,
        added_at=entry.added_at,
    )
