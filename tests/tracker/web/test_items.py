from __future__ import annotations

from datetime import date, timedelta
from html import escape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from depesche.tracker.items import actions
from depesche.tracker.items.models import Item, Watcher
from tests.tracker.support import make_workspace
from tests.tracker.web.conftest import House

LIST = "/items/"


def page(client: Client, url: str, **query: str) -> str:
    response = client.get(url, query)
    assert response.status_code == 200, response
    return response.content.decode()


def test_home_leads_to_the_items(emre: Client) -> None:
    assert emre.get("/").headers["Location"] == LIST


def test_the_list_shows_what_one_may_read(house: House, emre: Client, karl: Client) -> None:
    assert "Coolant pump" in page(emre, LIST)
    assert "Coolant pump" not in page(karl, LIST)
    assert "not a member of a workspace" in page(karl, LIST)


def test_filter_and_search(house: House, emre: Client) -> None:
    done = actions.create_item(house.workspace, author=house.emre, title="Gate three", state="done")
    mine = actions.create_item(house.workspace, author=house.sofia, title="Filters", responsible=house.emre)
    assert done.title not in page(emre, LIST)
    assert done.title in page(emre, LIST, state="done")
    assert done.title in page(emre, LIST, state="all")
    assert mine.title in page(emre, LIST, responsible="me")
    assert "Coolant" not in page(emre, LIST, responsible="me")
    assert "Coolant" in page(emre, LIST, q="vibrates")
    assert "Coolant" in page(emre, LIST, q="nw-1")
    assert "Filters" not in page(emre, LIST, q="vibrates")
    assert "No item fits" in page(emre, LIST, q="unfindable")


@pytest.mark.parametrize(
    "query", [{"workspace": "999"}, {"state": "x"}, {"responsible": "1'"}, {"page": "-3"}, {"order": "x"}]
)
def test_a_filter_that_is_none_shows_the_list(emre: Client, query: dict[str, str]) -> None:
    assert "Coolant" in page(emre, LIST, **query)


def test_pages_of_the_list_and_their_fragment(house: House, emre: Client) -> None:
    for number in range(60):
        actions.create_item(house.workspace, author=house.emre, title=f"Item number {number}")
    first = page(emre, LIST, q="number")
    assert "Page 1 of 2" in first
    assert "q=number&amp;page=2" in first
    assert "Page 2 of 2" in page(emre, LIST, q="number", page="2")
    fragment = emre.get(LIST, headers={"HX-Request": "true", "HX-Target": "list"}).content.decode()
    assert fragment.lstrip().startswith('<div id="list">')
    assert "<html" not in fragment


def test_the_list_costs_the_same_for_many_items(
    house: House, emre: Client, django_assert_max_num_queries: object
) -> None:
    for number in range(30):
        actions.create_item(
            house.workspace, author=house.emre, title=f"Item {number}", responsible=house.sofia
        )
    with django_assert_max_num_queries(12):  # type: ignore[operator]  # a fixture without a type of its own
        page(emre, LIST)


def test_my_work(house: House, emre: Client) -> None:
    late = timezone.localdate() - timedelta(days=3)
    actions.create_item(
        house.workspace, author=house.sofia, title="Overdue one", responsible=house.emre, due=late
    )
    watched = actions.create_item(house.workspace, author=house.sofia, title="Watched one")
    actions.watch(watched, house.emre)
    text = page(emre, "/work/")
    assert "One item waits for you" in text
    assert "One of them is overdue" in text
    order = [text.index(title) for title in ("Overdue one", "Watched one", "Coolant pump")]
    assert order == sorted(order)


def test_new_item_with_everything(house: House, emre: Client) -> None:
    response = emre.post(
        "/items/new/",
        {
            "workspace": "NW",
            "title": "Gate 3 will not close",
            "description": "Since *Monday*",
            "priority": "4",
            "responsible": house.sofia.pk,
            "manager": "",
            "due": "24.12.2026",
            "watchers": [house.jana.pk],
            "attachments": [SimpleUploadedFile("gate.txt", b"open"), SimpleUploadedFile("b.bin", b"\0")],
        },
    )
    item = Item.objects.get(title__startswith="Gate")
    assert response.headers["Location"] == reverse("web:item", args=[item.key])
    assert (item.author, item.responsible, item.priority, item.due) == (
        house.emre,
        house.sofia,
        4,
        date(2026, 12, 24),
    )
    assert [watcher.person for watcher in item.watchers.all()] == [house.jana]
    assert sorted(file.filename for file in item.attachments.all()) == ["b.bin", "gate.txt"]


