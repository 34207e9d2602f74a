"""Workspaces, items, comments, watchers: what the person behind the token may see and do."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Status
from ninja.errors import HttpError

from depesche.tracker.accounts import queries as accounts
from depesche.tracker.accounts.models import Person
from depesche.tracker.api import schemas
from depesche.tracker.api.access import caller, found
from depesche.tracker.items import actions, queries
from depesche.tracker.items.models import Item, Via, Workspace
from depesche.tracker.items.queries import ItemFilter
from depesche.tracker.items.representation import as_json, in_a_list, of_comment

router = Router(tags=["items"])
_FAULTS = schemas.FAULTS


@router.get("/workspaces", response={200: list[schemas.WorkspaceOut], **_FAULTS})
def workspaces(request: HttpRequest) -> Any:
    """Those that the caller is a member of."""
    return [{"key": one.key, "name": one.name} for one in queries.workspaces_of(caller(request))]


@router.post("/workspaces", response={201: schemas.WorkspaceOut, **_FAULTS})
def new_workspace(request: HttpRequest, body: schemas.WorkspaceIn) -> Any:
    """For administrators."""
    if not caller(request).is_admin:
        raise HttpError(403, "This is for administrators.")
    members = [_person("members", email) for email in body.members]
    made = actions.create_workspace(body.name, key=body.key, members=members)
    return Status(201, {"key": made.key, "name": made.name})


@router.get("/items", response={200: list[schemas.ItemRow], **_FAULTS})
def items(
    request: HttpRequest,
    workspace: str = "",
    state: str = "",
    text: str = "",
    limit: schemas.Limit = 50,
    offset: schemas.Offset = 0,
) -> Any:
    """What the caller may read, changed last first. `state`: a state, "unfinished", or all."""
    place = None
    if workspace:
        place = found(_workspace(caller(request), workspace)).pk
    wanted = ItemFilter(state=state, workspace=place, text=text[:200])
    rows = queries.readable_items(caller(request), wanted)[offset : offset + limit]
    return [in_a_list(row) for row in rows]


@router.post("/items", response={201: schemas.ItemOut, **_FAULTS})
def new_item(request: HttpRequest, body: schemas.ItemIn) -> Any:
    person = caller(request)
    made = actions.create_item(
        found(_workspace(person, body.workspace)),
        author=person,
        title=body.title,
        description=body.description,
        priority=body.priority,
        responsible=_somebody("responsible", body.responsible),
        manager=_somebody("manager", body.manager),
        watchers=[_person("watchers", email) for email in body.watchers],
        due=body.due,
        via=Via.API,
    )
    return Status(201, as_json(found(queries.item(made.pk))))


@router.get("/items/{key}", response={200: schemas.ItemOut, **_FAULTS})
def item(request: HttpRequest, key: str) -> Any:
    return as_json(_item(request, key))


@router.patch("/items/{key}", response={200: schemas.ItemOut, **_FAULTS})
def change_item(request: HttpRequest, key: str, body: schemas.ItemChange) -> Any:
    """Fields that are left out stay as they are."""
    asked = body.model_dump(exclude_unset=True)
    for name in ("title", "description", "state", "priority"):
        if name in asked and asked[name] is None:
            raise ValidationError({name: _("This cannot be empty.")})
    for name in ("responsible", "manager"):
        if name in asked:
            asked[name] = _somebody(name, asked[name])
    one = _item(request, key)
    actions.change_item(one, actor=caller(request), via=Via.API, **asked)
    return as_json(found(queries.item(one.pk)))


@router.get("/items/{key}/comments", response={200: list[schemas.CommentOut], **_FAULTS})
def comments(request: HttpRequest, key: str) -> Any:
    """Oldest first."""
    return [of_comment(entry) for entry in queries.thread(_item(request, key)) if entry.comment is not None]


@router.post("/items/{key}/comments", response={201: schemas.CommentOut, **_FAULTS})
def new_comment(request: HttpRequest, key: str, body: schemas.CommentIn) -> Any:
    one = _item(request, key)
    made = actions.add_comment(one, author=caller(request), text=body.text, via=Via.API)
    entries = {entry.comment.pk: entry for entry in queries.thread(one) if entry.comment is not None}
    return Status(201, of_comment(entries[made.pk]))


@router.get("/items/{key}/watchers", response={200: list[schemas.WatcherOut], **_FAULTS})
def watchers(request: HttpRequest, key: str) -> Any:
    return as_json(_item(request, key))["watchers"]


@router.put("/items/{key}/watchers/{email}", response={200: schemas.WatcherOut, **_FAULTS})
def watch(request: HttpRequest, key: str, email: str, body: schemas.WatcherIn) -> Any:
    """Somebody is informed or consulted from now on; only the person in question may mute it."""
    one, person = _item(request, key), _person("email", email)
    if body.kind == "muted":
        if person.pk != caller(request).pk:
            raise HttpError(403, "Nobody mutes for somebody else.")
        actions.mute(one, person)
    else:
        actions.watch(one, person, kind=body.kind)
    return {"person": person.email, "kind": body.kind}


@router.delete("/items/{key}/watchers/{email}", response={204: None, **_FAULTS})
def unwatch(request: HttpRequest, key: str, email: str) -> Any:
    one, person = _item(request, key), _person("email", email)
    if person.pk == caller(request).pk:
        actions.unmute(one, person)
    actions.unwatch(one, person)
    return Status(204, None)


def _item(request: HttpRequest, key: str) -> Item:
    return found(queries.readable_item(caller(request), key))


def _workspace(person: Person, text: str) -> Workspace | None:
    workspace = queries.find_workspace(text)
    return workspace if workspace is not None and queries.is_member(person, workspace) else None


def _person(field: str, email: str) -> Person:
    person = accounts.find_person(email)
    if person is None:
        raise ValidationError(
            {field: _("There is nobody with the address %(address)s.") % {"address": email}}
        )
    return person


def _somebody(field: str, email: str | None) -> Person | None:
    return _person(field, email) if email else None
