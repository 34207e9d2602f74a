"""The only writers of workspaces, items and comments. Each is one transaction, with the ItemEvent from
which the notices are made: constant cost, whatever the number of watchers.

What somebody typed wrongly, and what they have no right to, comes back as Django's ValidationError in the
language in force.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from depesche.mailformat.characters import one_line, well_formed
from depesche.mailroom.outbox import actions as outbox
from depesche.tracker.accounts.models import Person
from depesche.tracker.items import attachments as files
from depesche.tracker.items import changes as changing
from depesche.tracker.items.attachments import NewAttachment
from depesche.tracker.items.models import (
    Attachment,
    Comment,
    CommentVersion,
    Item,
    ItemEvent,
    Membership,
    Via,
    Watcher,
    Workspace,
)
from depesche.tracker.items.workspace_key import KEY, key_for

MAX_TITLE: Final = 250
MAX_TEXT: Final = 200_000  # characters of a description or comment
REPEATED_WITHIN: Final = timedelta(minutes=5)
"""A change that repeats one of the same person (the same fields of the same item) within this time is told
once, at its end. Changes of people are never kept back: who is responsible now must know."""


# --- workspaces ---------------------------------------------------------------------------------------------


def create_workspace(
    name: str, *, key: str = "", members: Iterable[Person] = (), is_default: bool = False
) -> Workspace:
    """A new workspace; the first one with members takes new items by mail until another is told to."""
    name = " ".join(one_line(name).split())
    if not name or len(name) > 120:
        raise ValidationError({"name": _("Enter a name of at most 120 characters.")})
    if key and not KEY.fullmatch(key):
        raise ValidationError({"key": _("A key has 1 to 10 capital letters and digits, a letter first.")})
    with transaction.atomic():
        taken = set(Workspace.objects.values_list("key", flat=True))
        if Workspace.objects.filter(name__iexact=name).exists():
            raise ValidationError({"name": _("There is a workspace of this name.")})
        if key in taken:
            raise ValidationError({"key": _("There is a workspace with this key.")})
        members = list(members)
        # The one that takes items by mail, but has nobody in it who could write one, gives way.
        idle = not Workspace.objects.filter(is_default=True, memberships__isnull=False).exists()
        first = not taken or (idle and bool(members))
        workspace = Workspace.objects.create(key=key or key_for(name, taken), name=name)
        if is_default or first:
            make_default(workspace)
        add_members(workspace, members)
    return workspace


def make_default(workspace: Workspace) -> None:
    """New items by mail come to this workspace (M7)."""
    with transaction.atomic():
        Workspace.objects.exclude(pk=workspace.pk).filter(is_default=True).update(is_default=False)
        Workspace.objects.filter(pk=workspace.pk).update(is_default=True)
    workspace.is_default = True


def add_members(workspace: Workspace, people: Iterable[Person]) -> None:
    rows = [Membership(workspace=workspace, person=person) for person in people]
    Membership.objects.bulk_create(rows, ignore_conflicts=True)


def remove_member(workspace: Workspace, person: Person) -> None:
    """They see nothing of it any more, and get no mail about it, those included that still wait."""
    Membership.objects.filter(workspace=workspace, person=person).delete()


# --- items --------------------------------------------------------------------------------------------------


def create_item(  # noqa: PLR0913  the fields of an item, by keyword
    workspace: Workspace,
    *,
    author: Person,
    title: str,
    description: str = "",
    state: str = Item.State.OPEN,
    priority: int = Item.Priority.NORMAL,
    responsible: Person | None = None,
    manager: Person | None = None,
    watchers: Iterable[Person] = (),
    consulted: Iterable[Person] = (),
    due: date | None = None,
    attachments: Sequence[NewAttachment] = (),
    via: str = Via.WEB,
    received: int | None = None,
    how_known: str = "",
    by_mail: bool = False,
    now: datetime | None = None,
) -> Item:
    """A new item with the next number of its workspace.

    `by_mail`: the author need not be a member; whoever reads mails has decided that they may write this one.
    `received`: the received mail it came by; a second call for the same mail gives the first call's item.
    """
    now = now or timezone.now()
    watching = [(person, Watcher.Kind.INFORMED) for person in watchers]
    watching += [(person, Watcher.Kind.CONSULTED) for person in consulted]
    fields = {
        "title": _title(title),
        "description": _text("description", description, needed=False),
        "state": _state(state),
        "priority": _priority(priority),
    }
    files.check(attachments)
    with transaction.atomic():
        if received is not None:
            earlier = ItemEvent.objects.filter(received=received).select_related("item__workspace").first()
            if earlier is not None:
                return earlier.item
        _may_write(workspace, author, by_mail=by_mail)
        for person in (responsible, manager, *(person for person, _kind in watching)):
            _must_be_member(workspace, person)
        Workspace.objects.filter(pk=workspace.pk).update(next_number=F("next_number") + 1)
        number = Workspace.objects.values_list("next_number", flat=True).get(pk=workspace.pk) - 1
        item = Item.objects.create(
            workspace=workspace,
            number=number,
            author=author,
            responsible=responsible,
            manager=manager,
            due=due,
            how_known=how_known,
            created_at=now,
            updated_at=now,
            **fields,
        )
        rows = {person.pk: Watcher(item=item, person=person, kind=kind) for person, kind in watching}
        Watcher.objects.bulk_create(rows.values())
        _attach(item, None, attachments, now)
        _tell(
            item=item,
            kind=ItemEvent.Kind.CREATED,
            actor=author,
            via=via,
            received=received,
            at=now,
            due_at=now,
        )
    return item


def add_comment(  # noqa: PLR0913  the parts of a comment, by keyword
    item: Item,
    *,
    author: Person,
    text: str,
    cut: str = "",
    attachments: Sequence[NewAttachment] = (),
    via: str = Via.WEB,
    received: int | None = None,
    how_known: str = "",
    fields: dict[str, Any] | None = None,
    by_mail: bool = False,
    now: datetime | None = None,
) -> Comment:
    """A comment; with `fields` (as of `change_item`) the item changes in the same breath, and one notice
    tells both.

    `received`: the received mail it came by; a second call for the same mail gives the first call's comment.
    `by_mail` as of `create_item`.
    """
    now = now or timezone.now()
    text = _text("text", text, needed=not attachments)
    files.check(attachments)
    with transaction.atomic():
        if received is not None:
            earlier = Comment.objects.filter(received=received).first()
            if earlier is not None:
                return earlier
        _may_write(item.workspace, author, by_mail=by_mail)
        changes = _apply(item, fields or {}, now)
        comment = Comment.objects.create(
            item=item,
            author=author,
            text=text,
            cut=well_formed(cut).replace("\x00", "")[:MAX_TEXT],
            via=via,
            received=received,
            how_known=how_known,
            created_at=now,
        )
        _attach(item, comment, attachments, now)
        _tell(
            item=item,
            kind=ItemEvent.Kind.COMMENTED,
            actor=author,
            comment=comment,
            changes=changes,
            via=via,
            at=now,
            due_at=now,
        )
        if not changes:
            Item.objects.filter(pk=item.pk).update(updated_at=now)
            item.updated_at = now
    return comment


def recut_comment(comment: Comment, *, text: str, cut: str, by: Person, now: datetime | None = None) -> None:
    """Show more or less of the mail that a comment came by; how it stood before is kept. Tells nobody: the
    words are old."""
    now = now or timezone.now()
    text = _text("text", text, needed=False)
    with transaction.atomic():
        _must_be_member(comment.item.workspace, by)
        before = Comment.objects.select_for_update().get(pk=comment.pk)
        CommentVersion.objects.create(comment=before, text=before.text, cut=before.cut, until=now, by=by)
        Comment.objects.filter(pk=comment.pk).update(text=text, cut=cut)
        Item.objects.filter(pk=comment.item_id).update(updated_at=now)
    comment.text, comment.cut = text, cut


def change_item(
    item: Item, *, actor: Person, via: str = Via.WEB, now: datetime | None = None, **fields: Any
) -> ItemEvent | None:
    """Change fields: title, description, state, priority, responsible, manager, due. None when nothing
    changed.

    Changes of one person that follow each other, and are not told yet, become one event. A repeated change
    is kept back a few minutes (REPEATED_WITHIN), so that it makes no second mail at once.
    """
    now = now or timezone.now()
    with transaction.atomic():
        _must_be_member(item.workspace, actor)
        changes = _apply(item, fields, now)
        if not changes:
            return None
        return _write_change(item, actor, via, changes, now)


def watch(item: Item, person: Person, *, kind: str = Watcher.Kind.INFORMED) -> None:
    """The person hears of what happens to the item (again, if they had muted it)."""
    _must_be_member(item.workspace, person)
    Watcher.objects.update_or_create(item=item, person=person, defaults={"kind": kind})


def unwatch(item: Item, person: Person) -> None:
    """The person stops watching. Who has a role on the item still hears of it, unless they mute it."""
    Watcher.objects.filter(item=item, person=person).exclude(kind=Watcher.Kind.MUTED).delete()


def mute(item: Item, person: Person) -> None:
    """No more mails about this item, whatever the person's role on it. Watching it again ends that."""
    Watcher.objects.update_or_create(item=item, person=person, defaults={"kind": Watcher.Kind.MUTED})


