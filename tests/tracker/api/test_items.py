"""Items over REST: the same actions and the same rights as in the browser."""

from __future__ import annotations

import pytest

from depesche.tracker.accounts.models import Person
from depesche.tracker.items import actions
from depesche.tracker.items.models import Comment, Item, ItemEvent, Workspace
from tests.tracker.api.conftest import Api


def test_an_item_is_made_changed_and_commented(api: Api, jana: Person, plant: Workspace) -> None:
    status, made = api(
        jana, "post", "/items", {"workspace": "NW", "title": "Pump", "watchers": ["jana@example.org"]}
    )
    assert status == 201
    assert (made["key"], made["author"], made["state"]) == ("NW-1", "jana@example.org", "open")
    assert made["watchers"] == [{"person": "jana@example.org", "kind": "informed"}]
    status, changed = api(
        jana,
        "patch",
        "/items/NW-1",
        {"state": "closed", "responsible": "jana@example.org", "due": "2026-12-24"},
    )
    assert (status, changed["state"], changed["responsible"], changed["due"]) == (
        200,
        "closed",
        "jana@example.org",
        "2026-12-24",
    )
    status, comment = api(jana, "post", "/items/NW-1/comments", {"text": "Looked at it."})
    assert (status, comment["text"], comment["via"]) == (201, "Looked at it.", "api")
    assert api(jana, "get", "/items/NW-1/comments")[1] == [comment]
    assert api(jana, "patch", "/items/NW-1", {"responsible": None})[1]["responsible"] is None
    assert [row["key"] for row in api(jana, "get", "/items?state=closed")[1]] == ["NW-1"]
    assert api(jana, "get", "/items?state=unfinished")[1] == []
    assert set(ItemEvent.objects.values_list("via", flat=True)) == {"api"}


def test_watching(api: Api, jana: Person, admin: Person, plant: Workspace) -> None:
    actions.create_item(plant, author=jana, title="Pump")
    actions.add_members(plant, [admin])
    path = "/items/NW-1/watchers/admin@example.org"
    assert api(jana, "put", path, {"kind": "consulted"})[0] == 200
    assert api(jana, "get", "/items/NW-1/watchers")[1] == [{"person": admin.email, "kind": "consulted"}]
    assert api(jana, "put", path, {"kind": "muted"})[0] == 403, "nobody mutes for somebody else"
    assert api(admin, "put", path, {"kind": "muted"})[0] == 200
    assert api(jana, "delete", path)[0] == 204
    assert api(jana, "get", "/items/NW-1/watchers")[1] == [{"person": admin.email, "kind": "muted"}]
    assert api(admin, "delete", path)[0] == 204
    assert api(jana, "get", "/items/NW-1/watchers")[1] == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("get", "/items/NW-1", None),
        ("patch", "/items/NW-1", {"title": "Mine"}),
        ("get", "/items/NW-1/comments", None),
        ("post", "/items/NW-1/comments", {"text": "Let me in"}),
        ("get", "/items/NW-1/watchers", None),
        ("put", "/items/NW-1/watchers/admin@example.org", {"kind": "informed"}),
        ("delete", "/items/NW-1/watchers/jana@example.org", None),
        ("post", "/items", {"workspace": "NW", "title": "Mine"}),
        ("get", "/items?workspace=NW", None),
    ],
)
def test_who_is_no_member_finds_nothing(
    api: Api, jana: Person, admin: Person, plant: Workspace, method: str, path: str, body: object
) -> None:
    """An administrator's token opens no workspace that the administrator is not a member of."""
    actions.create_item(plant, author=jana, title="Pump")
    assert api(admin, method, path, body)[0] == 404
    assert (Item.objects.get().title, Comment.objects.count()) == ("Pump", 0)
    assert api(admin, "get", "/items")[1] == api(admin, "get", "/workspaces")[1] == []


def test_what_is_wrong_is_said_by_field(api: Api, jana: Person, plant: Workspace) -> None:
    status, said = api(jana, "post", "/items", {"workspace": "NW", "title": " "})
    assert (status, said["fields"]) == (422, {"title": ["Enter a title."]})
    status, said = api(jana, "post", "/items", {"workspace": "NW", "titel": "Pump"})
    assert (status, set(said["fields"])) == (422, {"title", "titel"})
    status, said = api(
        jana, "post", "/items", {"workspace": "NW", "title": "x", "responsible": "no@example.org"}
    )
    assert (status, set(said["fields"])) == (422, {"responsible"})
    api(jana, "post", "/items", {"workspace": "NW", "title": "Pump"})
    assert api(jana, "patch", "/items/NW-1", {"title": None})[0] == 422
    assert api(jana, "patch", "/items/NW-1", {"state": "nowhere"})[0] == 422
    jana.language = "de"
    jana.save()
    status, said = api(jana, "post", "/items", {"workspace": "NW", "title": ""})
    assert said["detail"] == "Bitte einen Titel eingeben."


def test_workspaces_are_made_by_administrators(api: Api, jana: Person, admin: Person) -> None:
    body = {"name": "Lab", "key": "LAB", "members": ["jana@example.org"]}
    assert api(jana, "post", "/workspaces", body)[0] == 403
    assert api(admin, "post", "/workspaces", body) == (201, {"key": "LAB", "name": "Lab"})
    assert api(jana, "get", "/workspaces")[1] == [{"key": "LAB", "name": "Lab"}]
