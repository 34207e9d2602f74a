"""What the administrator edits: the way out, the way in, what is trusted, and how the way out is doing.

Secrets stand here only encrypted (secrets.py); nothing here prints one.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from depesche.mailroom.connections.choices import (
    Auth,
    EncryptionMode,
    MailboxAuth,
    MailboxProtocol,
    PlusAddressing,
    Sender,
    WhenTaken,
)
from depesche.mailroom.connections.domain import models as _domain  # noqa: F401  and the domains
from depesche.mailroom.connections.history import models as _history  # noqa: F401  and the changes
from depesche.mailroom.connections.signing import models as _signing  # noqa: F401  Django finds DkimKey so
from depesche.mailroom.connections.watching import models as _watching  # noqa: F401  and those of the watch


class Installation(models.Model):
    """One row: which key the secrets of this database are encrypted with."""

    key_fingerprint = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)


class OutgoingConnection(models.Model):
    """The SMTP server (M2-M17). `revision` grows with each change, so that workers notice it."""

    place = models.PositiveSmallIntegerField(unique=True, default=0)  # 0 the connection, 1 its failover
    revision = models.PositiveIntegerField(default=0)
    host = models.CharField(max_length=255, blank=True)
    port = models.PositiveIntegerField(null=True, blank=True)  # empty: the default of the encryption
    encryption = models.CharField(
        max_length=20, choices=EncryptionMode.choices, default=EncryptionMode.TLS_IF_AVAILABLE
    )
    auth = models.CharField(max_length=20, choices=Auth.choices, default=Auth.NONE)
    username = models.CharField(max_length=255, blank=True)
    password_encrypted = models.BinaryField(null=True, editable=False)
    password_host = models.CharField(max_length=255, blank=True)  # the host it was typed for, and travels to
    password_set_at = models.DateTimeField(null=True)
    mailbox_password_host = models.CharField(max_length=255, blank=True)  # the mailbox's may travel here too
    allow_clear_password = models.BooleanField(default=False)
    system_address = models.CharField(max_length=254, blank=True)
    system_name = models.CharField(max_length=120, default="Depesche")
    sender = models.CharField(max_length=10, choices=Sender.choices, default=Sender.SYSTEM)
    charset = models.CharField(max_length=20, default="utf-8")
    max_connections = models.PositiveSmallIntegerField(default=10)  # maxNoOfSMTPConnections
    messages_per_connection = models.PositiveIntegerField(default=1000)
    messages_per_minute = models.PositiveIntegerField(null=True)  # empty: no limit
    chunking_window = models.PositiveSmallIntegerField(default=4)
    items_by_mail = models.BooleanField(default=False)
    tagged_sender_accepted_at = models.DateTimeField(null=True)  # proof that MAIL FROM:<name+tag@…> is taken
    updated_at = models.DateTimeField(auto_now=True)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )


class IncomingMailbox(models.Model):
    """A mailbox (or pipe) that mails come in by (M5-M7); place 0 belongs to the system address."""

    place = models.PositiveSmallIntegerField(unique=True, default=0)
    name = models.CharField(max_length=40, blank=True)
    address = models.CharField(max_length=254, blank=True)  # empty: the system address, or the user name
    workspace = models.CharField(max_length=64, blank=True)  # whose new mails are; mailroom only keeps it
    folder = models.CharField(max_length=200, default="INBOX")
    when_taken = models.CharField(max_length=10, choices=WhenTaken.choices, blank=True)  # empty: as usual
    move_to = models.CharField(max_length=200, blank=True)
    revision = models.PositiveIntegerField(default=0)
    protocol = models.CharField(max_length=10, choices=MailboxProtocol.choices, blank=True)  # empty: none
    host = models.CharField(max_length=255, blank=True)
    port = models.PositiveIntegerField(null=True, blank=True)
    encryption = models.CharField(max_length=20, choices=EncryptionMode.choices, default=EncryptionMode.SSL)
    auth = models.CharField(max_length=20, choices=MailboxAuth.choices, default=MailboxAuth.PASSWORD)
    username = models.CharField(max_length=255, blank=True)
    password_encrypted = models.BinaryField(null=True, editable=False)
    password_host = models.CharField(max_length=255, blank=True)
    password_set_at = models.DateTimeField(null=True)
    allow_clear_password = models.BooleanField(default=False)
    plus_addressing = models.CharField(
        max_length=10, choices=PlusAddressing.choices, default=PlusAddressing.AUTO
    )
    trusted_authserv_id = models.CharField(max_length=255, blank=True)  # whose Authentication-Results count
    tagged_address_seen_at = models.DateTimeField(null=True)  # proof that the server delivers name+tag
    last_polled_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    updated_at = models.DateTimeField(auto_now=True)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )


class KeystoreEntry(models.Model):
    """A certificate that an administrator trusts: a CA, or one certificate for one host and port (M10)."""

    class Kind(models.TextChoices):
        CA = "ca"
        LEAF = "leaf"
        PIN = "pin"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    host = models.CharField(max_length=255, blank=True)  # empty: every configured server
    port = models.PositiveIntegerField(default=0)  # 0 where host is empty
    pem = models.TextField()
    sha256 = models.CharField(max_length=64)
    subject = models.TextField()
    issuer = models.TextField()
    names = models.TextField(blank=True)  # host names and addresses in it, one a line
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    added_at = models.DateTimeField(auto_now_add=True)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sha256", "host", "port"], name="depesche_keystore_once"),
        ]


class ConnectionHealth(models.Model):
    """How the way out is doing, as the workers see it: flowing, or paused with the reason in words."""

    connection = models.OneToOneField(OutgoingConnection, on_delete=models.CASCADE, related_name="health")
    paused = models.BooleanField(default=False)
    since = models.DateTimeField(null=True)
    cause = models.CharField(max_length=40, blank=True)  # a smtpclient Cause, or a policy's name
    stage = models.CharField(max_length=20, blank=True)
    reply = models.TextField(blank=True)  # the server's own words
    probes = models.PositiveIntegerField(default=0)
    next_probe_at = models.DateTimeField(null=True)
    effective_cap = models.PositiveSmallIntegerField(null=True)  # below the configured one after a 421
    chunking_failed_at = models.DateTimeField(null=True)  # it was announced, and did not work
    chunking_failed_with = models.CharField(max_length=300, blank=True)  # host:port
    last_accepted_at = models.DateTimeField(null=True)


class DiagnosisRun(models.Model):
    """A test under way or done, so that any web process can show its steps. Redacted before it is written."""

    key = models.CharField(max_length=40, unique=True)  # random: the page that started it knows it
    what = models.CharField(max_length=10)  # outgoing, incoming
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    names = models.JSONField(default=list)  # the steps to come, in their order
    steps = models.JSONField(default=list)  # those that are done
    cancelled = models.BooleanField(default=False)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )


# Django finds the models of an app here.
from depesche.mailroom.connections.discovery.models import DiscoveryRun  # noqa: E402  after the models above
from depesche.mailroom.connections.oauth.models import OAuthLogin  # noqa: E402  after the models above
from depesche.mailroom.connections.sender_models import SenderIdentity, SenderRule  # noqa: E402  after the models above

__all__ = [
    "ConnectionHealth",
    "DiagnosisRun",
    "DiscoveryRun",
    "IncomingMailbox",
    "Installation",
    "KeystoreEntry",
    "OAuthLogin",
    "OutgoingConnection",
    "SenderIdentity",
    "SenderRule",
]
