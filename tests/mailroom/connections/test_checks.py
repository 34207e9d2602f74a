"""What `manage.py check` says of a project's database, keys and address."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections as databases
from django.test import override_settings
from pytest_django.fixtures import Settings

from depesche.mailroom.connections import checks

SQLITE = "django.db.backends.sqlite3"
RIGHT = {"transaction_mode": "IMMEDIATE", "timeout": 20}


class Database:
    display_name = "MySQL"

    def __init__(self, vendor: str, engine: str = "", options: dict[str, Any] | None = None) -> None:
        self.vendor = vendor
        self.settings_dict = {"ENGINE": engine, "OPTIONS": options or {}}


@pytest.mark.parametrize(
    ("database", "expected"),
    [
        (Database("mysql"), ["depesche.E010"]),
        (Database("postgresql"), []),
        (Database("sqlite", SQLITE), ["depesche.W011"]),
        (Database("sqlite", SQLITE, {"transaction_mode": "IMMEDIATE"}), ["depesche.W011"]),
        (Database("sqlite", SQLITE, {"timeout": 30}), ["depesche.W011"]),
        (Database("sqlite", SQLITE, RIGHT), []),
        (Database("sqlite", "depesche.server.sqlite3", {"transaction_mode": "IMMEDIATE"}), []),
    ],
)
def test_databases(database: Database, expected: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(databases), "__getitem__", lambda self, alias: database)
    assert [message.id for message in checks.database_is_known(None)] == expected


@pytest.mark.parametrize("keys", [[], [b"short"], ["x" * 32], [b"x" * 31, b"y" * 32]])
def test_keys_that_cannot_be_used(keys: list[Any]) -> None:
    with override_settings(DEPESCHE_KEYS=keys):
        assert [message.id for message in checks.keys_are_usable(None)] == ["depesche.E012"]


def test_without_keys_one_is_made_of_the_secret_key(settings: Settings) -> None:
    del settings.DEPESCHE_KEYS
    assert checks.keys_are_usable(None) == []


@pytest.mark.parametrize("address", ["", "tracker.example.org", None])
def test_links_that_lead_nowhere(address: str | None) -> None:
    with override_settings(DEPESCHE_BASE_URL=address):
        assert [message.id for message in checks.links_lead_somewhere(None)] == ["depesche.W013"]
