"""Reading workspaces and items. Who is not a member of a workspace sees nothing of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from depesche.tracker.accounts import queries as accounts
from depesche.tracker.accounts.models import Person
from depesche.tracker.items import changes as changing
from depesche.tracker.items.changes import ReadableChange
from depesche.tracker.items.models import (
    Attachment,
    Comment,
    Item,
    ItemEvent,
    Membership,
    Watcher,
    Workspace,
)

_KEY: Final = re.compile(r"\s*([A-Za-z][A-Za-z0-9]{0,9})-([0-9]{1,9})\s*")
OPEN_STATES: Final = (Item.State.OPEN, Item.State.IN_PROGRESS)


@dataclass(frozen=True)
class ItemFilter:
    """What a list shows. `state`: one state, "unfinished" (open or in progress), or "" for all.

    `workspace` and `responsible` are ids. `text` is looked for in key, title, description and comments.
    """

    state: str = ""
    workspace: int | None = None
    responsible: int | None = None
    watched_by: int | None = None
    text: str = ""
    order: str = (
        "-updated_at"  # or updated_at, due, -due, priority, -priority, title, -title, number, -number
    )


@dataclass(frozen=True)
class Entry:
    """One station in the life of an item: it was created, commented, changed (or both in one breath)."""

    event_id: int
    kind: str  # created, commented, changed
    at: datetime
    actor: Person
    via: str
    comment: Comment | None
    changes: Sequence[ReadableChange]
    attachments: Sequence[Attachment]  # without their data


@dataclass(frozen=True)
class Role:
    """Somebody with a place on an item; `kind` is author, responsible, manager, informed, consulted or
    muted."""

    person: Person
    kind: str


# --- rights -------------------------------------------------------------------------------------------------


def is_member(person: Person, workspace: Workspace) -> bool:
    return (
        person.is_active
        and Membership.objects.filter(workspace_id=workspace.pk, person_id=person.pk).exists()
    )


def may_read(person: Person, item: Item) -> bool:
    """Whether the person sees the item, in pages and in mail. Reading and commenting go together."""
    return (
        person.is_active
        and Membership.objects.filter(workspace_id=item.workspace_id, person_id=person.pk).exists()
    )


def who_may_read(item: Item, person_ids: Iterable[int]) -> set[int]:
    """Those of the people who may read the item, in one query a thousand people."""
    ids, found = sorted(set(person_ids)), set[int]()
    for start in range(0, len(ids), 1000):
        found |= set(
            Membership.objects.filter(
                workspace_id=item.workspace_id,
                person_id__in=ids[start : start + 1000],
                person__is_active=True,
            ).values_list("person_id", flat=True)
        )
    return found


# --- workspaces ---------------------------------------------------------------------------------------------


def workspaces_of(person: Person) -> QuerySet[Workspace]:
    """The workspaces that the person is a member of, by name."""
    if not person.is_active:
        return Workspace.objects.none()
    return Workspace.objects.filter(memberships__person=person).order_by("name")


def all_workspaces() -> QuerySet[Workspace]:
    """Every workspace, with `member_count` and `item_count`: for administrators."""
    return Workspace.objects.annotate(
        member_count=Count("memberships", distinct=True), item_count=Count("items", distinct=True)
    ).order_by("name")


def workspace_choices() -> list[tuple[str, str]]:
    """Key and name of every workspace: what a mailbox can be given to."""
    return list(Workspace.objects.order_by("name").values_list("key", "name"))


def find_workspace(text: str) -> Workspace | None:
    """By key or name, without regard to case; the key wins."""
    text = text.strip()
    rows = list(Workspace.objects.filter(Q(key__iexact=text) | Q(name__iexact=text)))
    return min(rows, key=lambda row: row.key.lower() != text.lower(), default=None)


def default_workspace() -> Workspace | None:
    """Where new items by mail go (M7)."""
    return Workspace.objects.filter(is_default=True).first()


def members(workspace: Workspace) -> QuerySet[Person]:
    """Active members by name: who can be responsible, manager, watcher."""
    return Person.objects.filter(memberships__workspace=workspace, is_active=True).order_by("name", "id")


# --- items --------------------------------------------------------------------------------------------------


def item(item_id: int) -> Item | None:
    return (
        Item.objects.select_related("workspace", "author", "responsible", "manager")
        .filter(pk=item_id)
        .first()
    )


def find_item(text: str) -> Item | None:
    """By key (`NW-482`, in any case) or by number of the database (`482`)."""
    rows = Item.objects.select_related("workspace", "author", "responsible", "manager")
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 19:
        return rows.filter(pk=int(text)).first()
    match = _KEY.fullmatch(text)
    if match is None:
        return None
    return rows.filter(workspace__key=match[1].upper(), number=int(match[2])).first()


def readable_item(person: Person, text: str) -> Item | None:
    """The same, but only what the person may read: to them, the rest does not exist."""
    found = find_item(text)
    return found if found is not None and may_read(person, found) else None


def readable_items(person: Person, wanted: ItemFilter = ItemFilter()) -> QuerySet[Item]:
    """The items that the person may read and wants to see, with workspace and people loaded, and
    `comment_count`.

    Three joins and one subquery, whatever the number of rows; slice it for pages.
    """
    if not person.is_active:
        return Item.objects.none()
    rows = Item.objects.filter(
        Exists(Membership.objects.filter(workspace=OuterRef("workspace"), person=person))
    )
    if wanted.state == "unfinished":
        rows = rows.filter(state__in=OPEN_STATES)
    elif wanted.state:
        rows = rows.filter(state=wanted.state)
    if wanted.workspace is not None:
        rows = rows.filter(workspace_id=wanted.workspace)
    if wanted.responsible is not None:
        rows = rows.filter(responsible_id=wanted.responsible)
    if wanted.watched_by is not None:
        watching = Watcher.objects.filter(item=OuterRef("pk"), person_id=wanted.watched_by)
        rows = rows.filter(Exists(watching.exclude(kind=Watcher.Kind.MUTED)))
    if wanted.text.strip():
        rows = rows.filter(_contains(wanted.text.strip()[:200]))
    field = wanted.order.removeprefix("-")
    order = wanted.order if field in {"updated_at", "due", "priority", "title", "number"} else "-updated_at"
    return (
        rows.select_related("workspace", "author", "responsible", "manager")
        .annotate(comment_count=Count("comments"))
        .order_by(order, "-id")
    )


def _contains(text: str) -> Q:
    """Title, description, comments or key hold all the words."""
    match = _KEY.fullmatch(text)
    if match:
        return Q(workspace__key=match[1].upper(), number=int(match[2])) | _word(text)
    wanted = Q()
    for word in text.split()[:10]:
        wanted &= _word(word)
    return wanted


def _word(word: str) -> Q:
    # SQLite folds the case of ASCII only; the usual spellings of a word cover the rest.
    wanted = Q(number=int(word)) if word.isascii() and word.isdigit() and len(word) < 10 else Q()
    for spelling in {word, word.lower(), word.upper(), word.capitalize()}:
        in_comment = Comment.objects.filter(item=OuterRef("pk"), text__icontains=spelling)
        wanted |= Q(title__icontains=spelling) | Q(description__icontains=spelling) | Q(Exists(in_comment))
    return wanted


def thread(item: Item) -> list[Entry]:
    """All that happened to the item, oldest first, in the language in force; four queries, whatever its
    length."""
    events = list(
        ItemEvent.objects.filter(item=item)
        .select_related("actor", "comment", "comment__author")
        .order_by("at", "id")
    )
    names = accounts.names(person_id for event in events for person_id in changing.people_in(event.changes))
    files: dict[int | None, list[Attachment]] = {}
    for file in Attachment.objects.filter(item=item).defer("data").order_by("id"):
        files.setdefault(file.comment_id, []).append(file)
    return [
        Entry(
            event_id=event.pk,
            kind=event.kind,
            at=event.at,
            actor=event.actor,
            via=event.via,
            comment=event.comment,
            changes=changing.readable(event.changes, names),
            attachments=_files_of(event, files),
        )
        for event in events
    ]


def _files_of(event: ItemEvent, files: dict[int | None, list[Attachment]]) -> Sequence[Attachment]:
    if event.kind == ItemEvent.Kind.CREATED:
        return files.get(None, ())
    return files.get(event.comment_id, ()) if event.comment_id is not None else ()


def attachment(person: Person, attachment_id: int) -> Attachment | None:
    """A file with its data, when the person may read its item."""
    found = Attachment.objects.select_related("item__workspace").filter(pk=attachment_id).first()
    return found if found is not None and may_read(person, found.item) else None


def roles(item: Item) -> list[Role]:
    """Everybody with a place on the item: author, responsible, manager, then the watchers by name."""
    named = [("author", item.author), ("responsible", item.responsible), ("manager", item.manager)]
    result = [Role(person, kind) for kind, person in named if person is not None]
    watchers = Watcher.objects.filter(item=item).select_related("person").order_by("person__name", "id")
    return result + [Role(row.person, row.kind) for row in watchers]


def watching(item: Item, person: Person) -> str:
    """informed, consulted, muted, or "" for none of it."""
    kind = Watcher.objects.filter(item=item, person=person).values_list("kind", flat=True).first()
    return kind or ""
