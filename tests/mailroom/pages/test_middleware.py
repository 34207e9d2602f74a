from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from depesche.mailroom.pages.middleware import POLICY, ContentSecurityPolicy, LocalTime, zone_named


def test_policy_forbids_everything_that_is_not_named() -> None:
    assert POLICY.startswith("default-src 'none';")
    assert "unsafe" not in POLICY
    assert "http" not in POLICY


def test_every_answer_has_a_policy_and_a_stricter_one_stays() -> None:
    def strict(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(headers={"Content-Security-Policy": "sandbox"})

    request = RequestFactory().get("/")
    assert (
        ContentSecurityPolicy(lambda _: HttpResponse())(request).headers["Content-Security-Policy"] == POLICY
    )
    assert ContentSecurityPolicy(strict)(request).headers["Content-Security-Policy"] == "sandbox"


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+3"])
def test_zones_that_exist(name: str) -> None:
    zone = zone_named(name)
    assert zone is not None
    assert zone.key == name


@pytest.mark.parametrize(
    "name",
    ["", "Europe", "../../etc/passwd", "/etc/localtime", "Europe/Nowhere", "a" * 200, "Europe/Berlin\n"],
)
def test_what_is_no_zone(name: str) -> None:
    assert zone_named(name) is None


@given(st.text(max_size=100))
def test_no_cookie_breaks_a_page(name: str) -> None:
    zone_named(name)


def test_the_reader_s_zone_holds_for_one_request() -> None:
    seen = []

    def view(_request: HttpRequest) -> HttpResponse:
        seen.append(timezone.get_current_timezone_name())
        return HttpResponse()

    request = RequestFactory().get("/")
    request.COOKIES["depesche_zone"] = "Asia/Tokyo"
    LocalTime(view)(request)
    LocalTime(view)(RequestFactory().get("/"))
    assert seen == ["Asia/Tokyo", timezone.get_default_timezone_name()]
