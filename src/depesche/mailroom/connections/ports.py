"""Which port a server has when none was typed (M15, and for mailboxes section B of the mission). Pure."""

from __future__ import annotations

from typing import Final

SMTP_DEFAULTS: Final = {"none": 25, "tls-if-available": 25, "tls": 465, "ssl": 465}
SMTP_CHOICES: Final = (465, 587, 25)
_MAILBOX_DEFAULTS: Final = {"imap": (143, 993), "pop3": (110, 995)}


def smtp_port(encryption: str) -> int:
    """25; 465 with SSL and with TLS (which starts at once there, RFC 8314)."""
    return SMTP_DEFAULTS.get(encryption, 25)


def mailbox_port(protocol: str, encryption: str) -> int:
    """143 and 110; with SSL 993 and 995. STARTTLS and STLS live on the plain ports (RFC 2595)."""
    plain, ssl = _MAILBOX_DEFAULTS.get(protocol, (0, 0))
    return ssl if encryption == "ssl" else plain


def implicit_smtp(encryption: str, port: int) -> bool:
    """TLS from the first byte: SSL always, TLS at port 465 (M9, RFC 8314)."""
    return encryption == "ssl" or (encryption == "tls" and port == 465)


def implicit_mailbox(protocol: str, encryption: str, port: int) -> bool:
    """The same for a mailbox: TLS at the ports that are made for it."""
    return encryption == "ssl" or (encryption == "tls" and (protocol, port) in _MAILBOX_TLS)


_MAILBOX_TLS = {("imap", 993), ("pop3", 995)}
