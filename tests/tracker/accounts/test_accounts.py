"""People: their addresses, passwords, links, and the end of it all."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from depesche.mailformat.addresses import Address
from depesche.tracker.accounts import actions, letter, queries, resets, tokens
from depesche.tracker.accounts.models import Person, ResetRequest, VerifiedAddress
from tests.tracker.support import PASSWORD, make_person

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_an_address_is_stored_in_its_canonical_form_and_once() -> None:
    person = actions.create_person("  Jana@Bücher.example ", "Jana\r\n Voss", password=PASSWORD)
    assert person.name == "Jana Voss"
    assert queries.find_person("jana@bücher.example") == person
    assert queries.person_by_address("JANA@xn--bcher-kva.example") == person
    with pytest.raises(ValidationError, match="already belongs"):
        actions.create_person("JANA@bücher.EXAMPLE", "Other", password=PASSWORD)
    assert Person.objects.count() == 1


@pytest.mark.parametrize("email", ["", "jana", "a@b@c", "jana@example.org\nBcc: x@y.z", "<x@y.z>, a@b.c"])
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(ValidationError) as caught:
        actions.create_person(email, "Jana", password=PASSWORD)
    assert "email" in caught.value.message_dict


def test_passwords_are_judged() -> None:
    with pytest.raises(ValidationError) as caught:
        actions.create_person("jana@example.org", "Jana", password="short")
    assert "password" in caught.value.message_dict
    person = make_person("jana")
    with pytest.raises(ValidationError) as caught:
        actions.change_password(person, old="wrong", new=PASSWORD + "!")
    assert "old" in caught.value.message_dict


@pytest.mark.parametrize(
    ("language", "subject", "word"),
    [("en", "Your account at Depesche", "Set a password"), ("de", "Ihr Konto bei Depesche", "Kennwort")],
)
def test_the_welcome_mail_has_a_link_that_works_once(language: str, subject: str, word: str) -> None:
    person = actions.create_person("jana@example.org", "Jana Voß", language=language)
    (sent,) = mail.outbox
    assert sent.subject == subject
    assert sent.to == ["Jana Voß <jana@example.org>"]
    assert sent.extra_headers["X-Depesche-Category"] == "account"
    parsed = message_from_bytes(sent.message().as_bytes(), policy=default)
    plain = parsed.get_body(("plain",)).get_content()  # type: ignore[union-attr]  # it is there
    html = parsed.get_body(("html",)).get_content()  # type: ignore[union-attr]  # it is there
    assert word in plain
    assert word in html
    assert f'<html lang="{language}">' in html
    link = next(part for part in plain.split() if part.startswith("https://tracker.example.org/"))
    assert link in html
    uid, token = tokens.link_parts(person)
    assert tokens.person_of_link(uid, token) == person
    actions.set_password(person, PASSWORD)
    assert tokens.person_of_link(uid, token) is None
    assert len(mail.outbox) == 2  # "your password was changed"


def test_links_die_with_deactivation_for_good() -> None:
    person = make_person("jana")
    uid, token = tokens.link_parts(person)
    assert tokens.person_of_link(uid, token) == person
    actions.deactivate(person)
    assert tokens.person_of_link(uid, token) is None
    actions.activate(person)
    assert tokens.person_of_link(uid, token) is None


@pytest.mark.parametrize(
    ("uid", "token"), [("", ""), ("!!", "x"), ("MQ", "c-d"), ("OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "x")]
)
def test_wrong_links_are_nobodys(uid: str, token: str) -> None:
    make_person("jana")
    assert tokens.person_of_link(uid, token) is None


def test_deactivation_ends_sessions_and_sign_in(client: Client) -> None:
    person = make_person("jana")
    client.force_login(person)
    session_hash = person.get_session_auth_hash()
    assert authenticate(username="jana@example.org", password=PASSWORD) == person
    assert authenticate(username="JANA@Example.org", password=PASSWORD) == person
    actions.deactivate(person)
    assert authenticate(username="jana@example.org", password=PASSWORD) is None
    actions.activate(person)
    assert get_user_model().objects.get().get_session_auth_hash() != session_hash


def test_the_limits_of_password_mails() -> None:
    jana = make_person("jana")
    task = resets.AnswerResetRequests()
    for _ in range(5):
        resets.request("Jana@example.org", ip="192.0.2.1", now=NOW)
    assert task.run(NOW, threading.Event()) == 3
    assert [sent.to for sent in mail.outbox] == [[f"{jana.name} <jana@example.org>"]] * 3
    for number in range(20):
        resets.request(f"nobody{number}@example.org", ip="192.0.2.1", now=NOW)
    assert ResetRequest.objects.count() == 10
    later = NOW + timedelta(minutes=61)
    resets.request("jana@example.org", ip="192.0.2.1", now=later)
    task.run(later, threading.Event())
    assert len(mail.outbox) == 4
    assert task.run(later, threading.Event()) == 0


def test_unknown_and_deactivated_people_get_nothing_and_nobody_can_tell() -> None:
    jana = make_person("jana")
    actions.deactivate(jana)
    for email in ("jana@example.org", "unknown@example.org", "no address", ""):
        resets.request(email, ip=None, now=NOW)
    assert resets.AnswerResetRequests().run(NOW, threading.Event()) == 2
    assert mail.outbox == []


def test_old_rows_are_forgotten() -> None:
    resets.request("jana@example.org", ip="192.0.2.1", now=NOW)
    resets.request("jana@example.org", ip="192.0.2.1", now=NOW + timedelta(days=2))
    assert ResetRequest.objects.count() == 1


def test_addresses_of_a_person() -> None:
    jana, tomasz = make_person("jana"), make_person("tomasz")
    actions.add_verified_address(jana, "Jana@Home.example")
    actions.add_verified_address(jana, "jana@home.example")
    assert queries.verified_addresses(jana) == ["jana@example.org", "jana@home.example"]
    assert queries.owns_address(jana.pk, "JANA@home.example")
    assert not queries.owns_address(tomasz.pk, "jana@home.example")
    with pytest.raises(ValidationError):
        actions.add_verified_address(tomasz, "jana@home.example")
    with pytest.raises(ValidationError):
        actions.remove_verified_address(jana, "jana@example.org")
    actions.remove_verified_address(jana, "jana@home.example")
    actions.change_email(jana, "jana.voss@example.org")
    assert queries.verified_addresses(jana) == ["jana.voss@example.org"]
    assert [sent.to for sent in mail.outbox] == [["Jana <jana@example.org>"]]
    with pytest.raises(ValidationError):
        actions.change_email(jana, "tomasz@example.org")
    jana.refresh_from_db()
    assert jana.email == "jana.voss@example.org"
    assert VerifiedAddress.objects.count() == 2


def test_the_text_part_is_wrapped_and_keeps_links_whole() -> None:
    url = "https://tracker.example.org/" + "x" * 90
    lines = letter.wrap(f"> {'word ' * 40}\n\n- {'item ' * 30}\n\n{url}")
    assert all(len(line) <= 72 or line == url for line in lines)
    assert sum(line.startswith(">") for line in lines) > 2
    assert url in lines


# --- guests ----------------------------------------------------------------------------------------------


def test_a_guest_is_known_by_mail_alone() -> None:
    now = timezone.now()
    guest = actions.guest(Address("Max Muster", "max@elsewhere.example"), language="de", now=now)
    assert (guest.is_guest, guest.name, guest.language) == (True, "Max Muster", "de")
    assert not guest.has_usable_password()
    assert actions.guest(Address("M.", "MAX@elsewhere.example"), language="en", now=now) == guest
    assert queries.person_by_address("max@elsewhere.example") == guest
    assert queries.find_person("max@elsewhere.example") is None
    assert list(queries.people()) == []
    assert list(queries.people(guests=True)) == [guest]
    assert tokens.person_of_link(*tokens.link_parts(guest)) is None


def test_a_guest_can_become_a_person_and_keeps_what_they_wrote() -> None:
    guest = actions.guest(Address("Max", "max@elsewhere.example"), language="de", now=timezone.now())
    person = actions.create_person("Max@elsewhere.example", "Max Muster", password=PASSWORD)
    assert (person.pk, person.is_guest, person.name) == (guest.pk, False, "Max Muster")
    assert queries.find_person("max@elsewhere.example") == person
    with pytest.raises(ValidationError):
        actions.create_person("max@elsewhere.example", "Another", password=PASSWORD)


def test_an_address_of_a_person_makes_no_guest() -> None:
    jana = make_person("jana")
    assert actions.guest(Address("Not Jana", jana.email), language="en", now=timezone.now()) == jana
    jana.refresh_from_db()
    assert (jana.name, jana.is_guest) == ("Jana", False)
