"""The outbox as other programs see it: the commands and the REST interface say the same."""

from __future__ import annotations

from depesche.mailroom.connections import queries as connections
from depesche.mailroom.outbox.queries import RecipientDetail, RecipientRow, Stats


def as_json(row: RecipientRow) -> dict[str, object]:
    """One recipient: each of these fields is promised to programs."""
    return {
        "id": row.id,
        "message_id": row.message_id,
        "recipient": row.recipient,
        "category": row.category,
        "state": row.state.value,
        "attempts": row.attempts,
        "next_attempt_at": row.next_attempt_at,
        "reply": row.reply,
        "item": row.item,
        "stage": row.stage,
        "subject": row.subject,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "accepted_at": row.accepted_at,
    }


def more_of(detail: RecipientDetail) -> dict[str, object]:
    """What one recipient alone shows beside its row."""
    return {
        "sender": detail.sender,
        "author": detail.author_address,
        "size": detail.size,
        "charset": detail.charset,
        "fell_back": detail.fell_back,
        "sensitive": detail.sensitive,
        "erased": detail.erased,
        "expires_at": detail.expires_at,
        "gives_up_at": detail.gives_up_at,
    }


def tries_of(detail: RecipientDetail) -> list[dict[str, object]]:
    """Its attempts that did not end in acceptance, oldest first."""
    return [
        {
            "number": one.number,
            "started_at": one.started_at,
            "ended_at": one.ended_at,
            "outcome": one.outcome,
            "stage": one.stage,
            "reply": one.reply,
        }
        for one in detail.attempts
    ]


def stats_as_json(stats: Stats) -> dict[str, object]:
    """The figures: each of these fields is promised to programs."""
    return {
        "states": stats.states,
        "remaining": stats.remaining,
        "rate": stats.rate,
        "finished_at": stats.finished_at,
        "workers": stats.workers,
        "slots_used": stats.slots_used,
        "failover_slots_used": stats.failover_slots_used,
        "connection_in_use": "failover" if connections.place_in_use() else "first",
        "oldest_due_at": stats.oldest_due_at,
    }
