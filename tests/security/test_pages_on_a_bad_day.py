"""The database does not take it: the page says so, and nothing is half saved."""

from __future__ import annotations

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client

from depesche.tracker.items import actions
from depesche.tracker.items.models import Comment
from tests.tracker.web.conftest import House, house, signed_in  # noqa: F401  a fixture


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("failure", [OperationalError("database is locked"), InterfaceError("away")])
def test_a_database_that_takes_nothing(
    house: House,  # noqa: F811  the fixture
    language: str,
    failure: Exception,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*args: object, **kinds: object) -> None:
        raise failure

    monkeypatch.setattr(actions, "add_comment", refuse)
    client = signed_in(house.emre)
    client.raise_request_exception = False
    house.emre.language = language
    house.emre.save()
    answer = client.post(f"/items/{house.item.key}/comment/", {"text": "Hello", "state": ""})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "60"
    words = "Nothing can be saved just now" if language == "en" else "Gerade kann nichts gespeichert werden"
    assert words in answer.content.decode()
    assert not Comment.objects.exists()


def test_a_mistake_of_ours_is_still_called_one(
    house: House,  # noqa: F811  the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stumble(*args: object, **kinds: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(actions, "add_comment", stumble)
    client = signed_in(house.emre)
    client.raise_request_exception = False
    answer = client.post(f"/items/{house.item.key}/comment/", {"text": "Hello", "state": ""})
    assert answer.status_code == 500
    assert "Depesche made a mistake" in answer.content.decode()


def test_an_unknown_visitor_sees_it_too(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kinds: object) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr("depesche.tracker.web.throttle.attempt", refuse)
    client = Client(raise_request_exception=False)
    answer = client.post("/sign-in/", {"email": "a@example.org", "password": "x"})
    assert answer.status_code == 503
