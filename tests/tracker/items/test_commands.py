"""The commands: names, JSON, refusals in one sentence."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from depesche.mailroom.connections.secrets import ensure_installation
from depesche.tracker.accounts.models import Person
from depesche.tracker.items.models import Item, Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _installation() -> Iterator[None]:
    ensure_installation()
    return


def run(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def run_json(*words: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(run(*words, "--json"))
    return value


def prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("alice", "bob"):
        monkeypatch.setattr(sys, "stdin", io.StringIO("a long enough pass phrase\n"))
        run("person", "add", f"{name}@example.org", "--name", name.title(), "--password-stdin")
    run("workspace", "add", "Nordlicht plant", "--member", "alice@example.org", "bob@example.org")


def test_a_whole_item(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared(monkeypatch)
    created = run_json(
        *("item", "create", "--workspace", "np", "--title", "Pump", "--text", "It *vibrates*"),
        *("--as", "alice@example.org", "--responsible", "bob@example.org", "--due", "2026-12-24"),
        *("--watch", "bob@example.org"),
    )
    assert created == {"id": Item.objects.get().pk, "key": "NP-1"}
    comment = run_json("item", "comment", str(created["id"]), "--as", "BOB@example.org", "--text", "Looking.")
    run("item", "set", "NP-1", "--as", "alice@example.org", "state=closed", "responsible=", "priority=urgent")
    shown = run_json("item", "show", "np-1")
    assert shown["title"] == "Pump"
    assert shown["description"] == "It *vibrates*"
    assert (shown["state"], shown["priority"], shown["due"]) == ("closed", 4, "2026-12-24")
    assert (shown["author"], shown["responsible"]) == ("alice@example.org", None)
    assert shown["watchers"] == [{"person": "bob@example.org", "kind": "informed"}]
    (told,) = shown["comments"]
    assert told["id"] == comment["id"]
    assert (told["author"], told["text"], told["cut"], told["via"], told["attachments"]) == (
        *("bob@example.org", "Looking.", "", "command"),
        [],
    )
    assert "Looking." in run("item", "show", "1" if created["id"] == 1 else str(created["id"]))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("item show 999999", "There is no item 999999."),
        ("item create --workspace X --title T --as alice@example.org", "There is no workspace X."),
        (
            "item create --workspace NP --title T --as eve@example.org",
            "nobody with the address eve@example.org",
        ),
        ("person add alice@example.org --name Alice", "already belongs"),
        ("person add nonsense --name Alice", "@"),
        ("person deactivate eve@example.org", "nobody with the address"),
        ("workspace add Other --member eve@example.org", "nobody with the address"),
        ("demo-data --people 2 --items 1 --watchers 3", "need as many people"),
    ],
)
def test_refusals_are_one_sentence(monkeypatch: pytest.MonkeyPatch, words: str, sentence: str) -> None:
    prepared(monkeypatch)
    with pytest.raises(CommandError, match=sentence):
        run(*words.replace("demo-data", "demo_data").split())


def test_people_and_workspaces(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared(monkeypatch)
    added = run_json("person", "add", "carla@example.org", "--name", "Carla", "--language", "de", "--admin")
    assert (added["language"], added["admin"]) == ("de", True)
    run("workspace", "add", "Nordlicht plant", "--member", "carla@example.org")
    assert Workspace.objects.get().members.count() == 3
    run("person", "deactivate", "carla@example.org")
    assert not Person.objects.get(email="carla@example.org").is_active
    run("person", "activate", "carla@example.org")
    assert "carla@example.org" in run("person", "list")
    listed = json.loads(run("workspace", "list", "--json"))
    assert (listed["key"], listed["members"]) == ("NP", 3)


def test_demo_data_and_reminders(monkeypatch: pytest.MonkeyPatch) -> None:
    made = run_json("demo_data", "--people", "4", "--items", "2", "--watchers", "3")
    assert made["people"] == 4
    run(
        "item",
        "set",
        str(made["first"]),
        "--as",
        "person1@example.org",
        "responsible=person2@example.org",
        "due=2026-12-01",
    )
    assert run_json("reminders", "run", "--now", "2026-11-30T08:00:00+00:00") == {
        "day": "2026-11-30",
        "reminders": 1,
    }
    assert run_json("reminders", "run", "--now", "2026-11-30T09:00:00+00:00")["reminders"] == 0
