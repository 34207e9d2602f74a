"""An item with people, and a way in."""

from __future__ import annotations

import pytest

from depesche.mailroom.connections.models import IncomingMailbox, OutgoingConnection
from depesche.tracker.accounts.models import Person
from depesche.tracker.items import actions as items
from depesche.tracker.items.models import Item
from tests.tracker.correspondence.support import SYSTEM
from tests.tracker.support import make_person, make_workspace


@pytest.fixture
def way_in(db: None) -> None:
    OutgoingConnection.objects.create(
        host="smtp.example.org", system_address=SYSTEM, system_name="Your Server", items_by_mail=True
    )
    IncomingMailbox.objects.create(
        protocol="pipe", plus_addressing="on", trusted_authserv_id="mx.example.org"
    )


@pytest.fixture
def people(way_in: None) -> dict[str, Person]:
    return {name: make_person(name) for name in ("jana", "tomasz", "eve")}


@pytest.fixture
def item(people: dict[str, Person]) -> Item:
    workspace = make_workspace("NW", people["jana"], people["tomasz"])
    return items.create_item(
        workspace,
        author=people["jana"],
        responsible=people["tomasz"],
        title="Coolant pump P-7",
        description="Hm.",
    )
