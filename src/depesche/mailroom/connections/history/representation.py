"""A change of the settings as other programs see it: `history list` and the REST interface say the same."""

from __future__ import annotations

from depesche.mailroom.connections.history.queries import ChangeRow


def change_shown(row: ChangeRow) -> dict[str, object]:
    """All but what was changed, which a table and JSON show in ways of their own. Never a secret."""
    return {
        "id": row.id,
        "at": row.at,
        "by": row.by,
        "area": row.area.value,
        "place": row.place,
        "act": row.act.value,
        "subject": row.subject,
        "worked_at": row.worked_at,
        "restorable": row.values is not None,
    }
