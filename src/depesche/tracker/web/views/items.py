"""Lists of items, my work, a new item, the edit form."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from depesche.mailroom.pages.rights import signed_in
from depesche.tracker.accounts.models import Person
from depesche.tracker.items import actions, changes, queries
from depesche.tracker.items.models import Item, Workspace
from depesche.tracker.items.queries import ItemFilter
from depesche.tracker.web import editing
from depesche.tracker.web.forms.items import EditItemForm, FilterForm, NewItemForm
from depesche.tracker.web.requests import person_of
from depesche.tracker.web.views.errors import add_refusal

PAGE = 50
_WORK_ROWS = 100


@require_safe
@signed_in
def home(request: HttpRequest) -> HttpResponseBase:
    return redirect("web:items")


@require_safe
@signed_in
def items(request: HttpRequest) -> HttpResponseBase:
    person = person_of(request)
    workspaces = list(queries.workspaces_of(person))
    form = FilterForm(request.GET, person=person, workspaces=workspaces, people=_colleagues(workspaces))
    wanted = _filter(form, person)
    page = Paginator(queries.readable_items(person, wanted), PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "workspaces": workspaces,
        "filtered": wanted != ItemFilter(state="unfinished"),
        "query": urlencode({key: value for key, value in request.GET.items() if key != "page" and value}),
        "today": timezone.localdate(),
    }
    fragment = request.headers.get("HX-Target") == "list"
    return render(request, "web/items_list.html" if fragment else "web/items.html", context)


def _filter(form: FilterForm, person: Person) -> ItemFilter:
    form.is_valid()  # a value that is no choice (any more) is simply missing from cleaned_data
    data: dict[str, str] = form.cleaned_data
    state = data.get("state", "")
    responsible = data.get("responsible", "")
    workspace = data.get("workspace", "")
    return ItemFilter(
        state="unfinished" if not state else "" if state == "all" else state,
        workspace=int(workspace) if workspace else None,
        responsible=person.pk if responsible == "me" else int(responsible) if responsible else None,
        text=data.get("q", ""),
        order=data.get("order") or "-updated_at",
    )


def _colleagues(workspaces: list[Workspace]) -> list[Person]:
    return list(
        Person.objects.filter(memberships__workspace__in=workspaces, is_active=True)
        .distinct()
        .order_by("name", "id")[:500]
    )


@require_safe
@signed_in
def my_work(request: HttpRequest) -> HttpResponseBase:
    """What waits for me: what I am responsible for by its due date, then what I manage, watch or wrote."""
    person = person_of(request)
    open_items = queries.readable_items(person, ItemFilter(state="unfinished", order="due"))
    mine = list(open_items.filter(responsible=person)[:_WORK_ROWS])
    mine.sort(key=lambda item: (item.due is None, item.due or timezone.localdate(), -item.priority))
    shown = {item.pk for item in mine}
    managed = [item for item in open_items.filter(manager=person)[:_WORK_ROWS] if item.pk not in shown]
    shown |= {item.pk for item in managed}
    watched_filter = ItemFilter(state="unfinished", watched_by=person.pk)
    watched = [
        item for item in queries.readable_items(person, watched_filter)[:_WORK_ROWS] if item.pk not in shown
    ]
    shown |= {item.pk for item in watched}
    latest = queries.readable_items(person, ItemFilter(state="unfinished"))
    written = [item for item in latest.filter(author=person)[:_WORK_ROWS] if item.pk not in shown]
    sections = [
        ("mine", _("You are responsible"), mine),
        ("managed", _("You are the manager"), managed),
        ("watched", _("You watch"), watched),
        ("written", _("You wrote"), written),
    ]
    return render(
        request,
        "web/my_work.html",
        {
            "sections": [section for section in sections if section[2]],
            "today": timezone.localdate(),
            "late": sum(1 for item in mine if item.due and item.due < timezone.localdate()),
            "count": len(mine),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def new_item(request: HttpRequest) -> HttpResponseBase:
    person = person_of(request)
    workspaces = list(queries.workspaces_of(person))
    if not workspaces:
        return render(request, "web/no_workspace.html")
    wanted = request.POST.get("workspace") or request.GET.get("workspace") or ""
    workspace = next((row for row in workspaces if row.key == wanted), None)
    if workspace is None:
        workspace = next((row for row in workspaces if row.is_default), workspaces[0])
    form = NewItemForm(
        request.POST or None,
        request.FILES or None,
        workspace=workspace,
        author=person,
        initial={"priority": Item.Priority.NORMAL},
    )
    if request.method == "POST" and "choose" not in request.POST and form.is_valid():
        data = form.cleaned_data
        try:
            item = actions.create_item(
                workspace,
                author=person,
                title=data["title"],
                description=data["description"],
                priority=data["priority"],
                responsible=data["responsible"],
                manager=data["manager"],
                watchers=data.get("watchers", ()),
                due=data["due"],
                attachments=data["attachments"],
            )
        except ValidationError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("%(key)s is created.") % {"key": item.key})
            return redirect("web:item", key=item.key)
    return render(
        request, "web/new_item.html", {"form": form, "workspace": workspace, "workspaces": workspaces}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit_item(request: HttpRequest, key: str) -> HttpResponseBase:
    person = person_of(request)
    item = queries.readable_item(person, key)
    if item is None:
        raise Http404
    current = _values(item)
    if request.method != "POST":
        form = EditItemForm(item=item, initial=_initial(item) | {"seen": editing.seen_of(current)})
        return render(request, "web/edit_item.html", {"form": form, "item": item})
    form = EditItemForm(request.POST, item=item)
    conflicts: list[changes.ReadableChange] = []
    if form.is_valid():
        with transaction.atomic():
            # The row stays locked from the look at it to the change, so that nobody comes between.
            locked = Item.objects.select_for_update().get(pk=item.pk)
            current = _values(locked)
            plan = editing.plan(form.cleaned_data["seen"], current, form.cleaned_data)
            if not plan.conflicts:
                try:
                    actions.change_item(item, actor=person, **plan.changes)
                except ValidationError as refusal:
                    transaction.set_rollback(True)
                    add_refusal(form, refusal)
                else:
                    return redirect("web:item", key=item.key)
        conflicts = _conflicts(plan.conflicts, current)
        if conflicts:
            data = request.POST.copy()
            data["seen"] = editing.seen_of(current)  # seen now: saving again is a decision
            form.data = data
    return render(
        request, "web/edit_item.html", {"form": form, "item": item, "conflicts": conflicts}, status=422
    )


def _values(item: Item) -> dict[str, Any]:
    return {
        "title": item.title,
        "description": item.description,
        "state": item.state,
        "priority": item.priority,
        "responsible": item.responsible,
        "manager": item.manager,
        "due": item.due,
    }


def _initial(item: Item) -> dict[str, Any]:
    people = {
        "responsible": str(item.responsible_id or ""),
        "manager": str(item.manager_id or ""),
    }
    return _values(item) | people


def _conflicts(fields: tuple[str, ...], current: dict[str, Any]) -> list[changes.ReadableChange]:
    """The other person's values, in words."""
    shown = []
    for name in fields:
        value = current[name]
        if isinstance(value, Person):
            text = value.name
        elif hasattr(value, "isoformat"):
            text = changes.value_in_words(name, value.isoformat(), {})
        else:
            text = changes.value_in_words(name, value, {})
        shown.append(changes.ReadableChange(name, changes.label(name), "", text))
    return shown
