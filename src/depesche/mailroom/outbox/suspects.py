"""Refusals that look like one recipient's or one mail's, but are the connection's fault. Pure.

"Relay denied" and "log in first", said to a recipient, and "you may not send as this", said about the system
address, hit every mail alike when a setting is wrong. Five in a row are not needed to see that: in a small
team three mails are all there are. So a mail refused in such words is kept, and the connection rests, until
something else shows that the connection is in order:

* relay denied, login wanted: a mail that was accepted within the last minutes proves it;
* the system address refused: a mail accepted *after* this refusal proves it.

Then the refusal concerns this mail alone, and it fails. A mail kept so steps back behind the others, so that
the next probe is made with another one.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from depesche.mailroom.connections.diagnosis.replies import Refusal, refusal_of
from depesche.mailroom.connections.queries import OutgoingSettings
from depesche.mailroom.outbox.sender_repair import Says, speaks_of_sender
from depesche.smtpclient.errors import Stage
from depesche.smtpclient.transaction import Outcome, RecipientResult

FRESH = timedelta(minutes=10)
STEPS_BACK = timedelta(minutes=5)  # at most; it comes at once when the connection works or settings change
_MOST = 10_000
_OF_THE_CONNECTION = frozenset(
    {Refusal.RELAY_DENIED, Refusal.AUTH_REQUIRED, Refusal.TLS_REQUIRED, Refusal.POP_LOGIN_NEEDED}
)
# 5.7.1 for a recipient is read as "relay denied" even without such words: here the words must say it.
_SAYS_SO = re.compile(
    r"relay|not (?:a )?(?:valid )?local|our (?:domain|customer)|rcpthosts|authenticat|\bauth\b|log ?in|"
    r"\bpop|tls|encrypt",
    re.IGNORECASE,
)


class Suspects:
    """Remembers which mails were refused so, and since when. One for each worker and connection."""

    def __init__(self) -> None:
        self._since: dict[int, datetime] = {}

    def blames(
        self,
        recipient_id: int,
        result: RecipientResult,
        *,
        from_system: bool,
        accepted_at: datetime | None,
        now: datetime,
    ) -> bool:
        """Whether the connection is at fault for this refusal, as far as is known.

        `from_system`: the From was the system address. `accepted_at`: the last acceptance under the present
        settings.
        """
        reply = result.reply
        if result.outcome is not Outcome.REFUSED or reply is None:
            return False
        if from_system and speaks_of_sender(result) is Says.CLEARLY:
            if len(self._since) >= _MOST:
                self._since.clear()
            since = self._since.setdefault(recipient_id, now)
            return accepted_at is None or accepted_at <= since
        if result.stage is Stage.RCPT and refusal_of(result.stage, reply) in _OF_THE_CONNECTION:
            proven = accepted_at is not None and now - accepted_at < FRESH
            return not proven and bool(_SAYS_SO.search(reply.gist))
        return False

    def forget(self) -> None:
        """Settings changed: what was refused before says nothing now."""
        self._since.clear()


def accepted_under(settings: OutgoingSettings, accepted_at: datetime | None) -> datetime | None:
    """The last acceptance, unless it was under other settings."""
    if accepted_at is None or (settings.updated_at is not None and accepted_at < settings.updated_at):
        return None
    return accepted_at
