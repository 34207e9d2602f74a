"""An item as other programs see it: `item show --json` and the REST interface say the same."""

from __future__ import annotations

from depesche.tracker.items import queries
from depesche.tracker.items.models import Attachment, Item
from depesche.tracker.items.queries import Entry

_NAMED = ("author", "responsible", "manager")


def as_json(item: Item) -> dict[str, object]:
    """An item, with fields that are promised to programs; people by their address."""
    entries = queries.thread(item)
    return in_a_list(item) | {
        "description": item.description,
        "how_known": item.how_known,
        "watchers": [
            {"person": role.person.email, "kind": role.kind}
            for role in queries.roles(item)
            if role.kind not in _NAMED
        ],
        "attachments": [
            _file(file) for entry in entries if entry.comment is None for file in entry.attachments
        ],
        "comments": [of_comment(entry) for entry in entries if entry.comment is not None],
    }


def in_a_list(item: Item) -> dict[str, object]:
    """The item without what is long."""
    return {
        "id": item.pk,
        "key": item.key,
        "workspace": item.workspace.key,
        "title": item.title,
        "state": item.state,
        "priority": item.priority,
        "author": item.author.email,
        "responsible": item.responsible.email if item.responsible else None,
        "manager": item.manager.email if item.manager else None,
        "due": item.due,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
    }


def of_comment(entry: Entry) -> dict[str, object]:
    """One comment, of an entry that has one."""
    comment = entry.comment
    assert comment is not None
    return {
        "id": comment.pk,
        "author": comment.author.email,
        "author_name": comment.author.name,
        "text": comment.text,
        "cut": comment.cut,
        "via": comment.via,
        "how_known": comment.how_known,
        "attachments": [_file(file) for file in entry.attachments],
        "at": entry.at,
    }


def _file(file: Attachment) -> dict[str, object]:
    return {"filename": file.filename, "content_type": file.content_type, "size": file.size}