def unmute(item: Item, person: Person) -> None:
    """What the person's role on the item gives them, again."""
    Watcher.objects.filter(item=item, person=person, kind=Watcher.Kind.MUTED).delete()


# --- inside -------------------------------------------------------------------------------------------------


def _apply(item: Item, fields: dict[str, Any], now: datetime) -> list[changing.Change]:
    """Write the fields that are different, and say which they were. The row is locked: two changes at one
    time happen one after the other, each with the old value that it really replaced."""
    unknown = set(fields) - set(changing.FIELDS)
    if unknown:
        raise ValidationError({min(unknown): _("There is no field of this name.")})
    if not fields:
        return []
    current = Item.objects.select_for_update().get(pk=item.pk)
    changes: list[changing.Change] = []
    for name, wanted in fields.items():
        value = _checked(item.workspace, name, wanted)
        old = _as_json(getattr(current, f"{name}_id" if name in changing.PEOPLE else name))
        new = _as_json(value)
        if old != new:
            setattr(current, name, value)
            changes.append({"field": name, "old": old, "new": new})
    if changes:
        current.updated_at = now
        current.save(update_fields=[change["field"] for change in changes] + ["updated_at"])
    for name in (*changing.FIELDS, "updated_at"):  # the caller's copy shows what stands in the database now
        attribute = f"{name}_id" if name in changing.PEOPLE else name
        setattr(item, attribute, getattr(current, attribute))
    return changes


