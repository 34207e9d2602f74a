"""Django's mail API on top of the outbox: `send_mail()` returns once the mail is durable, and it goes out by
itself.

    EMAIL_BACKEND = "depesche.mailroom.outbox.backend.OutboxBackend"

Inside a transaction the mail is part of it: it goes out if and only if the transaction commits.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import DatabaseError
from django.utils import timezone

from depesche.mailformat.addresses import Address, AddressError
from depesche.mailformat.compose import compose, message_id
from depesche.mailroom.connections import queries as connections
from depesche.mailroom.outbox import django_mail
from depesche.mailroom.outbox.actions import NewMessage, NewRecipient, enqueue


class OutboxBackend(BaseEmailBackend):
    """Puts each message into the outbox; the configured connection takes it from there.

    A From that is Django's DEFAULT_FROM_EMAIL or SERVER_EMAIL means the system address of the connection. The
    header `X-Depesche-Category` (notice, reminder, account, answer, mail) sets urgency and lifetime,
    `X-Depesche-Expires` when the mail becomes pointless; neither leaves the house.
    """

    def __init__(self, *, alias: str | None = None, fail_silently: bool = False, **options: Any) -> None:
        # Django 6.1's MAILERS gives an alias, and its base class wants only that; 5.2 knows no alias.
        known: dict[str, Any] = {} if alias is None else {"alias": alias}
        super().__init__(**known)
        self.fail_silently = fail_silently

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Store the messages; how many were. Raises ValueError for one that cannot be written."""
        count = 0
        for message in email_messages:
            try:
                count += self._store(message)
            except (ValueError, DatabaseError):
                if not self.fail_silently:
                    raise
        return count

    def _store(self, message: EmailMessage) -> bool:
        if not message.recipients():
            return False
        now = timezone.now()
        settings = connections.outgoing()
        nonce = secrets.token_hex(16)
        given = django_mail.read(
            message,
            message_id=message_id(nonce, _domain(settings.system_address, str(message.from_email))),
            charset=settings.charset,
            now=now,
        )
        new = NewMessage(
            category=given.category,
            content=compose(given.draft, boundary=nonce),
            subject=given.draft.subject,
            sender=given.sender,
            author_name=given.author.display_name if given.author else "",
            author_address=given.author.addr_spec if given.author else "",
            expires_at=given.expires_at,
        )
        header = django_mail.personal(given)
        enqueue(
            new,
            [NewRecipient(address.addr_spec, given.message_id, header) for address in given.envelope],
            now=now,
        )
        return True


def _domain(*addresses: str) -> str:
    """The domain of Message-IDs: that of the first usable address. Never this machine's name: it is nobody's
    business.
    """
    for text in addresses:
        try:
            return Address("", text).domain
        except AddressError:
            continue
    return "depesche.invalid"
