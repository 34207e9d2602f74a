"""Message-IDs and reply addresses of an item's mails, and the way back from them to item and person (M5).

The same token stands in the reply address (tracker+token@…) and in each Message-ID, so that an answer finds
its item without plus-addressing too: mail programs repeat the Message-ID in In-Reply-To and References.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.utils.crypto import salted_hmac

from depesche.mailformat import compose
from depesche.mailformat.addresses import Address, AddressError, with_tag
from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections.queries import IncomingSettings
from depesche.tracker.accounts import links
from depesche.tracker.threads.tokens import Thread, Tokens

__all__ = [
    "Thread",
    "ThreadAddresses",
    "addresses",
    "find",
    "find_all",
    "mute_token",
    "read_mute_token",
    "root_id",
]

ROOT_NONCE: Final = "item"


@dataclass(frozen=True)
class ThreadAddresses:
    """What the settings in force make of tokens; made once for many mails, since it costs queries.

    `answers_reach_us`: a mailbox or pipe is configured, so that a Reply-To may promise an answer. `others`:
    addresses of further mailboxes, which are ours as well.
    """

    system: Address | None
    answers_reach_us: bool
    tagged: bool
    others: tuple[Address, ...] = ()

    @property
    def all(self) -> tuple[Address, ...]:
        """Every address that is ours: what is written from one of them was written by us."""
        return (self.system, *self.others) if self.system is not None else self.others

    @property
    def domain(self) -> str:
        return self.system.domain if self.system is not None else links.host()

    def message_id(self, item_id: int, person_id: int, nonce: str, *, now: datetime) -> str:
        """The Message-ID of one mail to one person. `nonce`: letters and digits, never used before."""
        token = _token(item_id, person_id, now)
        try:
            return compose.message_id(f"{token}.{nonce}", self.domain)
        except ValueError:
            return compose.message_id(f"{token}.{nonce}", links.host())

    def reply_address(self, item_id: int, person_id: int, *, now: datetime) -> Address | None:
        """Where an answer goes: the system address, with the token where tags are known to arrive. `now` is
        when it was made: from then on it runs out, and a revocation before it does not concern it.

        None without a way in: nothing must promise an answer then (M6). Where the tag would make the local
        part longer than 64 octets the plain address stands; the token comes back in References.
        """
        if self.system is None or not self.answers_reach_us:
            return None
        if not self.tagged:
            return self.system
        try:
            return with_tag(self.system, _token(item_id, person_id, now))
        except AddressError:
            return self.system


def addresses() -> ThreadAddresses:
    """The addresses under the settings in force."""
    ways = connections.ways()
    outgoing = ways.outgoing
    try:
        system = Address(outgoing.system_name, outgoing.system_address) if outgoing.system_address else None
    except AddressError:
        system = None
    return ThreadAddresses(
        system=system,
        answers_reach_us=ways.answers_reach_us,
        tagged=ways.plus_addressing,
        others=tuple(_others(ways.mailboxes)),
    )


def _token(item_id: int, person_id: int, now: datetime) -> str:
    return _tokens("reply").make(item_id, person_id, int(now.timestamp()))


def _others(mailboxes: Iterable[IncomingSettings]) -> Iterator[Address]:
    for mailbox in mailboxes:
        with contextlib.suppress(AddressError):
            if mailbox.own_address:
                yield Address("", mailbox.own_address)


def root_id(item_id: int) -> str:
    """A Message-ID that no mail has: it stands first in References of every mail about the item, so that mail
    programs make one thread of them, whoever got which, and even where a relay rewrites Message-IDs.

    Its domain is that of our pages, which outlives a change of the system address.
    """
    return compose.message_id(f"{_tokens('reply').make(item_id, None)}.{ROOT_NONCE}", links.host())


def find_all(recipients: Iterable[str], message_ids: Iterable[str]) -> list[Thread]:
    """All threads that a mail names: first by its addresses, then by its message ids, in the order given."""
    texts = [*recipients, *message_ids]
    found = dict.fromkeys(_tokens("reply").find(texts))
    for secret in getattr(settings, "SECRET_KEY_FALLBACKS", ()):  # a key that was replaced, still believed
        found |= dict.fromkeys(_tokens_for(secret, "reply").find(texts))
    return list(found)


def find(recipients: Iterable[str], message_ids: Iterable[str]) -> Thread | None:
    """The thread a mail belongs to: the first that names a person, else the first that names an item."""
    threads = find_all(recipients, message_ids)
    return min(threads, key=lambda thread: thread.person_id is None, default=None)


def mute_token(item_id: int, person_id: int) -> str:
    """For the link at the end of a mail, and for List-Unsubscribe (RFC 8058): no sign-in needed."""
    return _tokens("mute").make(item_id, person_id)


def read_mute_token(token: str) -> Thread | None:
    """Item and person of such a link; None when it is forged."""
    thread = _tokens("mute").read(token) if len(token) <= 64 and token.isascii() else None
    return thread if thread is not None and thread.person_id is not None else None


def _tokens(purpose: str) -> Tokens:
    return _tokens_for(settings.SECRET_KEY, purpose)


@lru_cache(maxsize=8)
def _tokens_for(secret: str, purpose: str) -> Tokens:
    return Tokens(salted_hmac(f"depesche.thread.{purpose}", "v1", secret=secret, algorithm="sha256").digest())
