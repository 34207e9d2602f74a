"""People see that their address bounces, and have a way back."""

from __future__ import annotations

from django.test import Client
from django.utils import timezone

from depesche.mailroom.outbox import addresses
from depesche.tracker.accounts import reachability
from tests.tracker.web.conftest import House


def die(address: str) -> None:
    addresses.failed(address, recipient_id=1, status="5.1.1", words="user unknown", now=timezone.now())


def test_the_banner_says_it_and_leads_back(house: House, emre: Client, jana: Client) -> None:
    assert "Mails to you come back" not in emre.get("/work/").content.decode()
    die(house.emre.email)
    page = emre.get("/work/").content.decode()
    assert "Mails to you come back" in page
    assert house.emre.email in page
    assert "Mails to you come back" not in jana.get("/work/").content.decode()
    response = emre.post("/me/address/", {"next": "/work/"})
    assert (response.status_code, response["Location"]) == (302, "/work/")
    assert "Mails to you come back" not in emre.get("/work/").content.decode()
    assert addresses.suppressed_reason(house.emre.email) is None
    assert Client().post("/me/address/").status_code == 302  # to the sign-in page


def test_it_speaks_the_person_s_language(house: House, emre: Client) -> None:
    die(house.emre.email)
    house.emre.language = "de"
    house.emre.save()
    assert "Mails an Sie kommen zurück" in emre.get("/work/").content.decode()


def test_a_link_that_was_mailed_proves_the_address(house: House) -> None:
    die(house.sofia.email)
    reachability.proved(house.sofia, now=timezone.now())
    row = addresses.record_of(house.sofia.email)
    assert row is not None
    assert (row.suppressed_at, row.lifted_by) == (None, "delivered")
