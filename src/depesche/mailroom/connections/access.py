"""From settings to what the clients take: the one place where stored secrets are decrypted.

A stored password travels only to the host that it was typed for (M12): asked for another host, these
functions raise PasswordNeeded instead of handing it out. The result holds the secret in fields that repr
leaves out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from depesche.mailroom.connections import queries, secrets
from depesche.mailroom.connections.choices import Auth, MailboxAuth, MailboxProtocol
from depesche.mailroom.connections.hosts import same_host
from depesche.mailroom.connections.models import IncomingMailbox, OutgoingConnection
from depesche.mailroom.connections.oauth import tokens
from depesche.mailroom.connections.oauth.providers import SMTP
from depesche.mailroom.connections.oauth.queries import oauth
from depesche.mailroom.connections.queries import IncomingSettings, OutgoingSettings
from depesche.mailroom.connections.secrets import Secret
from depesche.smtpclient.config import (
    ConnectionConfig,
    Encryption,
    Password,
    Timeouts,
    TokenSource,
    Trust,
)

if TYPE_CHECKING:
    from depesche.mailroom.mailboxes import MailboxConfig


class NotConfigured(Exception):
    """Something is missing in the settings; the text is one sentence that says what."""


class PasswordNeeded(NotConfigured):
    """A login is configured whose password is not stored, or was typed for another host."""


def smtp_config(
    settings: OutgoingSettings,
    *,
    password: str | Secret | None = None,
    mailbox: IncomingSettings | None = None,
    timeouts: Timeouts | None = None,
    chunking: bool = True,
) -> ConnectionConfig:
    """How to reach and to treat the SMTP server of these settings, trusted certificates included.

    `password` is one just typed, in place of the stored one; `mailbox` the incoming settings, if not the
    saved ones; `chunking` False leaves CHUNKING alone. Raises NotConfigured.
    """
    if not settings.host:
        raise NotConfigured(_("No SMTP server is configured."))
    return ConnectionConfig(
        host=settings.host,
        port=settings.port,
        encryption=Encryption(settings.encryption),
        credentials=_smtp_credentials(settings, password, mailbox),
        allow_clear_password=settings.allow_clear_password,
        trust=trust_of(settings),
        timeouts=timeouts or Timeouts(),
        limits=settings.volume.limits(chunking=chunking),
    )


def trust_of(settings: OutgoingSettings) -> Trust:
    """Whom a connection with these settings believes."""
    from depesche.mailroom.connections import keystore

    return keystore.trust_for(settings.host, settings.port)


def mailbox_config(
    settings: IncomingSettings, *, password: str | Secret | None = None, timeout: float = 30.0
) -> MailboxConfig:
    """How to reach the mailbox of these settings. Raises NotConfigured."""
    from depesche.mailroom.connections import keystore
    from depesche.mailroom.mailboxes import MailboxConfig, WhenTaken

    if not settings.is_mailbox:
        raise NotConfigured(_("No mailbox is configured."))
    token = None
    secret = _given(password)
    if settings.auth == MailboxAuth.OAUTH2:
        token, secret = _tokens(settings.protocol, settings.host, settings.username), Secret("")
    elif secret is None:
        secret = _stored_mailbox_password(settings, settings.host)
    return MailboxConfig(
        protocol=settings.protocol,
        host=settings.host,
        port=settings.port,
        encryption=Encryption(settings.encryption),
        username=settings.username,
        password=secret.reveal(),
        allow_clear_password=settings.allow_clear_password,
        trust=keystore.trust_for(settings.host, settings.port),
        timeout=timeout,
        token=token,
        folder=settings.folder if settings.protocol == MailboxProtocol.IMAP else "INBOX",
        when_taken=WhenTaken(settings.when_taken) if settings.when_taken else None,
        move_to=settings.move_to,
    )


def stored_password(kind: type[OutgoingConnection] | type[IncomingMailbox], place: int = 0) -> Secret | None:
    """The stored password of the connection or the mailbox; None while there is none."""
    octets = kind.objects.filter(place=place).values_list("password_encrypted", flat=True).first()
    return secrets.decrypt(octets) if octets is not None else None


def may_share_mailbox_password(settings: OutgoingSettings, mailbox: IncomingSettings) -> bool:
    """Whether the mailbox's password may travel to this SMTP server (authentication "same as the mailbox").

    It may when both are one host, or when it was typed again for this SMTP server.
    """
    return same_host(settings.host, mailbox.host) or same_host(settings.host, settings.mailbox_password_host)


def _smtp_credentials(
    settings: OutgoingSettings, password: str | Secret | None, mailbox: IncomingSettings | None
) -> Password | TokenSource | None:
    if settings.auth == Auth.OAUTH2:
        return _tokens(SMTP, settings.host, settings.username)
    if settings.auth == Auth.PASSWORD:
        secret = _given(password) or _stored_smtp_password(settings)
        return Password(settings.username, secret.reveal())
    if settings.auth == Auth.SAME_AS_MAILBOX:
        mailbox = mailbox or queries.incoming()
        if mailbox.is_mailbox and mailbox.auth == MailboxAuth.OAUTH2:
            return _tokens(SMTP, settings.host, mailbox.username)
        if not mailbox.is_mailbox or not mailbox.username:
            raise NotConfigured(_("The login is that of the incoming mailbox, but no mailbox is configured."))
        if not may_share_mailbox_password(settings, mailbox) and _given(password) is None:
            raise PasswordNeeded(
                _("The mailbox's password was typed for %(mailbox)s. Type it once more for %(host)s.")
                % {"mailbox": mailbox.host, "host": settings.host}
            )
        secret = _given(password) or _stored_mailbox_password(mailbox, mailbox.host)
        return Password(mailbox.username, secret.reveal())
    return None


def _tokens(purpose: str, host: str, username: str) -> TokenSource:
    """Tokens that are asked for when the login comes: whether there are any shows then.

    One consent serves every connection and every mailbox; the user name may be that of a shared mailbox.
    """
    login = oauth()
    consent = login.connected_at.isoformat() if login.connected_at is not None else ""
    who = username or login.account
    return tokens.source(0, purpose=purpose, host=host, username=who, consent=consent)


def _stored_smtp_password(settings: OutgoingSettings) -> Secret:
    secret = stored_password(OutgoingConnection, settings.place)
    return _for_host(secret, settings.password_host, settings.host)


def _stored_mailbox_password(settings: IncomingSettings, host: str) -> Secret:
    secret = stored_password(IncomingMailbox, settings.place)
    return _for_host(secret, settings.password_host, host)


def _for_host(secret: Secret | None, typed_for: str, host: str) -> Secret:
    if secret is None:
        raise PasswordNeeded(_("No password is stored for %(host)s.") % {"host": host})
    if not same_host(typed_for, host):
        raise PasswordNeeded(
            _("The stored password was typed for %(typed_for)s. Type it again for %(host)s.")
            % {"typed_for": typed_for, "host": host}
        )
    return secret


def _given(password: str | Secret | None) -> Secret | None:
    secret = Secret(password) if isinstance(password, str) else password
    return secret or None
