"""The closed sets of the settings, with the words that the interface shows."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class EncryptionMode(TextChoices):
    """M9. SSL: TLS from the first byte. TLS: STARTTLS required (port 465: at once)."""

    NONE = "none", _("None")
    SSL = "ssl", _("SSL")
    TLS = "tls", _("TLS")
    TLS_IF_AVAILABLE = "tls-if-available", _("TLS if available")


class Auth(TextChoices):
    """M11."""

    NONE = "none", _("No authentication")
    PASSWORD = "password", _("Own user name and password")
    SAME_AS_MAILBOX = "same-as-mailbox", _("Same as the incoming mailbox")
    MAILBOX_FIRST = "mailbox-first", _("Connect to the incoming mailbox first")
    OAUTH2 = "oauth2", _("OAuth 2.0 (Microsoft 365, Google)")


class MailboxAuth(TextChoices):
    """How the mailbox is logged in to. With OAuth 2.0 by the login that the outgoing connection has set
    up."""

    PASSWORD = "password", _("User name and password")
    OAUTH2 = "oauth2", _("OAuth 2.0 (Microsoft 365, Google)")


class Sender(TextChoices):
    """M4: which From a mail gets that a person triggered."""

    SYSTEM = "system", _("System")
    USER = "user", _("User")


class MailboxProtocol(TextChoices):
    IMAP = "imap", "IMAP"
    POP3 = "pop3", "POP3"
    PIPE = "pipe", _("Pipe from a mail server")


class PlusAddressing(TextChoices):
    """Whether reply addresses carry the token as name+tag@domain."""

    AUTO = "auto", _("As soon as a mail to such an address has arrived")
    ON = "on", _("Always")
    OFF = "off", _("Never")


class WhenTaken(TextChoices):
    """What becomes of a mail at the server once it is stored here."""

    LEAVE = "leave", _("Stays there, over IMAP marked as read")
    MOVE = "move", _("Is moved to a folder (IMAP)")
    DELETE = "delete", _("Is deleted")
