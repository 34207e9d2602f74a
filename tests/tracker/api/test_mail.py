"""Outbox, connection and incoming mail over REST: for administrators, and never with a secret."""

from __future__ import annotations

import json
from email.message import EmailMessage

import pytest
from django.test import Client

from depesche.mailroom.connections import queries as connections
from depesche.mailroom.inbox.models import ReceivedMessage
from depesche.mailroom.outbox.models import OutboxRecipient
from depesche.tracker.accounts.actions import add_verified_address
from depesche.tracker.accounts.models import Person
from depesche.tracker.items.models import Item, Workspace
from tests.mailroom.outbox.helpers import enqueue
from tests.mailroom.outbox.servers import running
from tests.tracker.api.conftest import Api

CANARY = "Kanarienvogel-7391"
SERVER = {
    "host": "smtp.example.org",
    "encryption": "tls",
    "port": 587,
    "system_address": "tracker@example.org",
}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("get", "/outbox", None),
        ("get", "/outbox/stats", None),
        ("get", "/outbox/1", None),
        ("post", "/outbox/1/retry", None),
        ("get", "/connection", None),
        ("patch", "/connection", {"values": {"host": "evil.example"}}),
        ("post", "/connection/test", {"to": "jana@example.org"}),
        ("get", "/connection/failover", None),
        ("patch", "/connection/failover", {"values": {"host": "evil.example"}}),
        ("get", "/alarms", None),
        ("get", "/alarms/past", None),
        ("get", "/domain", None),
        ("get", "/history", None),
        ("post", "/inbound", "From: x"),
    ],
)
def test_all_of_it_is_for_administrators(
    api: Api, jana: Person, method: str, path: str, body: object
) -> None:
    assert api(jana, method, path, body)[0] == 403
    assert api(None, method, path, body)[0] == 401
    assert connections.outgoing().host == connections.outgoing(1).host == ""
    assert not ReceivedMessage.objects.exists()


def test_the_outbox(api: Api, admin: Person) -> None:
    first, second = enqueue(2)
    OutboxRecipient.objects.filter(pk=first).update(state="failed", reply="550 5.1.1 no")
    assert [row["id"] for row in api(admin, "get", "/outbox")[1]] == [second, first]
    assert [row["id"] for row in api(admin, "get", f"/outbox?before={second}")[1]] == [first]
    assert [row["reply"] for row in api(admin, "get", "/outbox?state=failed")[1]] == ["550 5.1.1 no"]
    assert api(admin, "get", f"/outbox/{first}")[1]["tries"] == []
    assert api(admin, "get", "/outbox/stats")[1]["states"] == {"queued": 1, "failed": 1}
    assert api(admin, "post", f"/outbox/{first}/retry") == (200, {"changed": 1})
    OutboxRecipient.objects.filter(pk=first).update(state="accepted")
    assert api(admin, "post", f"/outbox/{first}/retry")[0] == 409
    for path in ("/outbox/999999", "/outbox/99999999999999999999999"):
        assert api(admin, "get", path)[0] == 404


def test_the_connection_and_its_password(api: Api, admin: Person) -> None:
    body = {"values": {**SERVER, "auth": "password", "username": "tracker"}, "password": CANARY}
    status, shown = api(admin, "patch", "/connection", body)
    assert (status, shown["host"], shown["has_password"]) == (200, "smtp.example.org", True)
    assert CANARY not in json.dumps(shown)
    status, shown = api(admin, "patch", "/connection", {"values": {"host": "other.example.org"}})
    assert (status, set(shown["fields"])) == (422, {"password"}), "it travels only to its host"
    status, shown = api(admin, "patch", "/connection", {"values": {"nothing": 1}})
    assert status == 422
    status, shown = api(admin, "patch", "/connection", {"password": [CANARY]})
    assert (status, CANARY in json.dumps(shown)) == (422, False)
    status, shown = api(admin, "get", "/connection")
    assert (shown["flow"], shown["maxNoOfSMTPConnections"]) == ("flowing", 10)
    assert api(admin, "patch", "/connection", {"clear_password": True})[1]["has_password"] is False


@pytest.mark.django_db(transaction=True)
def test_the_connection_is_tested_with_values_that_are_not_saved(api: Api, admin: Person) -> None:
    with running() as server:
        values = {**SERVER, "host": "127.0.0.1", "port": server.port, "encryption": "none"}
        status, steps = api(admin, "post", "/connection/test", {"to": "jana@example.org", "values": values})
    assert status == 200
    assert {step["step"]: step["outcome"] for step in steps}["content"] == "ok"
    assert connections.outgoing().host == ""
    assert api(admin, "post", "/connection/test", {"to": "jana@example.org"})[0] == 422
    assert api(admin, "post", "/connection/test", {"to": "nobody", "values": values})[0] == 422


def mail(subject: str = "Pump leaks") -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "Jana Voss <jana@example.org>", "tracker@example.org", subject
    made["Message-ID"], made["Date"] = "<1@example.org>", "Fri, 27 Nov 2026 12:00:00 +0000"
    made.set_content("Below the gasket.")
    return made.as_bytes()


def test_a_mail_comes_in_once(api: Api, admin: Person, jana: Person, plant: Workspace) -> None:
    add_verified_address(jana, jana.email)
    api(admin, "patch", "/connection", {"values": {**SERVER, "items_by_mail": True}})
    raw = mail()
    status, first = api(admin, "post", "/inbound", raw, content_type="message/rfc822")
    assert status == 200
    assert api(admin, "post", "/inbound", raw, content_type="message/rfc822")[1]["id"] == first["id"]
    assert ReceivedMessage.objects.get().source == "rest"
    assert first["outcome"] in {"item", "held"}
    assert Item.objects.count() <= 1
    assert api(admin, "post", "/inbound", raw)[0] == 415
    assert api(admin, "post", "/inbound", b"\r\n", content_type="message/rfc822")[0] == 422


def test_tokens_end_with_their_person(api: Api, admin: Person) -> None:
    assert api(admin, "get", "/outbox")[0] == 200
    admin.is_admin = False
    admin.save()
    assert api(admin, "get", "/outbox")[0] == 403
    admin.is_active = False
    admin.save()
    assert api(admin, "get", "/workspaces")[0] == 401


def test_a_session_counts_for_nothing_here(client: Client, admin: Person) -> None:
    client.force_login(admin)
    answer = client.get("/api/v1/outbox")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.django_db
def test_metrics(client: Client) -> None:
    enqueue(3)
    text = client.get("/metrics").content.decode()
    assert 'depesche_outbox_recipients{state="queued"} 3.0' in text
    assert "depesche_connections_configured 10.0" in text
    assert "example.org" not in text
