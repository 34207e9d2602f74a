"""People and workspaces for the tests of the tracker."""

from __future__ import annotations

from typing import Any

from depesche.tracker.accounts import actions as accounts
from depesche.tracker.accounts.models import Person
from depesche.tracker.items import actions as items
from depesche.tracker.items.models import Workspace

PASSWORD = "a long enough pass phrase"


def make_person(name: str, **fields: Any) -> Person:
    """`jana` is Jana <jana@example.org>; a password is set, so that no welcome mail goes out."""
    fields.setdefault("password", PASSWORD)
    return accounts.create_person(f"{name}@example.org", name.capitalize(), **fields)


def make_workspace(key: str, *members: Person) -> Workspace:
    return items.create_workspace(f"Workspace {key}", key=key, members=members)
