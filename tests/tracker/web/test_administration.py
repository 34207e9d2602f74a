from __future__ import annotations

import pytest
from django.test import Client

from depesche.mailroom.connections import actions as connections
from depesche.mailroom.connections import senders
from depesche.mailroom.connections.sender_policy import Identity
from depesche.tracker.accounts.models import Person
from depesche.tracker.items.models import Membership, Workspace
from tests.tracker.web.conftest import House, signed_in


def person_data(**changes: str) -> dict[str, str]:
    return {"name": "Lena Ott", "email": "lena@example.org", "language": "de", "role": "member"} | changes


def test_add_a_person(house: House, jana: Client) -> None:
    assert jana.post("/people/new/", person_data()).headers["Location"] == "/people/"
    lena = Person.objects.get(email="lena@example.org")
    assert (lena.name, lena.language, lena.is_admin, lena.has_usable_password()) == (
        "Lena Ott",
        "de",
        False,
        False,
    )
    assert "Lena Ott" in jana.get("/people/", {"q": "lena"}).content.decode()
    assert "Nobody fits" in jana.get("/people/", {"q": "nobody at all"}).content.decode()


@pytest.mark.parametrize(
    "changes",
    [{"name": " "}, {"email": "x"}, {"email": "EMRE@example.org"}, {"role": "king"}, {"language": "fr"}],
)
def test_bad_input_stands_at_its_field(house: House, jana: Client, changes: dict[str, str]) -> None:
    before = Person.objects.count()
    text = jana.post("/people/new/", person_data(**changes)).content.decode()
    assert "One field needs a correction" in text or "one field needs a correction" in text
    assert "data-invalid" in text
    assert Person.objects.count() == before


def test_change_a_person(house: House, jana: Client) -> None:
    url = f"/people/{house.emre.pk}/"
    data = {"name": "Emre Aydın", "email": "emre@example.net", "language": "de", "role": "administrator"}
    assert jana.post(url, data | {"only_account_mails": "on"}).status_code == 302
    house.emre.refresh_from_db()
    assert (house.emre.name, house.emre.email, house.emre.language) == (
        "Emre Aydın",
        "emre@example.net",
        "de",
    )
    assert house.emre.is_admin
    assert house.emre.only_account_mails


def test_there_is_always_an_administrator(house: House, jana: Client) -> None:
    data = {"name": "Jana", "email": "jana@example.org", "language": "en", "role": "member"}
    assert "There must be an administrator" in jana.post(f"/people/{house.jana.pk}/", data).content.decode()
    jana.post(f"/people/{house.jana.pk}/deactivate/")
    house.jana.refresh_from_db()
    assert house.jana.is_active
    assert house.jana.is_admin


def test_deactivate_and_back(house: House, jana: Client) -> None:
    emre = signed_in(house.emre)
    jana.post(f"/people/{house.emre.pk}/deactivate/")
    assert emre.get("/items/").status_code == 302
    assert "is deactivated" in jana.get("/people/").content.decode()
    assert "Emre" not in jana.get("/people/").content.decode()
    assert "(deactivated)" in jana.get("/people/", {"inactive": "1"}).content.decode()
    jana.post(f"/people/{house.emre.pk}/activate/")
    house.emre.refresh_from_db()
    assert house.emre.is_active


def test_nobody_of_that_number(jana: Client) -> None:
    assert jana.get("/people/99999/").status_code == 404


def test_new_workspace(house: House, jana: Client) -> None:
    response = jana.post("/workspaces/new/", {"name": "Office", "key": "of"})
    assert response.headers["Location"] == "/workspaces/OF/"
    assert list(Workspace.objects.get(key="OF").members.all()) == [house.jana]
    text = jana.post("/workspaces/new/", {"name": "office", "key": ""}).content.decode()
    assert "data-invalid" in text
    text = jana.post("/workspaces/new/", {"name": "Other", "key": "1x"}).content.decode()
    assert "data-invalid" in text


def test_members_come_and_go(house: House, jana: Client) -> None:
    jana.post("/workspaces/NW/", {"members": [house.jana.pk, house.karl.pk]})
    names = Membership.objects.filter(workspace=house.workspace).values_list("person__name", flat=True)
    assert sorted(names) == ["Jana", "Karl"]
    assert signed_in(house.karl).get("/items/NW-1/").status_code == 200
    assert signed_in(house.sofia).get("/items/NW-1/").status_code == 404


def test_a_deactivated_member_stays_one(house: House, jana: Client) -> None:
    from depesche.tracker.accounts.actions import deactivate

    deactivate(house.sofia)
    jana.post("/workspaces/NW/", {"members": [house.jana.pk]})
    names = Membership.objects.filter(workspace=house.workspace).values_list("person__name", flat=True)
    assert sorted(names) == ["Jana", "Sofia"]


def test_where_new_items_by_mail_go(house: House, jana: Client) -> None:
    jana.post("/workspaces/new/", {"name": "Office", "key": "OF"})
    jana.post("/workspaces/OF/default/")
    assert [row.key for row in Workspace.objects.filter(is_default=True)] == ["OF"]
    assert jana.post("/workspaces/ZZ/default/").status_code == 404


def test_administrators_see_that_no_server_is_set_up(house: House, jana: Client, emre: Client) -> None:
    assert "No mail server is set up" in jana.get("/items/").content.decode()
    assert "No mail server is set up" not in emre.get("/items/").content.decode()
    assert "Administration" not in emre.get("/items/").content.decode()


def test_a_workspace_has_a_sender_of_its_own(house: House, jana: Client, karl: Client) -> None:
    connections.save_outgoing(
        {"host": "smtp.example.org", "system_address": "tracker@example.org", "system_name": "Your Server"}
    )
    url = "/workspaces/NW/sender/"
    assert karl.post(url, {"address": "x@example.org", "name": "X"}).status_code == 403
    assert jana.post(url, {"address": "help@example.org", "name": "Help Desk"}).status_code == 302
    page = jana.get("/workspaces/NW/").content.decode()
    assert "Help Desk &lt;help@example.org&gt;" in page
    assert f"{house.jana.name} via Help Desk &lt;help@example.org&gt;" in page
    assert "<dd>tracker@example.org</dd>" in page  # where delivery reports go
    refused = jana.post(url, {"address": "no address", "name": ""})
    assert refused.status_code == 422
    assert senders.identity("NW").address == "help@example.org"
    jana.post(url, {"address": "", "name": ""})
    assert senders.identity("NW") == Identity()
