"""Alarms, domain, failover and the history of the settings over REST."""

from __future__ import annotations

import json
import threading

import pytest
from django.utils import timezone

from depesche.mailroom.connections.domain import looking
from depesche.mailroom.connections.domain.lookup import Answer, DomainRecords
from depesche.mailroom.connections.watching.task import WatchMail
from depesche.tracker.accounts.models import Person
from tests.tracker.api.conftest import Api
from tests.tracker.api.test_mail import CANARY, SERVER


def test_the_failover_and_its_password(api: Api, admin: Person) -> None:
    status, shown = api(admin, "get", "/connection/failover")
    assert (status, shown["host"], shown["configured"], shown["flow"]) == (200, "", False, "unconfigured")
    api(admin, "patch", "/connection", {"values": SERVER})
    values = {"host": "second.example.org", "auth": "password", "username": "two"}
    body = {"values": values, "password": CANARY}
    status, shown = api(admin, "patch", "/connection/failover", body)
    assert (status, shown["host"], shown["has_password"], shown["configured"]) == (
        200, "second.example.org", True, True,
    )  # fmt: skip
    assert "items_by_mail" not in shown
    assert api(admin, "get", "/connection")[1]["host"] == "smtp.example.org"
    assert api(admin, "get", "/connection/failover")[1]["flow"] == "flowing"
    body = {"values": {"host": "third.example.org"}}
    status, shown = api(admin, "patch", "/connection/failover", body)
    assert (status, set(shown["fields"])) == (422, {"password"}), "it travels only to its host"
    assert api(admin, "patch", "/connection/failover", {"values": {"charset": "utf-8", "x": 1}})[0] == 422
    answers = [api(admin, "get", path)[1] for path in ("/connection/failover", "/history")]
    assert CANARY not in json.dumps(answers)


def test_the_history_says_who_and_what_and_never_a_secret(api: Api, admin: Person) -> None:
    api(admin, "patch", "/connection", {"values": SERVER})
    api(admin, "patch", "/connection", {"values": {"port": 465, "encryption": "ssl"}})
    api(admin, "patch", "/connection/failover", {"values": {"host": "two.example"}, "password": CANARY})
    newest, second, first = api(admin, "get", "/history")[1]
    assert (newest["place"], newest["by"], newest["restorable"]) == (1, admin.name, True)
    assert {"key": "password", "old": None, "new": None, "secret": "set"} in newest["changes"]
    assert {"key": "port", "old": 587, "new": 465, "secret": ""} in second["changes"]
    assert [row["id"] for row in api(admin, "get", f"/history?before={second['id']}")[1]] == [first["id"]]
    assert [row["id"] for row in api(admin, "get", "/history?limit=1")[1]] == [newest["id"]]
    assert api(admin, "get", "/history?area=keystore")[1] == []
    assert api(admin, "get", "/history?area=nonsense")[0] == 422


def test_alarms_of_now_and_of_before(api: Api, admin: Person) -> None:
    found = {one["code"]: one for one in api(admin, "get", "/alarms")[1]}
    assert found["no-server"]["level"] == "warning"
    assert found["no-server"]["what"]
    assert found["no-server"]["remedy"]
    assert api(admin, "get", "/alarms/past")[1] == []
    WatchMail().run(timezone.now(), threading.Event())
    past = {one["code"]: one for one in api(admin, "get", "/alarms/past")[1]}
    assert past["no-server"]["over"] is None


def test_the_domain_as_it_was_seen_last(api: Api, admin: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    assert api(admin, "get", "/domain")[1] == {"domain": "", "looked_at": None, "advice": None, "people": []}
    api(admin, "patch", "/connection", {"values": SERVER})
    shown = api(admin, "get", "/domain")[1]
    assert (shown["domain"], shown["advice"]) == ("example.org", None)
    seen = DomainRecords("example.org", spf=Answer(("v=spf1 -all",)))
    monkeypatch.setattr(looking.lookup, "records", lambda domain, selectors: seen)
    looking.look(["example.org"], now=timezone.now())
    shown = api(admin, "get", "/domain")[1]
    assert shown["looked_at"]
    assert shown["advice"]["domain"] == "example.org"
    assert "dmarc-missing" in {one["code"] for one in shown["advice"]["findings"]}
    assert all(one["title"] and one["why"] for one in shown["advice"]["findings"])
    assert shown["people"][0]["people"] == 1