def _write_change(
    item: Item, actor: Person, via: str, changes: list[changing.Change], now: datetime
) -> ItemEvent | None:
    recent = list(
        ItemEvent.objects.select_for_update()
        .filter(item=item, at__gt=now - REPEATED_WITHIN)
        .order_by("-id")[:50]
    )
    for event in recent:
        if event.actor_id != actor.pk or event.kind != ItemEvent.Kind.CHANGED:
            break  # somebody else spoke, or a comment came between: the order of things must stay readable
        if event.planning_at is None and event.planned_at is None and event.via == via:
            event.changes = changing.merged(event.changes, changes)
            event.at = now
            if changing.fields_of(event.changes) & changing.PEOPLE:
                event.due_at = min(event.due_at, now)
            if not event.changes:  # all is as it was before: there is nothing to tell
                event.delete()
                return None
            event.save(update_fields=["changes", "at", "due_at"])
            return event
    due_at = now
    fields = changing.fields_of(changes)
    if not fields & changing.PEOPLE:
        for event in recent:
            mine = event.actor_id == actor.pk and event.kind == ItemEvent.Kind.CHANGED
            if mine and fields <= changing.fields_of(event.changes):
                due_at = event.at + REPEATED_WITHIN
                break
    return _tell(
        item=item,
        kind=ItemEvent.Kind.CHANGED,
        actor=actor,
        changes=changes,
        via=via,
        at=now,
        due_at=due_at,
    )


def _tell(**fields: Any) -> ItemEvent:
    """Write the event, and wake the worker that plans its notices once this is committed."""
    event = ItemEvent.objects.create(**fields)
    outbox.wake()
    return event


def _attach(item: Item, comment: Comment | None, attachments: Sequence[NewAttachment], now: datetime) -> None:
    for file in attachments:
        Attachment.objects.create(
            item=item,
            comment=comment,
            filename=files.safe_filename(file.filename),
            content_type=files.safe_content_type(file.content_type),
            size=len(file.data),
            data=file.data,
            content_id=file.content_id[:250],
            created_at=now,
        )


def _may_write(workspace: Workspace, author: Person, *, by_mail: bool) -> None:
    if not by_mail or not author.is_active:
        _must_be_member(workspace, author)


def _must_be_member(workspace: Workspace, person: Person | None) -> None:
    if person is None:
        return
    if not person.is_active:
        raise ValidationError(_("%(name)s is deactivated.") % {"name": person.name})
    if not Membership.objects.filter(workspace_id=workspace.pk, person_id=person.pk).exists():
        raise ValidationError(
            _("%(name)s is not a member of the workspace %(workspace)s.")
            % {"name": person.name, "workspace": workspace.name}
        )


def _checked(workspace: Workspace, name: str, value: Any) -> Any:
    if name == "title":
        return _title(value)
    if name == "description":
        return _text("description", value, needed=False)
    if name == "state":
        return _state(value)
    if name == "priority":
        return _priority(value)
    if name in changing.PEOPLE:
        _must_be_member(workspace, value)
    return value


def _title(title: str) -> str:
    title = " ".join(one_line(title).split())
    if not title:
        raise ValidationError({"title": _("Enter a title.")})
    if len(title) > MAX_TITLE:
        raise ValidationError(
            {"title": _("A title has at most %(number)d characters.") % {"number": MAX_TITLE}}
        )
    return title


def _text(field: str, text: str, *, needed: bool) -> str:
    # NUL: PostgreSQL cannot store it; lone surrogates: no database can.
    text = well_formed(text).replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n").strip()
    if needed and not text:
        raise ValidationError({field: _("Write something.")})
    if len(text) > MAX_TEXT:
        raise ValidationError({field: _("A text has at most %(number)d characters.") % {"number": MAX_TEXT}})
    return text


def _state(state: str) -> str:
    if state not in Item.State.values:
        raise ValidationError(
            {"state": _("The states are %(states)s.") % {"states": ", ".join(Item.State.values)}}
        )
    return state


def _priority(priority: int) -> int:
    if priority not in Item.Priority.values:
        raise ValidationError({"priority": _("The priorities go from 1 (low) to 4 (urgent).")})
    return priority


def _as_json(value: Any) -> changing.Value:
    if isinstance(value, Person):
        return int(value.pk)
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, int):
        return value
    return str(value)
