from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from depesche.mailroom.pages.rights import administrators_only, signed_in


@administrators_only
def admin_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("in")


@signed_in
def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("in")


def request(user: Any, **headers: str) -> HttpRequest:
    made = RequestFactory().get("/mail/outgoing/", {"a": "1"}, headers=headers)
    made.user = user
    return made


def person(*, staff: bool = False, active: bool = True) -> Any:
    return SimpleNamespace(is_authenticated=True, is_active=active, is_staff=staff)


def test_administrators_come_in() -> None:
    assert admin_page(request(person(staff=True))).content == b"in"  # type: ignore[attr-defined]  # it is one


def test_members_get_403_and_come_into_other_pages() -> None:
    with pytest.raises(PermissionDenied):
        admin_page(request(person()))
    assert page(request(person())).status_code == 200


@pytest.mark.parametrize("view", [admin_page, page])
@pytest.mark.parametrize("user", [AnonymousUser(), person(active=False), person(staff=True, active=False)])
def test_others_are_led_to_the_sign_in_page_and_back(view: Any, user: Any) -> None:
    answer = view(request(user))
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/sign-in/?next=/mail/outgoing/%3Fa%3D1"


@pytest.mark.parametrize(
    ("current", "back"),
    [
        ("https://tracker.example.org/items/NW-1/?x=1", "/items/NW-1/%3Fx%3D1"),
        ("https://evil.example//evil.example/x", "/evil.example/x"),
        ("", "/"),
        ("nonsense", "/"),
    ],
)
def test_a_fragment_sends_the_whole_page_to_the_sign_in(current: str, back: str) -> None:
    answer = page(request(AnonymousUser(), **{"HX-Request": "true", "HX-Current-URL": current}))
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == f"/sign-in/?next={back}"


def test_a_page_that_asks_by_itself_is_left_alone() -> None:
    answer = page(request(AnonymousUser(), **{"HX-Request": "true", "X-Poll": "yes"}))
    assert answer.status_code == 204
    assert "HX-Redirect" not in answer.headers
