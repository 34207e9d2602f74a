"""One item: its page, comments, watching, files, and who was told."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from depesche.mailroom.inbox import queries as inbox
from depesche.mailroom.pages.numbers import whole_number
from depesche.mailroom.pages.rights import signed_in
from depesche.tracker.accounts import queries as accounts
from depesche.tracker.accounts.models import Person
from depesche.tracker.items import actions, queries
from depesche.tracker.items.markdown import to_html
from depesche.tracker.items.models import Item, Watcher
from depesche.tracker.items.queries import Entry
from depesche.tracker.notifications import queries as notifications
from depesche.tracker.threads import queries as threads
from depesche.tracker.web.forms.items import CommentForm
from depesche.tracker.web.mailed import (
    Copy,
    Known,
    known_comments,
    known_item,
    mailed_to,
    pictures_of,
    recut,
)
from depesche.tracker.web.requests import person_of
from depesche.tracker.web.templatetags.tracker import markdown
from depesche.tracker.web.told import Told, told_of
from depesche.tracker.web.views.errors import add_refusal

_LATEST = 50  # stations shown at first; older ones on demand
_ROLES = 40  # people shown beside the item; of more, their number
_FILE_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
_HARMLESS = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain", "application/zip"}
)


@dataclass(frozen=True)
class Station:
    """One entry of the thread as the page shows it."""

    entry: Entry
    told: Told | None
    html: str = ""
    known: Known | None = None
    mailed: Sequence[Copy] = ()
    recut: bool = False


@require_safe
@signed_in
def item(request: HttpRequest, key: str) -> HttpResponseBase:
    person = person_of(request)
    found = _item(person, key)
    if key != found.key:
        return redirect("web:item", key=found.key)
    context = _context(request, found, person) | {"comment_form": CommentForm(item=found)}
    return render(request, "web/item.html", context)


@require_safe
@signed_in
def thread(request: HttpRequest, key: str) -> HttpResponseBase:
    """The thread alone, for the page that is open: 204 while it shows what there is."""
    person = person_of(request)
    found = _item(person, key)
    context = _context(request, found, person)
    if request.GET.get("stamp") == context["stamp"]:
        return HttpResponse(status=204)
    return render(request, "web/item_thread.html", context)


@require_POST
@signed_in
def comment(request: HttpRequest, key: str) -> HttpResponseBase:
    person = person_of(request)
    found = _item(person, key)
    form = CommentForm(request.POST, request.FILES, item=found)
    written = None
    if form.is_valid():
        data = form.cleaned_data
        change = {"state": data["state"]} if data["state"] else {}
        try:
            if change and not data["text"].strip() and not data["attachments"]:
                actions.change_item(found, actor=person, **change)
            else:
                written = actions.add_comment(
                    found, author=person, text=data["text"], attachments=data["attachments"], fields=change
                )
        except ValidationError as refusal:
            add_refusal(form, refusal)
    fragment = request.headers.get("HX-Request") == "true"
    if form.errors:
        context = _context(request, found, person) | {"comment_form": form}
        template = "web/item_body.html" if fragment else "web/item.html"
        return render(request, template, context, status=200 if fragment else 422)
    if fragment:
        context = _context(request, found, person) | {"comment_form": CommentForm(item=found), "fresh": True}
        return render(request, "web/item_body.html", context)
    anchor = f"#comment-{written.pk}" if written else ""
    return redirect(reverse("web:item", args=[found.key]) + anchor)


@require_POST
@signed_in
def watch(request: HttpRequest, key: str) -> HttpResponseBase:
    """Watching: oneself, or a colleague whom one tells about the item."""
    person = person_of(request)
    found = _item(person, key)
    act = request.POST.get("act", "")
    try:
        if act == "watch":
            actions.watch(found, person)
        elif act == "unwatch":
            actions.unwatch(found, person)
        elif act == "mute":
            actions.mute(found, person)
        elif act == "unmute":
            actions.unmute(found, person)
        elif act == "add":
            kind = request.POST.get("kind", "")
            wanted = Watcher.Kind.CONSULTED if kind == "consulted" else Watcher.Kind.INFORMED
            _add_watcher(found, _colleague(request, found), wanted)
        elif act == "remove":
            actions.unwatch(found, _colleague(request, found))
    except ValidationError as refusal:
        for text in refusal.messages:
            messages.error(request, text)
    return redirect("web:item", key=found.key)


def _add_watcher(item: Item, colleague: Person, kind: str) -> None:
    if queries.watching(item, colleague) == Watcher.Kind.MUTED:
        raise ValidationError(_("%(name)s wants no mail about this item.") % {"name": colleague.name})
    actions.watch(item, colleague, kind=kind)


def _colleague(request: HttpRequest, item: Item) -> Person:
    chosen = whole_number(request.POST.get("person", ""))
    found = accounts.person(chosen) if chosen is not None else None
    if found is None:
        raise ValidationError(_("Choose a person."))
    return found


@require_safe
@signed_in
def told(request: HttpRequest, key: str, event_id: int) -> HttpResponseBase:
    """Everybody of one event, where there are too many for the item's page."""
    person = person_of(request)
    found = _item(person, key)
    if not any(entry.event_id == event_id for entry in queries.thread(found)):
        raise Http404
    group = told_of([event_id], person, every=True).get(event_id)
    return render(request, "web/told.html", {"item": found, "told": group})