def test_new_item_keeps_what_was_typed(house: House, emre: Client) -> None:
    text = emre.post(
        "/items/new/", {"title": " ", "description": "kept", "priority": "2", "due": "never"}
    ).content.decode()
    assert "2 fields need a correction" in text
    assert ">\nkept</textarea>" in text
    assert Item.objects.count() == 1


def test_nobody_from_outside_gets_a_role(house: House, emre: Client) -> None:
    data = {"title": "x", "priority": "2", "responsible": house.karl.pk}
    assert "data-invalid" in emre.post("/items/new/", data).content.decode()
    assert Item.objects.count() == 1


def test_new_item_in_a_workspace_of_others_goes_to_ones_own(house: House, emre: Client) -> None:
    make_workspace("XX", house.karl)
    emre.post("/items/new/", {"workspace": "XX", "title": "x", "priority": "2"})
    assert Item.objects.latest("id").workspace == house.workspace


def test_edit_writes_only_what_changed(house: House, emre: Client) -> None:
    url = reverse("web:edit-item", args=[house.item.key])
    form = emre.get(url).context["form"]
    data = {name: form[name].value() if form[name].value() is not None else "" for name in form.fields}
    actions.change_item(house.item, actor=house.sofia, priority=4)
    response = emre.post(url, data | {"title": "Pump P-8", "responsible": house.sofia.pk})
    assert response.status_code == 302
    house.item.refresh_from_db()
    assert (house.item.title, house.item.priority, house.item.responsible) == ("Pump P-8", 4, house.sofia)


def test_edit_shows_a_conflict_and_saves_on_the_second_press(house: House, emre: Client) -> None:
    url = reverse("web:edit-item", args=[house.item.key])
    form = emre.get(url).context["form"]
    data = {name: form[name].value() if form[name].value() is not None else "" for name in form.fields}
    actions.change_item(house.item, actor=house.sofia, title="Sofia's <title>")
    response = emre.post(url, data | {"title": "Emre's"})
    text = response.content.decode()
    assert response.status_code == 422
    assert "Somebody changed the same meanwhile" in text
    assert escape("Sofia's <title>", quote=True) in text
    house.item.refresh_from_db()
    assert house.item.title == "Sofia's <title>"
    again = response.context["form"]
    data = {name: again[name].value() if again[name].value() is not None else "" for name in again.fields}
    assert emre.post(url, data).status_code == 302
    house.item.refresh_from_db()
    assert house.item.title == "Emre's"


def test_an_administrator_without_a_workspace_is_shown_the_way(house: House, jana: Client) -> None:
    actions.remove_member(house.workspace, house.jana)
    assert "/workspaces/" in page(jana, "/items/new/")


def test_key_in_any_case_leads_to_the_item(house: House, emre: Client) -> None:
    assert emre.get("/items/nw-1/").headers["Location"] == "/items/NW-1/"


def test_watch_and_mute(house: House, emre: Client) -> None:
    url = reverse("web:watch", args=[house.item.key])
    emre.post(url, {"act": "watch"})
    assert Watcher.objects.get(item=house.item).person == house.emre
    assert "Stop watching" in page(emre, "/items/NW-1/")
    emre.post(url, {"act": "mute"})
    assert "Mails about it again" in page(emre, "/items/NW-1/")
    emre.post(url, {"act": "unmute"})
    emre.post(url, {"act": "add", "person": house.sofia.pk, "kind": "consulted"})
    assert [(row.person, row.kind) for row in house.item.watchers.all()] == [(house.sofia, "consulted")]
    for person in ("", "x", "999999", str(house.karl.pk), "9" * 30):
        emre.post(url, {"act": "add", "person": person})
    emre.post(url, {"act": "remove", "person": house.sofia.pk})
    assert not house.item.watchers.exists()


def test_whoever_muted_an_item_is_not_made_to_watch_it_by_others(house: House, emre: Client) -> None:
    actions.mute(house.item, house.sofia)
    emre.post(reverse("web:watch", args=["NW-1"]), {"act": "add", "person": house.sofia.pk})
    assert house.item.watchers.get().kind == "muted"
