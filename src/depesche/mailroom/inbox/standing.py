"""How the inbox stands, for the pages of the connections (which lie below and cannot look up here)."""

from __future__ import annotations

from datetime import datetime, timedelta

from depesche.mailroom.connections.figures import InboxFigures
from depesche.mailroom.inbox.models import Outcome, ReceivedMessage
from depesche.mailroom.inbox.queries import held_count

_DAY = timedelta(hours=24)
_NEWEST = 20_000  # rows that are looked through


def figures(now: datetime) -> InboxFigures:
    newest = ReceivedMessage.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    taken = ReceivedMessage.objects.filter(
        pk__gt=newest - _NEWEST,
        outcome__in=[Outcome.COMMENT, Outcome.ITEM],
        received_at__gt=now - _DAY,
    )
    return InboxFigures(taken_24h=taken.count(), held=held_count())


def stored(message_id: str) -> list[bytes]:
    """The newest mails with this Message-ID (in angle brackets), raw: copies of the test mail."""
    newest = ReceivedMessage.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    mails = ReceivedMessage.objects.filter(
        pk__gt=newest - _NEWEST, message_id__in=[message_id, message_id.strip("<>")]
    )
    return [bytes(raw) for raw in mails.values_list("raw", flat=True)[:10]]
