"""What the tests of the connections share."""

from __future__ import annotations

from typing import Any

import pytest

from tests.mailroom.connections.support import CANARY


@pytest.fixture
def administrator(db: Any, django_user_model: Any) -> Any:
    person = django_user_model(email="jana@nordlicht.example", name="Jana Voss", language="en", is_admin=True)
    person.set_password("correct horse")
    person.save()
    return person


@pytest.fixture
def member(db: Any, django_user_model: Any) -> Any:
    person = django_user_model(email="karl@nordlicht.example", name="Karl Brandt", language="en")
    person.set_password("correct horse")
    person.save()
    return person


@pytest.fixture
def admin_page(client: Any, administrator: Any) -> Any:
    client.force_login(administrator)
    return client


@pytest.fixture
def saved(db: Any) -> Any:
    """A connection with a password that must never be seen again."""
    from depesche.mailroom.connections import actions

    return actions.save_outgoing(
        {
            "host": "smtp.nordlicht.example",
            "encryption": "tls",
            "port": "587",
            "auth": "password",
            "username": "tracker",
            "system_address": "tracker@nordlicht.example",
            "system_name": "Nordlicht Tracker",
        },
        password=CANARY,
    )
