from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from depesche.tracker.accounts.models import Person
from depesche.tracker.items import actions
from depesche.tracker.items.models import Item, Workspace
from tests.support.availability import require
from tests.support.chromium import chromium
from tests.tracker.support import make_person, make_workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@dataclass(frozen=True)
class House:
    """A workspace with an item by Emre, of Jana (administrator), Emre and Sofia, but not Karl."""

    jana: Person
    emre: Person
    sofia: Person
    karl: Person
    workspace: Workspace
    item: Item


@pytest.fixture
def house(db: None) -> House:
    jana = make_person("jana", is_admin=True)
    emre, sofia, karl = (make_person(name) for name in ("emre", "sofia", "karl"))
    workspace = make_workspace("NW", jana, emre, sofia)
    item = actions.create_item(workspace, author=emre, title="Coolant pump P-7", description="It *vibrates*.")
    return House(jana, emre, sofia, karl, workspace, item)


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def emre(house: House) -> Client:
    return signed_in(house.emre)


@pytest.fixture
def jana(house: House) -> Client:
    """The administrator."""
    return signed_in(house.jana)


@pytest.fixture
def karl(house: House) -> Client:
    """Somebody who is not a member of the workspace."""
    return signed_in(house.karl)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all. Its event loop runs in this thread, where Django would refuse its database."""
    require("chromium")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        with chromium() as running:
            yield running
