"""The From of each mail on its way out: decided by the sender policy, made once for mails that are alike."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from typing import NamedTuple

from depesche.mailformat.compose import from_headers, reply_to_header
from depesche.mailroom.connections.queries import OutgoingSettings
from depesche.mailroom.connections.sender_policy import (
    FromDecision,
    NoSystemAddress,
    Refused,
    from_for,
)
from depesche.mailroom.connections.senders import SenderFacts
from depesche.mailroom.outbox.orders import Parcel
from depesche.mailroom.outbox.return_path import ReturnPaths
from depesche.mailroom.outbox.sender_repair import Learning
from depesche.smtpclient.errors import Stage
from depesche.smtpclient.transaction import Outcome, RecipientResult

log = logging.getLogger(__name__)

_MOST = 1000


class From(NamedTuple):
    """What of a mail hangs on its From, ready to be joined. `reply_to`: for a mail that names none itself."""

    block: bytes
    reverse_path: str
    reply_to: bytes


class Froms:
    """Lives in the event loop. What the server was found to refuse is known here before the database is."""

    def __init__(self) -> None:
        self._settings = OutgoingSettings()
        self._facts = SenderFacts()
        self._refused: set[str] = set()
        self._learning = Learning()
        self._made: dict[tuple[str, str, str, str, bool], From] = {}
        self._paths: ReturnPaths | None = None
        self._untagged_from = 0.0  # since when the server is known to refuse tags (monotonic)

    def follow(self, settings: OutgoingSettings, facts: SenderFacts) -> None:
        """From now on as these settings want it."""
        self._settings, self._facts = settings, facts
        self._refused = set(facts.refused)
        self._learning.forget()
        self._made.clear()
        self._paths = ReturnPaths(settings.system_address) if settings.signed_return_path else None
        self._untagged_from = 0.0

    def of(self, parcel: Parcel) -> From:
        """For this mail, as things stand. Raises NoSystemAddress."""
        one = parcel.claimed
        scope = scope_of_item(one.item) if self._facts.identities else ""
        key = (one.sender, one.author_name, one.author_address, scope, parcel.refused is not None)
        found = self._made.get(key)
        if found is None:
            if len(self._made) > _MOST:
                self._made.clear()
            found = self._made[key] = self._block(self._decided(parcel, self._refused))
        return found

    def reverse_path(self, made: From, recipient_id: int) -> str:
        """Where reports about this mail go: to an address of its own where that is known to work."""
        if self._paths is None or made.reverse_path != self._paths.address:
            return made.reverse_path
        return self._paths.of(recipient_id)

    def refuses_tags(self, one: RecipientResult, started: float) -> bool:
        """Whether this refusal of a sender is about the tag, since the mail (begun then, monotonic) had one.

        The test saw it taken, but the server has changed its mind: from now on plain addresses go.
        """
        if one.stage is not Stage.MAIL or one.outcome is not Outcome.REFUSED:
            return False
        if self._paths is not None:
            log.warning("The server refuses reverse-paths with a tag: %s", one.reply)
            self._paths, self._untagged_from = None, time.monotonic()
        return started < self._untagged_from

    def intended(self, parcel: Parcel) -> FromDecision | None:
        """Whom the mail is from where no server has refused that; None without a system address.

        What was learnt while it was under way is left out: the mail went out without it.
        """
        try:
            return self._decided(parcel, frozenset())
        except NoSystemAddress:
            return None

    def learn(self, refused: Refused) -> bool:
        """A mail with the system address in place of this one was accepted; whether that makes a rule."""
        certain = self._learning.accepted(refused)
        if certain and refused.domain not in self._refused:
            self._refused.add(refused.domain)
            self._made.clear()
        return certain

    def _decided(self, parcel: Parcel, refused: Collection[str]) -> FromDecision:
        one = parcel.claimed
        return from_for(
            self._settings,
            sender=one.sender,
            author_name=one.author_name,
            author_address=one.author_address,
            own=(self._facts.identities or {}).get(scope_of_item(one.item)),
            refused=refused,
            plain=parcel.refused is not None,
        )

    def _block(self, made: FromDecision) -> From:
        charset = self._settings.charset
        reply_to = b"" if made.reply_to is None else reply_to_header(made.reply_to, charset=charset)
        return From(from_headers(made.author, charset=charset), made.reverse_path, reply_to)


def scope_of_item(item: str) -> str:
    """NW of NW-482: what an identity of its own is kept for."""
    return item.rpartition("-")[0]
