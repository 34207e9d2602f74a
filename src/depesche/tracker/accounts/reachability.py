"""Whether mails reach a person: what the outbox knows of their address, said to themselves and their way back
from it."""

from __future__ import annotations

from datetime import datetime

from depesche.mailroom.outbox import addresses
from depesche.mailroom.outbox.addresses import AddressRow
from depesche.tracker.accounts.models import Person


def trouble(person: Person) -> AddressRow | None:
    """Why the person gets no mails any more; None where they do."""
    return addresses.suppressed_reason(person.email)


def works_again(person: Person, *, now: datetime) -> bool:
    """The person says that their address works. If it does not, the next mail that comes back ends it again.

    Whether it had failed at all.
    """
    return addresses.lift(person.email, by=person.name, now=now)


def proved(person: Person, *, now: datetime) -> None:
    """The person used a link that was mailed to them: the address works."""
    addresses.lift(person.email, by=addresses.DELIVERED, now=now)
