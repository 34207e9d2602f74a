"""The pages: who may see them, what they save, what they never show."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from depesche.mailroom.connections import actions, figures, health_actions, queries
from depesche.mailroom.connections.diagnosis import records
from depesche.mailroom.connections.diagnosis.steps import Outcome, Step, StepName
from depesche.smtpclient.testing import HANG, Behaviour, FakeServer, in_thread
from tests.mailroom.connections.support import CANARY, certificate, pem
from tests.support.waiting import wait_until

PAGES = [
    "connections:status",
    "connections:outgoing",
    "connections:failover",
    "connections:incoming",
    "connections:keystore",
]
POSTS = [
    "connections:outgoing",
    "connections:test-outgoing",
    "connections:effect",
    "connections:failover",
    "connections:test-failover",
    "connections:rules-seen",
    "connections:incoming",
    "connections:test-incoming",
    "connections:keystore",
]


def values(**more: str) -> dict[str, str]:
    return {
        "host": "smtp.nordlicht.example",
        "encryption": "tls",
        "port": "465",
        "port_default": "465",
        "auth": "none",
        "username": "",
        "password": "",
        "system_address": "tracker@nordlicht.example",
        "system_name": "Nordlicht Tracker",
        "sender": "system",
        "charset": "utf-8",
        "maxNoOfSMTPConnections": "10",
        **more,
    }


def text_of(response: Any) -> str:
    return str(response.content.decode())


@pytest.mark.parametrize("name", PAGES)
def test_only_administrators_see_the_pages(client: Any, member: Any, administrator: Any, name: str) -> None:
    assert client.get(reverse(name)).status_code == 302
    client.force_login(member)
    assert client.get(reverse(name)).status_code == 403
    client.force_login(administrator)
    assert client.get(reverse(name)).status_code == 200


@pytest.mark.parametrize("name", POSTS)
def test_only_administrators_act(client: Any, member: Any, name: str) -> None:
    assert client.post(reverse(name), values()).status_code == 302
    client.force_login(member)
    assert client.post(reverse(name), values()).status_code == 403
    assert not queries.outgoing().host


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("language", ["en", "de"])
def test_pages_stand_under_the_strict_policy(
    admin_page: Any, administrator: Any, saved: Any, name: str, language: str
) -> None:
    administrator.language = language
    administrator.save()
    page = text_of(admin_page.get(reverse(name)))
    assert f'lang="{language}"' in page
    assert not re.search(r"<[^>]+\sstyle=", page)
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert not re.search(r"\son(?:click|change|submit|load)=", page)
    assert page.count("<h1") == 1
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for described in re.findall(r'aria-describedby="([^"]+)"', page):
        assert set(described.split()) <= set(ids)
    assert CANARY not in page


def test_saving_is_confirmed_and_takes_effect(admin_page: Any) -> None:
    response = admin_page.post(reverse("connections:outgoing"), values(), follow=True)
    assert response.redirect_chain
    assert "Saved." in text_of(response)
    settings = queries.outgoing()
    assert (settings.host, settings.port, settings.port_typed) == ("smtp.nordlicht.example", 465, None)


def test_the_port_that_was_shown_follows_and_the_typed_one_stays(admin_page: Any) -> None:
    url = reverse("connections:outgoing")
    page = text_of(admin_page.get(url))
    assert re.search(r'name="port"[^>]*value="25"', page)
    assert re.search(r'name="port_default"[^>]*value="25"', page)
    admin_page.post(url, values(encryption="ssl", port="25", port_default="25"))
    assert queries.outgoing().port == 465
    admin_page.post(url, values(encryption="tls", port="587", port_default="465"))
    assert queries.outgoing().port_typed == 587
    page = text_of(admin_page.get(url))
    assert re.search(r'name="port"[^>]*value="587"', page)
    assert not re.search(r'name="port_default"[^>]*value="\d', page)
    admin_page.post(url, values(encryption="none", port="587", port_default=""))
    assert queries.outgoing().port == 587


def test_mistakes_stand_at_their_fields_and_the_typed_values_stay(admin_page: Any, saved: Any) -> None:
    response = admin_page.post(
        reverse("connections:outgoing"),
        values(system_address="tracker.example", maxNoOfSMTPConnections="0", system_name="My <b>Server</b>"),
    )
    page = text_of(response)
    assert response.status_code == 422
    assert "<title>Error:" in page
    assert "Not saved: 2 fields need a correction" in page
    assert 'href="#system_address"' in page
    assert 'value="tracker.example"' in page
    assert "My &lt;b&gt;Server&lt;/b&gt;" in page
    assert 'aria-invalid="true"' in page
    assert queries.outgoing() == saved


def test_only_what_differs_from_what_is_stored_counts_as_changed(admin_page: Any) -> None:
    assert admin_page.post(reverse("connections:outgoing"), values(chunking_window="4")).status_code == 302
    typed = values(chunking_window="4", messages_per_connection="1000", system_address="nowhere")
    shown = text_of(admin_page.post(reverse("connections:outgoing"), typed))
    assert "1 field changed, not saved yet" in shown


def test_a_password_goes_in_and_never_comes_out(admin_page: Any, caplog: Any) -> None:
    url = reverse("connections:outgoing")
    login = {"auth": "password", "username": "tracker", "password": CANARY}
    response = admin_page.post(url, values(**login), follow=True)
    pages = [text_of(response)]
    pages.append(text_of(admin_page.post(url, values(**login, port="x"))))
    pages.append(text_of(admin_page.post(url, values(**login, host="other.example", system_name=""))))
    pages.append(text_of(admin_page.post(reverse("connections:effect"), values(**login))))
    pages += [text_of(admin_page.get(reverse(name))) for name in PAGES]
    assert queries.outgoing().has_password
    assert not any(CANARY in page for page in pages)
    assert CANARY not in caplog.text
    assert "What you typed here was not kept" in pages[1]
    assert "unchanged" in pages[0]


def test_an_empty_field_keeps_and_clear_deletes_at_once(admin_page: Any, saved: Any) -> None:
    url = reverse("connections:outgoing")
    login = {"auth": "password", "username": "tracker", "port": "587", "port_default": ""}
    admin_page.post(url, values(**login))
    assert queries.outgoing().has_password
    response = admin_page.post(url, values(**login, system_name="Typed, not saved", clear_password="1"))
    page = text_of(response)
    assert not queries.outgoing().has_password
    assert queries.outgoing().system_name == "Nordlicht Tracker"
    assert "Typed, not saved" in page
    assert "data-invalid" not in page
    assert 'name="clear_password"' not in page


def test_a_new_host_asks_for_the_password_in_form_and_test(admin_page: Any, saved: Any) -> None:
    login = {"auth": "password", "username": "tracker", "host": "evil.example"}
    for name in ("connections:outgoing", "connections:test-outgoing"):
        response = admin_page.post(reverse(name), values(**login, to="jana@nordlicht.example"))
        assert response.status_code == 422
        assert "The stored password was typed for smtp.nordlicht.example" in text_of(response)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "Jana Voss via Nordlicht Tracker &lt;tracker@nordlicht.example&gt;"),
        ({"sender": "user"}, "Jana Voss &lt;jana@nordlicht.example&gt;"),
        ({"sender": "user", "username": "x", "auth": "password"}, "Some servers refuse a From that differs"),
        (
            {"username": "other@nordlicht.example", "auth": "password"},
            "another address than the system address",
        ),
        ({"system_address": "x"}, "Enter a system address"),
        ({"items_by_mail": "on"}, "need a mailbox"),
    ],
)
def test_the_effect_is_worked_out_on_the_server(admin_page: Any, more: dict[str, str], expected: str) -> None:
    page = text_of(admin_page.post(reverse("connections:effect"), values(**more)))
    assert expected in page
    if "system_address" not in more:
        assert "none, since no mailbox is set up" in page


def test_the_effect_promises_an_answer_where_one_can_arrive(admin_page: Any) -> None:
    actions.save_incoming({"protocol": "pipe", "plus_addressing": "on"})
    page = text_of(admin_page.post(reverse("connections:effect"), values()))
    assert "tracker+…@nordlicht.example" in page
    assert "becomes a comment" in page


def test_figures_of_the_outbox_stand_beside_the_cap(
    admin_page: Any, saved: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        figures, "_outbox", lambda now: figures.OutboxFigures(slots_used=3, fell_back_24h=2, workers=1)
    )
    health_actions.set_effective_cap(0, 4)
    page = text_of(admin_page.get(reverse("connections:outgoing")))
    assert "In use now: 3 of 10" in page
    assert "At most 4 for now" in page
    assert "2 mails went out in UTF-8" in page
    page = text_of(admin_page.get(reverse("connections:status")))
    assert "of 4" in page


def test_the_status_answers_first(admin_page: Any, saved: Any) -> None:
    from django.utils import timezone

    url = reverse("connections:status")
    assert "<h1>Mail flows</h1>" in text_of(admin_page.get(url))
    health_actions.pause(
        0, cause="auth-refused", stage="auth", reply="535 <b>no</b>", next_probe_at=None, now=timezone.now()
    )
    page = text_of(admin_page.get(url))
    assert "<h1>Mail is paused</h1>" in page
    assert "User name or password is wrong" in page
    assert "535 &lt;b&gt;no&lt;/b&gt;" in page
    actions.save_outgoing({"host": ""})
    assert "<h1>No server is set up</h1>" in text_of(admin_page.get(url))


# --- Test panel ---------------------------------------------------------------------------------------------


def test_values(server: FakeServer, **more: str) -> dict[str, str]:
    return values(
        host="127.0.0.1", encryption="none", port=str(server.port), to="jana@nordlicht.example", **more
    )


test_values.__test__ = False  # type: ignore[attr-defined]  # values for a test, no test


def test_without_script_the_whole_test_comes_at_once(admin_page: Any) -> None:
    with in_thread(FakeServer()) as server:
        response = admin_page.post(reverse("connections:test-outgoing"), test_values(server))
    page = text_of(response)
    assert response.status_code == 200
    assert "The server accepted the test mail" in page
    assert page.count('class="step-name"') == 11
    assert f'value="{server.port}"' in page
    assert not queries.outgoing().host  # nothing was saved
    assert len(server.messages) == 2  # the second one From the person who tests


def test_a_remedy_can_be_applied_and_the_test_repeated(admin_page: Any) -> None:
    behaviour = Behaviour(authors={"jana@nordlicht.example": "550 5.7.60 not allowed to send as this sender"})
    with in_thread(FakeServer(behaviour)) as server:
        url = reverse("connections:test-outgoing")
        page = text_of(admin_page.post(url, test_values(server, sender="user")))
        assert "The mail went out, but not everything works" in page
        assert 'name="apply" value="sender=system"' in page
        page = text_of(
            admin_page.post(url, test_values(server, sender="user", apply="sender=system charset=x"))
        )
    assert re.search(r'value="system"[^>]* checked', page)
    assert 'value="127.0.0.1"' in page
    assert "The server accepted the test mail" in page


def test_a_test_that_cannot_begin_says_why(admin_page: Any) -> None:
    url = reverse("connections:test-outgoing")
    response = admin_page.post(url, values(to="nobody"))
    assert response.status_code == 422
    assert "The test did not begin" in text_of(response)
    fragment = text_of(admin_page.post(url, values(to="a@b.example", port="x"), HTTP_HX_REQUEST="true"))
    assert fragment.startswith('<div id="test-run">')
    assert "SMTP port: Enter a whole number" in fragment


def test_with_script_the_steps_come_one_by_one(
    transactional_db: Any, client: Any, administrator: Any
) -> None:
    client.force_login(administrator)
    with in_thread(FakeServer()) as server:
        page = text_of(
            client.post(reverse("connections:test-outgoing"), test_values(server), HTTP_HX_REQUEST="true")
        )
        url = re.search(r'hx-get="([^"]+)"', page)
        assert url is not None

        def done() -> str:
            page = text_of(client.get(url[1]))
            return "" if "hx-get" in page else page

        page = wait_until(done, "the end of the test")
    assert "The server accepted the test mail" in page
    assert page.count('class="step-name"') == 11
    wait_until(_no_threads, "the end of its threads")


def test_a_running_test_can_be_stopped_by_its_owner_alone(
    transactional_db: Any, client: Any, administrator: Any, django_user_model: Any
) -> None:
    client.force_login(administrator)
    other = django_user_model.objects.create(email="o@x.example", name="Other", is_admin=True)
    with in_thread(FakeServer(Behaviour(faults={"ehlo": HANG}))) as server:
        page = text_of(
            client.post(reverse("connections:test-outgoing"), test_values(server), HTTP_HX_REQUEST="true")
        )
        key = re.search(r'/mail/test/([^/"]+)/"', page)
        assert key is not None
        client.force_login(other)
        assert client.get(reverse("connections:test-run", args=[key[1]])).status_code == 404
        assert client.post(reverse("connections:stop-test", args=[key[1]])).status_code == 404
        client.force_login(administrator)
        client.post(reverse("connections:stop-test", args=[key[1]]))
        wait_until(_no_threads, "the end of its threads")
    page = text_of(client.get(reverse("connections:test-run", args=[key[1]])))
    assert "The test was stopped" in page
    assert "hx-get" not in page


def _no_threads() -> bool:
    import threading

    return not any(thread.name.startswith("depesche-test") for thread in threading.enumerate())


def test_a_test_whose_process_died_does_not_run_for_ever(admin_page: Any, administrator: Any) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from depesche.mailroom.connections.models import DiagnosisRun

    now = timezone.now()
    DiagnosisRun.objects.create(
        key="k",
        what="outgoing",
        names=["resolve"],
        started_at=now - timedelta(hours=1),
        started_by=administrator,
    )
    report = records.report("k", by=administrator, now=now)
    assert report is not None
    assert report.done


# --- Mailbox ------------------------------------------------------------------------------------------------

MAILBOX = {
    "protocol": "imap",
    "host": "imap.nordlicht.example",
    "encryption": "ssl",
    "port": "993",
    "port_default": "993",
    "username": "tracker",
    "password": CANARY,
    "plus_addressing": "auto",
}


def test_the_mailbox_is_saved_and_its_password_never_shown(admin_page: Any) -> None:
    url = reverse("connections:incoming")
    response = admin_page.post(url, MAILBOX, follow=True)
    assert "Saved." in text_of(response)
    assert CANARY not in text_of(response)
    settings = queries.incoming()
    assert (settings.protocol, settings.port, settings.port_typed) == ("imap", 993, None)
    admin_page.post(url, {**MAILBOX, "password": "", "protocol": "pop3"})
    assert queries.incoming().port == 995
    response = admin_page.post(url, {**MAILBOX, "password": "", "host": "evil.example"})
    assert response.status_code == 422
    assert "was typed for imap.nordlicht.example" in text_of(response)
    admin_page.post(url, {**MAILBOX, "password": "", "clear_password": "1"})
    assert not queries.incoming().has_password


def test_one_more_mailbox_is_added_listed_and_removed_after_a_question(admin_page: Any) -> None:
    admin_page.post(reverse("connections:incoming"), MAILBOX)
    url = reverse("connections:mailbox", args=[1])
    assert "One more mailbox" in text_of(admin_page.get(url))
    more = {**MAILBOX, "username": "sales@nordlicht.example", "name": "Sales", "when_taken": "delete"}
    page = text_of(admin_page.post(url, more, follow=True))
    assert "Saved." in page
    assert CANARY not in page
    assert queries.incoming(1).when_taken == "delete"
    page = text_of(admin_page.get(reverse("connections:incoming")))
    assert "sales@nordlicht.example" in page
    assert "imap.nordlicht.example" in page
    response = admin_page.post(url, {**more, "username": "tracker"})
    assert response.status_code == 422
    assert "reads this folder already" in text_of(response)
    assert admin_page.get(reverse("connections:mailbox", args=[7])).status_code == 404
    before = queries.revision()
    question = reverse("connections:remove-mailbox", args=[1])
    assert "No longer read the mailbox “Sales”?" in text_of(admin_page.get(question))
    admin_page.post(question)
    assert [one.place for one in queries.mailboxes()] == [0]
    assert queries.revision() > before
    assert admin_page.get(reverse("connections:remove-mailbox", args=[0])).status_code == 404


@pytest.mark.parametrize("auth", ["password", "oauth2"])
def test_mails_are_moved_only_where_that_can_be(admin_page: Any, auth: str) -> None:
    url = reverse("connections:incoming")
    moving = {**MAILBOX, "auth": auth, "when_taken": "move"}
    assert "Enter the folder that mails are moved to." in text_of(admin_page.post(url, moving))
    same = {**moving, "move_to": "Inbox"}
    assert "the folder that the mails come from" in text_of(admin_page.post(url, same))
    pop3 = {**moving, "protocol": "pop3", "move_to": "Done"}
    assert "POP3 knows no folders" in text_of(admin_page.post(url, pop3))
    bad = {**moving, "move_to": 'Do"ne'}
    assert admin_page.post(url, bad).status_code == 422


def test_the_remedy_of_a_step_is_applied_and_the_test_repeated(admin_page: Any) -> None:
    with in_thread(FakeServer()) as server:
        port = server.port
    plain = {**MAILBOX, "host": "127.0.0.1", "port": str(port), "encryption": "none"}
    apply = f"encryption=ssl port={port} username=x password=stolen"
    page = text_of(admin_page.post(reverse("connections:test-incoming"), {**plain, "apply": apply}))
    ssl = page[page.index('name="encryption" value="ssl"') :]
    assert "checked" in ssl[: ssl.index(">")]
    assert "stolen" not in page
    assert queries.incoming().host == ""  # nothing was saved


def test_a_mailbox_that_cannot_be_reached_is_explained(admin_page: Any) -> None:
    with in_thread(FakeServer()) as server:
        port = server.port
    wrong = {**MAILBOX, "host": "127.0.0.1", "port": str(port)}
    page = text_of(admin_page.post(reverse("connections:test-incoming"), wrong))
    assert "Nothing listens there" in page
    assert page.count('class="step-name"') == 7
    assert CANARY not in page
    response = admin_page.post(reverse("connections:test-incoming"), {**MAILBOX, "protocol": "pipe"})
    assert "choose IMAP or POP3" in text_of(response)


# --- Keystore -----------------------------------------------------------------------------------------------


def test_certificates_are_imported_listed_and_removed_after_a_question(admin_page: Any) -> None:
    url = reverse("connections:keystore")
    made = certificate("Nordlicht <Internal> CA", authority=True, days=(-10, 12))
    response = admin_page.post(url, {"file": SimpleUploadedFile("ca.pem", pem(made))}, follow=True)
    page = text_of(response)
    assert "Trusted from now on: Nordlicht &lt;Internal&gt; CA" in page
    assert "days left" in page
    (row,) = queries.keystore()
    again = admin_page.post(url, {"file": SimpleUploadedFile("ca.pem", pem(made))}, follow=True)
    assert "trusted already" in text_of(again)
    removal = reverse("connections:remove-certificate", args=[row.id])
    assert "No longer trust" in text_of(admin_page.get(removal))
    assert queries.keystore()
    admin_page.post(removal)
    assert queries.keystore() == []
    assert admin_page.get(removal).status_code == 404


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({}, "required"),
        ({"file": b"nothing"}, "holds no certificate"),
        ({"file": b"-----BEGIN PRIVATE KEY-----\n"}, "private key"),
        ({"file": b"x", "host": "mail.lan"}, "port too"),
        ({"file": b"x", "port": "25"}, "name too"),
    ],
)
def test_what_cannot_be_imported_is_named(admin_page: Any, data: dict[str, Any], sentence: str) -> None:
    if "file" in data:
        data = {**data, "file": SimpleUploadedFile("x", data["file"])}
    response = admin_page.post(reverse("connections:keystore"), data)
    assert response.status_code == 422
    assert sentence in text_of(response)
    assert queries.keystore() == []


def test_a_certificate_for_one_server(admin_page: Any) -> None:
    made = certificate("mail.lan", names=("mail.lan",), authority=False)
    data = {"file": SimpleUploadedFile("x", pem(made)), "host": "other.lan", "port": "465"}
    admin_page.post(reverse("connections:keystore"), data)
    (row,) = queries.keystore()
    assert (row.kind, row.host, row.port) == ("pin", "other.lan", 465)


@pytest.mark.parametrize(
    ("number", "done", "told_by"),
    [(1, False, "data-say"), (2, False, None), (2, True, "data-focus")],
)
def test_a_failure_is_told_once_when_the_test_has_ended(number: int, done: bool, told_by: str | None) -> None:
    """By the focus that goes there; the live region would tell it a second time."""
    names = (StepName.RESOLVE, StepName.CONNECT)
    steps = (Step(names[0], Outcome.FAILED), Step(names[1], Outcome.SKIPPED))[:number]
    report = records.Report("key", "outgoing", timezone.now(), names, steps, done)
    html = render_to_string("depesche/connections/test_run.html", {"report": report, "what": "outgoing"})
    assert re.findall("data-(?:say|focus)", html) == ([told_by] if told_by else [])
