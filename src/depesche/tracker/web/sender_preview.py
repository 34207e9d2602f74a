"""What the recipients of a workspace's mails will see as sender, by the code that makes it."""

from __future__ import annotations

from dataclasses import dataclass

from depesche.mailroom.connections import queries, senders
from depesche.mailroom.connections.sender_policy import NoSystemAddress, from_for
from depesche.tracker.accounts.models import Person


@dataclass(frozen=True)
class SeenAs:
    """`comment`: From of a mail about a comment by this person; `system`: of one by the system itself.
    `gives_way`: the server refuses the workspace's address, so that the system address stands there.
    """

    comment: str
    system: str
    reverse_path: str
    gives_way: bool


def seen_as(key: str, person: Person) -> SeenAs | None:
    """None while there is no system address."""
    settings, own = queries.outgoing(), senders.identity(key)
    refused = senders.facts_for(settings).refused
    try:
        system = from_for(settings, sender="system", own=own, refused=refused)
        comment = from_for(
            settings,
            sender="user",
            author_name=person.name,
            author_address=person.email,
            own=own,
            refused=refused,
        )
    except NoSystemAddress:
        return None
    gives_way = bool(own.address) and system.author.addr_spec.lower() != own.address.lower()
    return SeenAs(str(comment.author), str(system.author), system.reverse_path, gives_way)