@require_safe
@signed_in
def file(request: HttpRequest, file_id: int, filename: str) -> HttpResponseBase:
    """A file, always as a download: nothing that came from outside runs or is drawn on this origin."""
    found = queries.attachment(person_of(request), file_id)
    if found is None:
        raise Http404
    media = found.content_type if found.content_type in _HARMLESS else "application/octet-stream"
    response = HttpResponse(bytes(found.data), content_type=media)
    response.headers["Content-Disposition"] = (
        content_disposition_header(as_attachment=True, filename=found.filename) or "attachment"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = _FILE_POLICY
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


def _item(person: Person, key: str) -> Item:
    found = queries.readable_item(person, key)
    if found is None:
        raise Http404
    return found


def _context(request: HttpRequest, item: Item, person: Person) -> dict[str, Any]:
    """What the page and its fragments show."""
    entries = queries.thread(item)
    created = next((entry for entry in entries if entry.kind == "created"), None)
    stations = [entry for entry in entries if entry.kind != "created"]
    every = bool(request.GET.get("all"))
    hidden = 0 if every else max(0, len(stations) - _LATEST)
    stations = stations[hidden:]
    groups = told_of([entry.event_id for entry in [*stations, *([created] if created else [])]], person)
    shown = _stations(stations, groups)
    watching = queries.watching(item, person)
    roles = [role for role in queries.roles(item) if role.kind != Watcher.Kind.MUTED]
    named = {role.person.pk for role in roles}
    return {
        "item": item,
        "description": to_html(item.description, pictures_of(created.attachments if created else ())),
        "known": known_item(item.pk, item.how_known),
        "created": Station(created, groups.get(created.event_id)) if created else None,
        "stations": shown,
        "held": inbox.held_count(item.key),
        "hidden": hidden,
        "every": every,
        "stamp": _stamp(item, shown, groups),
        "roles": roles[:_ROLES],
        "more_roles": max(0, len(roles) - _ROLES),
        "watching": watching,
        "has_role": any(role.person.pk == person.pk for role in roles),
        "may_watch": [member for member in queries.members(item.workspace) if member.pk not in named],
        "address": threads.reply_address(item, person, timezone.now()),
        "will_be_told": notifications.will_be_told(item, person),
        "today": timezone.localdate(),
    }


def _stations(entries: Sequence[Entry], groups: dict[int, Told]) -> list[Station]:
    """Entries with everything that the page says of them; a handful of queries, whatever their number."""
    comments = [entry.comment for entry in entries if entry.comment is not None]
    known = known_comments({comment.pk: comment.how_known for comment in comments if comment.how_known})
    ids = [comment.pk for comment in comments]
    mailed, cut_anew = mailed_to(ids), recut(ids)
    stations = []
    for entry in entries:
        told_group = groups.get(entry.event_id)
        comment = entry.comment
        if comment is None:
            stations.append(Station(entry, told_group))
            continue
        pictures = pictures_of(entry.attachments)
        html = to_html(comment.text, pictures) if pictures else markdown(comment.text)
        stations.append(
            Station(
                entry,
                told_group,
                html=html,
                known=known.get(comment.pk),
                mailed=mailed.get(comment.pk, ()),
                recut=comment.pk in cut_anew,
            )
        )
    return stations


def _stamp(item: Item, stations: list[Station], groups: dict[int, Told]) -> str:
    """Changes exactly when the thread looks different."""
    parts = [
        get_language() or "",
        timezone.localdate().isoformat(),  # "today, 14:02" is "yesterday" tomorrow
        item.updated_at.isoformat(),
        *(f"{station.entry.event_id}:{station.entry.at.isoformat()}" for station in stations),
        *(f"{copy.state}{copy.words}" for station in stations for copy in station.mailed),
        *(f"{row.state}{row.more}{row.words}" for group in groups.values() for row in group.rows),
        *(group.summary for group in groups.values()),
    ]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
