from __future__ import annotations

import json
from unittest.mock import patch

from django.db import DatabaseError
from django.test import Client

from depesche.tracker.threads.addresses import mute_token
from tests.tracker.web.conftest import House


def test_my_settings(house: House, emre: Client) -> None:
    data = {"name": "Emre Aydın", "language": "de", "only_account_mails": "on"}
    assert emre.post("/me/", data).status_code == 302
    house.emre.refresh_from_db()
    assert (house.emre.name, house.emre.language, house.emre.only_account_mails) == ("Emre Aydın", "de", True)
    text = emre.get("/me/").content.decode()
    assert '<html lang="de">' in text
    assert "Meine Einstellungen" in text
    assert "Gespeichert." in text


def test_bad_settings_are_not_saved(house: House, emre: Client) -> None:
    assert "data-invalid" in emre.post("/me/", {"name": "", "language": "fr"}).content.decode()
    house.emre.refresh_from_db()
    assert house.emre.name == "Emre"


def test_language_before_sign_in_is_the_browser_s_then_the_switch_s() -> None:
    client = Client(headers={"Accept-Language": "de-AT,de;q=0.9"})
    assert '<html lang="de">' in client.get("/sign-in/").content.decode()
    client.post("/language/", {"language": "en", "next": "/sign-in/"})
    assert '<html lang="en">' in client.get("/sign-in/").content.decode()
    client.post("/language/", {"language": "xx"})
    assert '<html lang="en">' in client.get("/sign-in/").content.decode()


def test_language_of_a_person_is_theirs_everywhere(house: House, emre: Client) -> None:
    answer = emre.post("/language/", {"language": "de", "next": "https://evil.example/"})
    assert answer.headers["Location"] == "/"
    house.emre.refresh_from_db()
    assert house.emre.language == "de"
    assert "Vorgänge" in emre.get("/items/").content.decode()


def test_times_stand_in_the_reader_s_zone(house: House, emre: Client) -> None:
    house.item.events.update(at="2026-11-03T23:30:00Z")
    emre.cookies["depesche_zone"] = "Asia/Tokyo"
    assert "4 November" in emre.get("/items/NW-1/").content.decode()
    emre.cookies["depesche_zone"] = "../etc"
    assert "3 November" in emre.get("/items/NW-1/").content.decode()


def test_unsubscribe_asks_first_and_needs_no_sign_in(house: House) -> None:
    url = f"/unsubscribe/{mute_token(house.item.pk, house.emre.pk)}/"
    client = Client(enforce_csrf_checks=True)
    asked = client.get(url)
    assert "No more mails about NW-1?" in asked.content.decode()
    assert not house.item.watchers.exists()
    done = client.post(url, {"from-page": "1"})
    assert "emre@example.org" in done.content.decode()
    assert house.item.watchers.get().kind == "muted"


def test_one_click_of_a_mail_program(house: House) -> None:
    url = f"/unsubscribe/{mute_token(house.item.pk, house.emre.pk)}/"
    for _ in range(2):
        response = Client(enforce_csrf_checks=True).post(url, {"List-Unsubscribe": "One-Click"})
        assert (response.status_code, response.content) == (200, b"")
    assert house.item.watchers.get().person == house.emre


def test_a_forged_link_does_nothing(house: House) -> None:
    good = mute_token(house.item.pk, house.emre.pk)
    for token in (good[:-1] + ("a" if good[-1] != "a" else "b"), "x", "%00", "a" * 500):
        assert Client().post(f"/unsubscribe/{token}/").status_code == 404
    assert not house.item.watchers.exists()


def test_healthz(db: None) -> None:
    response = Client().get("/healthz")
    assert response.status_code == 200
    assert json.loads(response.content) == {"status": "ok"}
    with patch("depesche.tracker.web.views.health.connection.cursor", side_effect=DatabaseError):
        assert Client().get("/healthz").status_code == 503


def test_error_pages(house: House, emre: Client) -> None:
    missing = emre.get("/nowhere/at/all")
    assert missing.status_code == 404
    assert "nothing here for you" in missing.content.decode()
    assert "for administrators" in emre.get("/people/").content.decode()


def test_a_fault_shows_a_page_and_no_traceback(house: House, settings: object) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(house.emre)
    with patch("depesche.tracker.web.views.items.queries.workspaces_of", side_effect=RuntimeError("secret")):
        response = client.get("/items/")
    assert response.status_code == 500
    assert "Depesche made a mistake" in response.content.decode()
    assert "secret" not in response.content.decode()
