"""The places of the administration: each app says in its AppConfig.ready() which pages it has.

    places.register("outgoing", _("Outgoing"), "connections:outgoing", order=20)

`{% admin_tabs "outgoing" %}` then shows one row of tabs on every page of the administration. A place whose
address is not in the project's URLs is left out, so that a project may hang in only some of them.

`link` adds to the main navigation instead, for pages that are there only sometimes (the demo's mail catcher).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import NoReverseMatch, reverse

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


@dataclass(frozen=True)
class Place:
    key: str
    label: StrPromise | str
    url_name: str
    order: int
    count: Callable[[], int] | None = None


@dataclass(frozen=True)
class Tab:
    label: str
    url: str
    current: bool
    count: int


_places: dict[str, Place] = {}
_links: dict[str, Place] = {}


def register(
    key: str, label: StrPromise | str, url_name: str, *, order: int, count: Callable[[], int] | None = None
) -> None:
    """Add a place. `count` gives how many things wait there for a person; 0 shows nothing.

    Registering a key again replaces the place: a project may rename or move one.
    """
    _places[key] = Place(key, label, url_name, order, count)


def link(key: str, label: StrPromise | str, url_name: str) -> None:
    """Add a link to the main navigation. `key` is the URL namespace whose pages mark it as current."""
    _links[key] = Place(key, label, url_name, 0)


def links(current: str) -> list[Tab]:
    """The added links, in the order in which they were added."""
    shown = []
    for place in _links.values():
        try:
            shown.append(Tab(str(place.label), reverse(place.url_name), place.key == current, 0))
        except NoReverseMatch:
            continue
    return shown


def tabs(current: str) -> list[Tab]:
    """The tabs in their order, with addresses. Every `count` is asked: one cheap query each."""
    shown = []
    for place in sorted(_places.values(), key=lambda place: place.order):
        try:
            url = reverse(place.url_name)
        except NoReverseMatch:
            continue
        count = place.count() if place.count else 0
        shown.append(Tab(str(place.label), url, place.key == current, count))
    return shown


def first_url() -> str:
    """Where "Administration" leads: the first place that has an address, "" when there is none."""
    for place in sorted(_places.values(), key=lambda place: place.order):
        try:
            return reverse(place.url_name)
        except NoReverseMatch:
            continue
    return ""
