"""Looking domains up, on the page, by command and by the worker, at a name server of our own."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from depesche.mailroom.connections import name_service
from depesche.mailroom.connections.domain import looking, lookup
from depesche.mailroom.connections.domain.advice import Verdict
from depesche.mailroom.connections.domain.models import DomainLook
from depesche.mailroom.connections.signing import actions as signing
from depesche.mailroom.connections.signing.models import DkimKey, KeyState
from depesche.mailroom.connections.watching.sources import signing as signing_alarms
from tests.support.name_server import NameServer, name_server

ZONE = {
    ("nordlicht.example", "TXT"): ['"v=spf1 mx " "~all"', '"google-site-verification=x"'],
    ("nordlicht.example", "MX"): ["20 mx2.nordlicht.example.", "10 mx1.nordlicht.example."],
    ("_dmarc.nordlicht.example", "TXT"): ['"v=DMARC1; p=reject"'],
    ("_dmarc.big.example", "TXT"): ['"v=DMARC1; p=reject; sp=none"'],
}
NEVER = threading.Event()


@pytest.fixture
def dns(settings: Any) -> Iterator[NameServer]:
    with name_server(ZONE) as server:
        settings.DEPESCHE_NAME_SERVERS = [server.address]
        yield server


def publish(server: NameServer, key: DkimKey) -> None:
    name = f"{key.selector}._domainkey.{key.domain}"
    server.zone[name, "TXT"] = [f'"{key.record[:200]}" "{key.record[200:]}"']


def states() -> dict[str, str]:
    return dict(DkimKey.objects.values_list("algorithm", "state"))


def test_everything_about_a_domain(dns: NameServer) -> None:
    found = lookup.records("nordlicht.example", ["s1"])
    assert found.spf.values == ("v=spf1 mx ~all",)
    assert found.dmarc.values == ("v=DMARC1; p=reject",)
    assert found.dmarc_at == "nordlicht.example"
    assert found.exchangers.values == ("mx1.nordlicht.example", "mx2.nordlicht.example")
    assert found.dkim["s1"] == name_service.Answer(trouble=name_service.NO_SUCH_NAME)


def test_a_policy_above_the_domain_holds_below(dns: NameServer) -> None:
    found = lookup.records("deep.in.big.example")
    assert (found.dmarc_at, found.dmarc.values) == ("big.example", ("v=DMARC1; p=reject; sp=none",))
    assert ("_dmarc.example", "TXT") not in dns.asked, "a top-level domain is nobody's"


@pytest.mark.parametrize("kind", ["silent", "failing"])
def test_without_a_name_service_it_says_so_soon(dns: NameServer, kind: str) -> None:
    setattr(dns, kind, True)
    began = time.monotonic()
    found = lookup.records("nordlicht.example", ["s1"], seconds=1.0)
    assert time.monotonic() - began < 20
    assert not found.asked
    assert not found.dkim["s1"].asked


def test_a_name_that_cannot_be_one(dns: NameServer) -> None:
    found = name_service.text("x" * 70 + ".example")
    assert not found.asked


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("t@Example.ORG", "example.org"),
        ("t@bücher.example", "xn--bcher-kva.example"),
        ("t@localhost", ""),
        ("t@[192.0.2.1]", ""),
        ("nonsense", ""),
    ],
)
def test_which_domain_is_asked_about(db: Any, address: str, domain: str) -> None:
    assert looking.system_domain(address) == domain


def test_the_page_asks_once_and_shows_what_receivers_make_of_it(
    admin_page: Any, saved: Any, member: Any, dns: NameServer
) -> None:
    url = reverse("connections:domain")
    member.email = "karl@big.example"
    member.save()
    before = admin_page.get(url).content.decode()
    assert "Not asked yet" in before
    assert not dns.asked, "a page that is only looked at asks nobody"
    answer = admin_page.post(reverse("connections:domain-look"), headers={"HX-Request": "true"})
    part = answer.content.decode()
    assert "<html" not in part
    assert "mx1.nordlicht.example" in part
    assert "refused by receivers" in part  # From karl@big.example
    found = looking.view()
    assert found.advice is not None
    assert found.advice.opinion.verdict is Verdict.TRUSTED
    assert {one.domain: one.verdict for one, _count in found.people} == {
        "nordlicht.example": Verdict.TRUSTED,
        "big.example": Verdict.REFUSED,
    }
    asked = len(dns.asked)
    assert "mx1.nordlicht.example" in admin_page.get(url).content.decode()
    assert len(dns.asked) == asked
    assert admin_page.post(reverse("connections:domain-look")).status_code == 302


def test_members_see_nothing_of_it(client: Any, member: Any) -> None:
    client.force_login(member)
    assert client.get(reverse("connections:domain")).status_code == 403
    for name in ("domain-look", "make-keys"):
        assert client.post(reverse(f"connections:{name}")).status_code == 403


def test_keys_from_making_to_signing_to_the_next_pair(admin_page: Any, saved: Any, dns: NameServer) -> None:
    url = reverse("connections:domain")
    admin_page.post(reverse("connections:make-keys"), {"domain": "nordlicht.example"})
    first = list(DkimKey.objects.order_by("pk"))
    admin_page.post(reverse("connections:domain-look"))
    page = admin_page.get(url).content.decode()
    for key in first:
        assert f"{key.selector}._domainkey.nordlicht.example" in page
        assert key.record in page
    assert "PRIVATE KEY" not in page
    assert states() == {"rsa": KeyState.WAITING, "ed25519": KeyState.WAITING}
    publish(dns, first[0])
    admin_page.post(reverse("connections:domain-look"))
    assert states() == {"rsa": KeyState.ACTIVE, "ed25519": KeyState.WAITING}
    admin_page.post(reverse("connections:change-key", args=[first[1].pk]), {"activate": "1"})
    assert states() == {"rsa": KeyState.ACTIVE, "ed25519": KeyState.ACTIVE}
    admin_page.post(reverse("connections:make-keys"), {"domain": "nordlicht.example"})
    for key in DkimKey.objects.filter(state=KeyState.WAITING):
        publish(dns, key)
    admin_page.post(reverse("connections:domain-look"))
    assert [key.state for key in DkimKey.objects.order_by("pk")] == [KeyState.RETIRED] * 2 + [
        KeyState.ACTIVE
    ] * 2
    assert "Keep its record until" in admin_page.get(url).content.decode()
    admin_page.post(reverse("connections:change-key", args=[first[0].pk]), {"remove": "1"})
    assert not DkimKey.objects.filter(pk=first[0].pk).exists()
    assert (
        admin_page.post(reverse("connections:change-key", args=[10**6]), {"retire": "1"}).status_code == 404
    )
    refused = admin_page.post(reverse("connections:make-keys"), {"domain": "a b"}, follow=True)
    assert "Enter a domain" in refused.content.decode()


def test_the_worker_sees_the_record_and_says_when_it_is_gone(saved: Any, dns: NameServer) -> None:
    now = timezone.now()
    task = looking.LookAtDomains()
    assert task.run(now, NEVER) == 0
    assert not dns.asked, "nobody wanted to know"
    key = signing.make_keys("nordlicht.example", now=now)[1]
    assert task.run(now, NEVER) == 1
    assert task.run(now, NEVER) == 0
    publish(dns, key)
    assert task.run(now + timedelta(minutes=4), NEVER) == 0
    assert task.run(now + timedelta(minutes=6), NEVER) == 1
    assert states()["ed25519"] == KeyState.ACTIVE
    assert [one.code for one in signing_alarms(now)] == []
    del dns.zone[f"{key.selector}._domainkey.{key.domain}", "TXT"]
    DomainLook.objects.update(next_at=now)
    task.run(now + timedelta(days=1), NEVER)
    assert [one.code for one in signing_alarms(now)] == ["dkim-record-gone"]
    dns.failing = True  # nobody could be asked: nothing new is known
    publish(dns, key)
    DomainLook.objects.update(next_at=now)
    task.run(now + timedelta(days=2), NEVER)
    assert states()["ed25519"] == KeyState.ACTIVE
    assert [one.code for one in signing_alarms(now)] == ["dkim-record-gone"]


def test_one_of_several_workers_asks(saved: Any, dns: NameServer) -> None:
    now = timezone.now()
    signing.make_keys("nordlicht.example", now=now)
    tasks = [looking.LookAtDomains() for _ in range(4)]
    assert sum(task.run(now, NEVER) for task in tasks) == 1


def command(*words: str) -> str:
    out = io.StringIO()
    call_command("domain", *words, stdout=out)
    return out.getvalue()


def test_the_command_checks(saved: Any, dns: NameServer) -> None:
    told = json.loads(command("check", "--json"))
    assert told["domain"] == "nordlicht.example"
    assert told["opinion"]["verdict"] == "trusted"
    assert {one["code"] for one in told["findings"]} >= {"spf-fine", "dmarc-reject", "mx-fine", "dkim-off"}
    assert "SPF" in command("check")
    with pytest.raises(CommandError, match="does not know this domain"):
        command("check", "x@nothing.example")
    dns.failing = True
    with pytest.raises(CommandError, match="name server"):
        command("check")
    with pytest.raises(CommandError, match="no domain"):
        command("check", "x@localhost")


def test_the_command_makes_and_changes_keys(saved: Any, dns: NameServer) -> None:
    made = [json.loads(line) for line in command("make-keys", "--json").splitlines()]
    assert [one["algorithm"] for one in made] == ["rsa", "ed25519"]
    assert made[0]["record"].startswith("v=DKIM1; k=rsa; p=")
    command("activate", str(made[0]["id"]))
    assert json.loads(command("keys", "--json").splitlines()[1])["state"] == "active"
    command("retire", str(made[0]["id"]))
    command("remove", str(made[0]["id"]))
    assert len(command("keys", "--json").splitlines()) == 1
    with pytest.raises(CommandError):
        command("activate", str(made[0]["id"]))
    with pytest.raises(CommandError):
        command("make-keys", "a b")
