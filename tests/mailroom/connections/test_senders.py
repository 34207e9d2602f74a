"""Learnt sender rules, identities of workspaces, and what pages and commands show of them (M4, M5, M13)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse
from django.utils import timezone

from depesche.mailroom.connections import actions, alarms, health_actions, queries, senders
from depesche.mailroom.connections.models import SenderRule
from depesche.mailroom.connections.sender_policy import Identity, Refused
from depesche.smtpclient.testing import Behaviour, FakeServer, in_thread

pytestmark = pytest.mark.django_db

NOT_OWNED = Refused(
    "jana@people.example",
    "people.example",
    "sender-not-owned",
    "content",
    "553 5.7.1 <jana@people.example>: Sender address rejected: not owned by user tracker",
)


def told() -> list[str]:
    return [alarm.code for alarm in alarms.current(timezone.now()) if alarm.code == "from-refused"]


def text_of(response: Any) -> str:
    return str(response.content.decode())


def test_a_rule_is_learnt_once_and_all_workers_hear_of_it(saved: Any) -> None:
    before = queries.revision()
    assert senders.learn(queries.outgoing(), NOT_OWNED, now=timezone.now())
    assert queries.revision()[0] > before[0]
    after = queries.revision()
    assert not senders.learn(queries.outgoing(), NOT_OWNED, now=timezone.now())
    assert queries.revision() == after
    assert senders.facts_for(queries.outgoing()).refused == {"people.example"}


def test_a_rule_hangs_on_server_and_login(saved: Any) -> None:
    senders.learn(queries.outgoing(), NOT_OWNED, now=timezone.now())
    actions.save_outgoing({"username": "another"})
    assert not senders.rules(queries.outgoing())
    assert not senders.facts_for(queries.outgoing()).refused
    actions.save_outgoing({"username": "tracker"})
    assert len(senders.rules(queries.outgoing())) == 1


def test_the_number_of_rules_is_bounded(saved: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "MOST_RULES", 3)
    for number in range(9):
        one = Refused(f"a@d{number}.example", f"d{number}.example", "sender-not-owned", "mail", "553 no")
        senders.learn(queries.outgoing(), one, now=timezone.now())
    assert SenderRule.objects.count() == 3


def test_the_administrator_is_told_until_somebody_takes_note(saved: Any, admin_page: Any) -> None:
    senders.learn(queries.outgoing(), NOT_OWNED, now=timezone.now())
    assert told() == ["from-refused"]
    page = text_of(admin_page.get(reverse("connections:outgoing")))
    assert "Addresses of people.example" in page
    assert "not owned by user tracker" in page
    assert admin_page.post(reverse("connections:rules-seen")).status_code == 302
    assert told() == []
    page = text_of(admin_page.get(reverse("connections:outgoing")))
    assert "Addresses of people.example" in page
    assert "Understood" not in page


def test_a_rule_is_revoked_on_the_page(saved: Any, admin_page: Any) -> None:
    senders.learn(queries.outgoing(), NOT_OWNED, now=timezone.now())
    (rule,) = senders.rules()
    url = reverse("connections:revoke-rule", args=[rule.id])
    assert "again" in text_of(admin_page.post(url, follow=True))
    assert senders.rules() == []
    assert admin_page.post(url).status_code == 404


def test_only_administrators_revoke(saved: Any, client: Any, member: Any) -> None:
    senders.learn(queries.outgoing(), NOT_OWNED, now=timezone.now())
    client.force_login(member)
    assert client.post(reverse("connections:revoke-rule", args=[senders.rules()[0].id])).status_code == 403
    assert senders.rules()


def test_words_of_the_server_stay_words(saved: Any, admin_page: Any) -> None:
    one = Refused("j@x.example", "x.example", "sender-not-owned", "mail", "553 <script>alert(1)</script>")
    senders.learn(queries.outgoing(), one, now=timezone.now())
    page = text_of(admin_page.get(reverse("connections:outgoing")))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_the_effect_box_shows_what_recipients_will_see(
    saved: Any, admin_page: Any, administrator: Any
) -> None:
    actions.save_outgoing({"sender": "user"})
    url = reverse("connections:outgoing")
    assert "Jana Voss &lt;jana@nordlicht.example&gt;" in text_of(admin_page.get(url))
    theirs = Refused("jana@nordlicht.example", "nordlicht.example", "sender-not-owned", "content", "550 no")
    senders.learn(queries.outgoing(), theirs, now=timezone.now())
    page = text_of(admin_page.get(url))
    assert "Jana Voss via Nordlicht Tracker &lt;tracker@nordlicht.example&gt;" in page
    assert "was found to refuse From addresses of nordlicht.example" in page
    assert (
        "<dt>Reply to</dt><dd>Jana Voss &lt;jana@nordlicht.example&gt;</dd>" in page
    )  # no mailbox is set up


def test_rules_by_command(saved: Any, capsys: Any) -> None:
    senders.learn(queries.outgoing(), NOT_OWNED, now=timezone.now())
    call_command("connection", "rules", "--json")
    row = json.loads(capsys.readouterr().out)
    assert (row["host"], row["domain"], row["seen"]) == ("smtp.nordlicht.example", "people.example", "off")
    call_command("connection", "rules", "--seen", "--json")
    assert json.loads(capsys.readouterr().out)["seen"] == "on"
    call_command("connection", "rules", "--revoke", str(row["id"]), "--json")
    assert capsys.readouterr().out == ""
    with pytest.raises(CommandError, match="no rule"):
        call_command("connection", "rules", "--revoke", str(row["id"]))


def test_an_identity_is_kept_checked_and_taken_away(saved: Any) -> None:
    before = queries.revision()
    assert senders.save_identity("NW", address=" help@nordlicht.example ", name="Help Desk") == Identity(
        "help@nordlicht.example", "Help Desk"
    )
    assert queries.revision()[0] > before[0]
    assert senders.facts_for(queries.outgoing()).identities == {
        "NW": Identity("help@nordlicht.example", "Help Desk")
    }
    with pytest.raises(ValidationError) as refused:
        senders.save_identity("NW", address="no address", name="x" * 121)
    assert set(refused.value.message_dict) == {"address", "name"}
    assert senders.identity("NW").name == "Help Desk"
    senders.save_identity("NW")
    assert senders.identity("NW") == Identity()
    assert senders.facts_for(queries.outgoing()).identities is None


# --- the failover's settings


def test_the_failover_has_a_form_of_its_own(saved: Any, admin_page: Any) -> None:
    url = reverse("connections:failover")
    values = {
        "host": "backup.example",
        "encryption": "ssl",
        "port": "",
        "auth": "password",
        "username": "second",
        "password": "another-secret-word",
        "system_address": "",
        "system_name": "",
        "sender": "system",
        "maxNoOfSMTPConnections": "2",
    }
    response = admin_page.post(url, values, follow=True)
    assert "Saved." in text_of(response)
    assert "another-secret-word" not in text_of(response)
    first, second = queries.outgoing(), queries.outgoing(1)
    assert (first.host, first.username) == ("smtp.nordlicht.example", "tracker")
    assert (second.host, second.port, second.username, second.max_connections) == (
        "backup.example",
        465,
        "second",
        2,
    )
    assert second.password_host == "backup.example"
    # what is left open is as the connection has it, also when that changes
    assert second.system_address == "tracker@nordlicht.example"
    actions.save_outgoing({"system_name": "Another Name", "charset": "iso-8859-1"})
    assert queries.outgoing(1).system_name == "Another Name"
    assert queries.outgoing(1).charset == "iso-8859-1"
    page = text_of(admin_page.get(reverse("connections:outgoing")))
    assert "backup.example" in page
    assert "stands by" in page
    assert admin_page.post(url, {**values, "host": "third.example", "password": ""}).status_code == 422
    admin_page.post(url, {**values, "clear_password": "1"})
    assert not queries.outgoing(1).has_password
    assert queries.outgoing().has_password


def test_the_failover_by_command(saved: Any, capsys: Any) -> None:
    call_command("connection", "set", "--failover", "host=backup.example", "encryption=ssl", "--json")
    shown = json.loads(capsys.readouterr().out)
    assert (shown["host"], shown["configured"], shown["in_use"]) == ("backup.example", True, False)
    assert "charset" not in shown
    call_command("connection", "show", "--place", "1", "--json")
    assert json.loads(capsys.readouterr().out)["host"] == "backup.example"
    call_command("connection", "show", "--json")
    shown = json.loads(capsys.readouterr().out)
    assert (shown["host"], shown["in_use"]) == ("smtp.nordlicht.example", True)
    with pytest.raises(CommandError, match="charset"):
        call_command("connection", "set", "--failover", "charset=utf-8")
    call_command("connection", "set", "--failover", "host=", "--json")
    assert not json.loads(capsys.readouterr().out)["configured"]


def test_which_connection_is_in_use_is_said_everywhere(saved: Any, admin_page: Any) -> None:
    actions.save_outgoing({"host": "backup.example", "encryption": "ssl"}, place=1)
    assert queries.place_in_use() == 0
    now = timezone.now()
    health_actions.pause(0, cause="timeout", stage="connect", next_probe_at=now, now=now)
    assert queries.place_in_use() == 1
    codes = {alarm.code: alarm.level.value for alarm in alarms.current(now)}
    assert codes["failover-in-use"] == "warning"
    assert "paused" not in codes
    page = text_of(admin_page.get(reverse("connections:status")))
    assert "Mail flows through the failover" in page
    assert "gave no sign within 60 seconds" in page
    assert "backup.example" in page
    assert "Mails go out through the failover, backup.example" in text_of(
        admin_page.get(reverse("connections:outgoing"))
    )
    assert "in use now" in text_of(admin_page.get(reverse("connections:failover")))
    health_actions.pause(1, cause="refused", stage="connect", next_probe_at=now, now=now)
    codes = {alarm.code: alarm.level.value for alarm in alarms.current(now)}
    assert codes["paused"] == "critical"
    assert codes["failover-paused"] == "warning"
    assert queries.place_in_use() == 0


def test_the_failover_is_tested_by_itself(saved: Any, admin_page: Any, capsys: Any) -> None:
    with in_thread(FakeServer(Behaviour())) as server:
        words = ["host=127.0.0.1", f"port={server.port}", "encryption=none"]
        call_command("connection", "set", "--failover", *words, "--json")
        capsys.readouterr()
        call_command("connection", "test", "--failover", "--to", "jana@nordlicht.example", "--json")
        outcomes = {
            step["step"]: step["outcome"] for step in map(json.loads, capsys.readouterr().out.splitlines())
        }
        assert outcomes["content"] == "ok"
        # From the connection's system address, since the failover has none of its own.
        assert {mail.reverse_path for mail in server.messages} == {"tracker@nordlicht.example"}
        taken = len(server.messages)
        values = {
            "host": "127.0.0.1",
            "encryption": "none",
            "port": str(server.port),
            "auth": "none",
            "sender": "system",
            "maxNoOfSMTPConnections": "2",
            "to": "jana@nordlicht.example",
        }
        page = text_of(admin_page.post(reverse("connections:test-failover"), values))
        assert "The server accepted the test mail" in page
        assert len(server.messages) > taken
    refused = admin_page.post(reverse("connections:test-failover"), {**values, "host": ""})
    assert "The test did not begin" in text_of(refused)
