from __future__ import annotations

from collections.abc import Iterator

import pytest

from depesche.mailroom.pages import places


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(places, "_places", {})
    monkeypatch.setattr(places, "_links", {})
    return


def test_tabs_stand_in_order_and_places_without_address_are_left_out() -> None:
    places.register("b", "B", "web:people", order=20, count=lambda: 3)
    places.register("a", "A", "web:workspaces", order=10)
    places.register("gone", "Gone", "nowhere:at-all", order=1)
    tabs = places.tabs("b")
    assert [(tab.label, tab.current, tab.count) for tab in tabs] == [("A", False, 0), ("B", True, 3)]
    assert places.first_url() == tabs[0].url


def test_a_place_can_be_replaced() -> None:
    places.register("a", "A", "web:people", order=10)
    places.register("a", "Other", "web:people", order=10)
    assert [tab.label for tab in places.tabs("")] == ["Other"]


def test_nothing_registered() -> None:
    assert places.tabs("x") == []
    assert places.first_url() == ""


def test_links_of_the_navigation() -> None:
    places.link("web", "Somewhere", "web:items")
    places.link("gone", "Gone", "nowhere:at-all")
    assert [(tab.label, tab.current) for tab in places.links("web")] == [("Somewhere", True)]
