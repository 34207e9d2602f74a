"""Postfix and Dovecot together: the mail server of an organisation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.support.certificates import Authority
from tests.support.dovecot import Dovecot
from tests.support.maildir import Maildir
from tests.support.postfix import Postfix


@dataclass(frozen=True)
class MailHost:
    """Mail that Postfix takes on its ports, Dovecot serves on its own; host "localhost" or "127.0.0.1"."""

    authority: Authority
    dovecot: Dovecot
    postfix: Postfix

    @property
    def ca_pem(self) -> Path:
        """The certificate to trust, a PEM file."""
        return self.authority.pem

    def password(self, user: str) -> str:
        """The password of alice, bob, carol or tracker, for both servers."""
        return self.dovecot.users[user]

    def maildir(self, user: str) -> Maildir:
        """The mailbox of a user, as files."""
        return self.dovecot.maildir(user)

    def clear(self) -> None:
        """Empty every mailbox."""
        self.dovecot.clear()
        self.postfix.other_maildir.clear()
