"""Encryption of a mailbox connection: the four modes of M9, the same for IMAP and POP3."""

from __future__ import annotations

import imaplib
import poplib
import socket
import ssl
from collections.abc import Callable
from typing import BinaryIO

from depesche.mailroom.mailboxes.config import MailboxConfig
from depesche.mailroom.mailboxes.errors import MailboxError, MailboxStage, words
from depesche.smtpclient import seen, tls
from depesche.smtpclient.config import Encryption
from depesche.smtpclient.errors import Cause

_IMPLICIT_PORTS = {("imap", 993), ("pop3", 995)}


def implicit_tls(config: MailboxConfig) -> bool:
    """TLS from the first byte: SSL always, TLS on the ports that are made for it (RFC 8314)."""
    return config.encryption is Encryption.SSL or (
        config.encryption is Encryption.TLS and (config.protocol, config.port) in _IMPLICIT_PORTS
    )


def secure(config: MailboxConfig, *, offered: bool, start_tls: Callable[[ssl.SSLContext], object]) -> bool:
    """Start TLS on a plain connection where the mode asks for it; returns whether it is encrypted now.

    A failed handshake is never answered with a fall-back to plain.
    """
    if config.encryption is Encryption.NONE:
        return False
    if not offered:
        if config.encryption is Encryption.TLS_IF_AVAILABLE:
            return False
        raise MailboxError(MailboxStage.TLS, Cause.STARTTLS_NOT_OFFERED)
    try:
        start_tls(tls.context(config.trust))
    except (poplib.error_proto, imaplib.IMAP4.error) as error:
        if isinstance(error, imaplib.IMAP4.abort):
            raise
        raise MailboxError(MailboxStage.TLS, Cause.STARTTLS_REFUSED, reply=words(error)) from error
    return True


def begin_tls(plain: socket.socket, reader: BinaryIO, context: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    """The handshake, once the server has said that TLS may begin. What it said beyond that is an attack."""
    if tls.octets_wait(plain, reader):
        raise MailboxError(MailboxStage.TLS, Cause.INJECTED_BEFORE_TLS)
    return context.wrap_socket(plain, server_hostname=host)


def negotiated(connection: socket.socket) -> str:
    """TLS version and cipher in use; "" where it is not encrypted."""
    if not isinstance(connection, ssl.SSLSocket):
        return ""
    cipher = connection.cipher()
    return f"{connection.version()} {cipher[0] if cipher else ''}".strip()


def check_peer(config: MailboxConfig, connection: socket.socket) -> None:
    """What the handshake could not check; raises tls.CertificateError."""
    assert isinstance(connection, ssl.SSLSocket)
    der = connection.getpeercert(binary_form=True)
    tls.verify_peer(config.trust, der, config.host)
    seen.note(config.host, config.port, der)


def check_clear_password(config: MailboxConfig, *, encrypted: bool) -> None:
    """A password travels in clear only with encryption none and an express permission (M9)."""
    if encrypted or (config.encryption is Encryption.NONE and config.allow_clear_password):
        return
    raise MailboxError(MailboxStage.LOGIN, Cause.CLEAR_PASSWORD_FORBIDDEN)
