from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from depesche.tracker.accounts.models import Person
from depesche.tracker.api import tokens
from depesche.tracker.items import actions
from depesche.tracker.items.models import Workspace

Api = Callable[..., Any]


@pytest.fixture
def jana(db: None) -> Person:
    return Person.objects.create(email="jana@example.org", name="Jana Voss")


@pytest.fixture
def admin(db: None) -> Person:
    return Person.objects.create(email="admin@example.org", name="Ada Min", is_admin=True)


@pytest.fixture
def plant(jana: Person) -> Workspace:
    return actions.create_workspace("Plant", key="NW", members=[jana])


@pytest.fixture
def api(client: Client) -> Api:
    """`api(person, "get", "/items", body)`: status and JSON."""
    known: dict[int, str] = {}

    def ask(person: Person | None, method: str, path: str, body: Any = None, **more: Any) -> Any:
        headers = more.pop("headers", {})
        if person is not None:
            if person.pk not in known:
                known[person.pk] = tokens.create(person)
            headers["Authorization"] = f"Bearer {known[person.pk]}"
        more.setdefault("content_type", "application/json")
        data = {} if body is None else {"data": body}
        answer = getattr(client, method)(f"/api/v1{path}", **data, **more, headers=headers)
        return answer.status_code, answer.json() if answer.content else None

    return ask
