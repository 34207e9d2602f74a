from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from depesche.tracker.accounts import actions, tokens
from depesche.tracker.accounts.models import ResetRequest
from depesche.tracker.web import throttle
from depesche.tracker.web.models import SignInAttempt
from depesche.tracker.web.throttle import Counts
from tests.tracker.support import PASSWORD
from tests.tracker.web.conftest import House

SIGN_IN = "/sign-in/"
EMAILS = ("emre@example.org", "nobody@example.org")
NEW = "quite another pass phrase"


def seen(text: str) -> str:
    """A page without what differs by chance."""
    return re.sub(r'(csrfmiddlewaretoken" value=|X-CSRFToken": )"\w+"', "", text)


def sign_in(client: Client, email: str, password: str, **extra: str) -> int:
    return client.post(SIGN_IN, {"email": email, "password": password, **extra}).status_code


def is_in(client: Client) -> bool:
    return client.get(reverse("web:me")).status_code == 200


def test_in_and_out(house: House) -> None:
    client = Client()
    response = client.post(SIGN_IN, {"email": " Emre@Example.ORG ", "password": PASSWORD, "next": "/work/"})
    assert response.headers["Location"] == "/work/"
    assert is_in(client)
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").headers["Location"] == SIGN_IN
    assert not is_in(client)


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_the_way_back_never_leads_elsewhere(house: House, target: str) -> None:
    response = Client().post(SIGN_IN, {"email": "emre@example.org", "password": PASSWORD, "next": target})
    assert response.headers["Location"] == "/"


def test_wrong_password_and_unknown_address_get_the_same_answer(house: House) -> None:
    answers = [
        Client().post(SIGN_IN, {"email": email, "password": "wrong"}).content.decode() for email in EMAILS
    ]
    assert "do not belong together" in answers[0]
    shown = [seen(text).replace(email, "X") for text, email in zip(answers, EMAILS, strict=True)]
    assert shown[0] == shown[1]


def test_a_deactivated_person_does_not_come_in(house: House) -> None:
    actions.deactivate(house.emre)
    assert sign_in(Client(), "emre@example.org", PASSWORD) == 200


def test_guessing_is_slowed_for_one_account_from_one_place(house: House) -> None:
    client = Client()
    for _ in range(throttle.PER_ACCOUNT_AND_IP):
        assert sign_in(client, "emre@example.org", "wrong") == 200
    assert sign_in(client, "EMRE@example.org ", PASSWORD) == 429
    assert sign_in(client, "sofia@example.org", PASSWORD) == 302
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert sign_in(elsewhere, "emre@example.org", PASSWORD) == 302
    later = timezone.now() - throttle.WINDOW - timedelta(minutes=1)
    SignInAttempt.objects.update(at=later)
    assert sign_in(Client(), "emre@example.org", PASSWORD) == 302


def test_the_right_password_forgets_the_wrong_ones(house: House) -> None:
    for _ in range(3):
        for _ in range(throttle.PER_ACCOUNT_AND_IP - 1):
            sign_in(Client(), "emre@example.org", "wrong")
        assert sign_in(Client(), "emre@example.org", PASSWORD) == 302
    assert not SignInAttempt.objects.exists()


@pytest.mark.parametrize(
    ("counts", "refused"),
    [
        (Counts(throttle.PER_ACCOUNT_AND_IP, throttle.PER_IP, throttle.PER_ACCOUNT), False),
        (Counts(throttle.PER_ACCOUNT_AND_IP + 1, 1, 1), True),
        (Counts(1, throttle.PER_IP + 1, 1), True),
        (Counts(1, 1, throttle.PER_ACCOUNT + 1), True),
    ],
)
def test_limits(counts: Counts, refused: bool) -> None:
    assert throttle.too_many(counts) is refused


def test_old_attempts_are_not_kept(house: House) -> None:
    now = timezone.now()
    SignInAttempt.objects.create(account="x", ip="192.0.2.1", at=now - timedelta(days=2))
    throttle.attempt("emre@example.org", "192.0.2.2", now=now)
    assert [row.account for row in SignInAttempt.objects.all()] == ["emre@example.org"]


def test_forgotten_password_answers_the_same_for_everybody(house: House) -> None:
    texts = []
    for email in EMAILS:
        response = Client().post(reverse("web:password-reset"), {"email": email})
        assert response.status_code == 200
        texts.append(seen(response.content.decode()).replace(email, "X"))
    assert texts[0] == texts[1]
    assert ResetRequest.objects.filter(email="emre@example.org").count() == 1


def test_a_link_sets_the_password_once(house: House) -> None:
    client = Client()
    uid, token = tokens.link_parts(house.emre)
    opened = client.get(reverse("web:set-password", args=[uid, token]))
    assert token not in opened.headers["Location"]
    page = client.get(opened.headers["Location"])
    assert "emre@example.org" in page.content.decode()
    assert page.headers["Cache-Control"].startswith("max-age=0")
    too_short = client.post(opened.headers["Location"], {"password": "short"})
    assert too_short.status_code == 200
    assert "data-invalid" in too_short.content.decode()
    assert client.post(opened.headers["Location"], {"password": NEW}).status_code == 302
    assert is_in(client)
    assert sign_in(Client(), "emre@example.org", NEW) == 302
    again = Client().get(reverse("web:set-password", args=[uid, token]))
    assert again.status_code == 404
    assert "no longer works" in again.content.decode()


def test_a_link_is_dead_after_deactivation(house: House) -> None:
    uid, token = tokens.link_parts(house.emre)
    actions.deactivate(house.emre)
    assert Client().get(reverse("web:set-password", args=[uid, token])).status_code == 404


@pytest.mark.parametrize("uid", ["MQ", "!!", "x" * 300])
def test_the_word_of_the_session_alone_opens_nothing(house: House, uid: str) -> None:
    assert Client().get(f"/password/{uid}/here/").status_code == 404


def test_change_of_password_ends_the_other_sessions(house: House) -> None:
    here, there = Client(), Client()
    for client in (here, there):
        sign_in(client, "emre@example.org", PASSWORD)
    url = reverse("web:change-password")
    wrong = here.post(url, {"old": "wrong", "password": NEW})
    assert "data-invalid" in wrong.content.decode()
    assert here.post(url, {"old": PASSWORD, "password": NEW}).status_code == 302
    assert is_in(here)
    assert not is_in(there)


def test_behind_an_https_proxy(house: House) -> None:
    """The proxy speaks HTTP to us and says by a header that its side is HTTPS; DEPESCHE_BASE_URL is https."""
    proxy = {"X-Forwarded-Proto": "https", "Host": "tracker.example.org"}
    client = Client(enforce_csrf_checks=True, headers=proxy)
    token = client.get(SIGN_IN).context["csrf_token"]
    data = {"email": "emre@example.org", "password": PASSWORD, "csrfmiddlewaretoken": str(token)}
    answer = client.post(SIGN_IN, data, headers={"Origin": "https://tracker.example.org"})
    assert answer.status_code == 302
    assert all(cookie["secure"] for cookie in answer.cookies.values())
    assert all(cookie["httponly"] for name, cookie in answer.cookies.items() if name == "sessionid")
    elsewhere = client.post(SIGN_IN, data, headers={"Origin": "https://evil.example"})
    assert elsewhere.status_code == 403
