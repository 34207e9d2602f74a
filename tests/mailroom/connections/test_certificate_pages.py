"""The sheet "is this your mail server?", and what trusting from it does (M10)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse

from depesche.mailroom.connections import actions, inspection, queries
from depesche.mailroom.connections.inspection import Trait
from depesche.smtpclient.testing import Behaviour, FakeServer, in_thread
from tests.mailroom.connections.scenes import (
    EARLY,
    ELSEWHERE,
    EXPIRED,
    OTHER_OWN,
    OWN,
    WEAK,
    server_context,
    tls_with,
)
from tests.mailroom.connections.support import CANARY, certificate, pem
from tests.mailroom.connections.test_diagnosis import settings_for, walked
from tests.support.small_server import SmallServer, serving

ROOT = certificate("Nordlicht Root", authority=True)
MIDDLE = certificate("Nordlicht Issuing", authority=True, issued_by=ROOT)
LEAF = certificate("localhost", names=("localhost",), authority=False, issued_by=MIDDLE)


def chained(*above: Any) -> Any:
    """A context that sends LEAF and these along."""
    from tests.mailroom.connections.scenes import context_of

    return context_of(LEAF, *above)


def page_of(response: Any) -> str:
    return html.unescape(response.content.decode())


def hidden(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found if name != "csrfmiddlewaretoken"}


@pytest.fixture
def own(db: Any) -> Iterator[FakeServer]:
    with in_thread(FakeServer(Behaviour(starttls=True), context=server_context(OWN))) as server:
        yield server


def test_a_get_asks_no_server(admin_page: Any, own: FakeServer) -> None:
    url = f"{reverse('connections:certificate')}?host=localhost&port={own.port}&starttls=smtp"
    page = page_of(admin_page.get(url))
    assert f'value="{own.port}"' in page
    assert '<option value="smtp" selected>' in page
    assert own.connections == []


@pytest.mark.parametrize("port", ["9" * 5000, "²"])
def test_a_port_that_is_none_is_refused(admin_page: Any, port: str) -> None:
    data = {"host": "localhost", "port": port, "encryption": "tls", "what": "outgoing"}
    assert admin_page.post(reverse("connections:certificate"), data).status_code == 422


@pytest.mark.parametrize(
    ("protocol", "implicit"),
    [("smtp", False), ("smtp", True), ("imap", False), ("imap", True), ("pop3", False), ("pop3", True)],
)
def test_it_is_fetched_shown_and_trusted_for_each_protocol(
    admin_page: Any, protocol: str, implicit: bool
) -> None:
    context = server_context(OWN)
    smtp = FakeServer(Behaviour(starttls=True), context=context, implicit_tls=implicit)
    other = SmallServer(protocol, context=context, implicit_tls=implicit, offers_tls=True)
    with in_thread(smtp) if protocol == "smtp" else serving(other) as server:
        data = {"host": "localhost", "port": server.port, "starttls": "" if implicit else protocol}
        page = page_of(admin_page.post(reverse("connections:certificate"), data))
        assert "Is this your mail server?" in page
        assert "Nobody vouches for it" in page
        assert "It names the server that you entered: localhost." in page
        admin_page.post(reverse("connections:trust"), {**hidden(page), "cert_as": "pin"})
        (row,) = queries.keystore()
        assert (row.kind, row.host, row.port) == ("pin", "localhost", server.port)
        page = page_of(admin_page.post(reverse("connections:certificate"), data))
        assert "This certificate verifies" in page
        assert 'name="cert_as"' not in page


def test_without_script_the_settings_come_along_and_the_test_is_repeated(
    admin_page: Any, own: FakeServer
) -> None:
    values = {
        "host": "localhost",
        "port": str(own.port),
        "encryption": "tls",
        "auth": "none",
        "system_address": "tracker@nordlicht.example",
        "system_name": "Nordlicht",
        "sender": "system",
        "charset": "utf-8",
        "maxNoOfSMTPConnections": "7",
        "to": "jana@nordlicht.example",
        "password": CANARY,
    }
    page = page_of(admin_page.post(reverse("connections:test-outgoing"), values))
    assert "Look at the certificate" in page
    typed = {**values, "what": "outgoing", "client_secret": CANARY, "secret": CANARY}
    page = page_of(admin_page.post(reverse("connections:certificate"), typed))
    assert CANARY not in page
    assert (
        f'hx-post="{reverse("connections:trust")}"' not in page
    )  # script has no form beside it to go on with
    page = page_of(admin_page.post(reverse("connections:trust"), {**hidden(page), "cert_as": "pin"}))
    assert "The server accepted the test mail" in page
    assert 'value="7"' in page
    assert own.messages[-1].encrypted


def test_the_authority_is_trusted_for_this_server_alone(admin_page: Any) -> None:
    with in_thread(FakeServer(context=chained(MIDDLE, ROOT), implicit_tls=True)) as server:
        data = {"host": "localhost", "port": server.port, "starttls": ""}
        page = page_of(admin_page.post(reverse("connections:certificate"), data))
        assert "The authority that issued it: Nordlicht Root" in page
        admin_page.post(reverse("connections:trust"), {**hidden(page), "cert_as": "ca"})
        (row,) = queries.keystore()
        assert (row.kind, row.subject, row.port) == ("ca", "Nordlicht Root", server.port)
        steps = walked(settings_for(server, host="localhost", encryption="ssl"))
        assert steps["tls"].cause is None
    with in_thread(FakeServer(context=chained(MIDDLE, ROOT), implicit_tls=True)) as another:
        steps = walked(settings_for(another, host="localhost", encryption="ssl"))
        assert steps["tls"].cause is not None
        assert steps["tls"].cause.code == "cert-unknown-ca"


def test_an_authority_takes_the_place_of_an_old_pin(db: Any) -> None:
    """A pin replaces everything else for its host and port: it would refuse what is trusted now."""
    with in_thread(FakeServer(context=chained(MIDDLE), implicit_tls=True)) as server:
        actions.import_certificates(pem(OTHER_OWN), host="localhost", port=server.port)
        seen = inspection.look("localhost", server.port, starttls=None)
        assert seen.replaced
        actions.trust_certificate(seen.authorities[0], host="localhost", port=server.port, kind="ca")
        assert [row.kind for row in queries.keystore()] == ["ca"]
        assert inspection.look("localhost", server.port, starttls=None).problem is None


def test_an_authority_below_the_root_is_enough(admin_page: Any) -> None:
    """Many servers send their issuing authority and not its root."""
    with in_thread(FakeServer(context=chained(MIDDLE), implicit_tls=True)) as server:
        seen = inspection.look("localhost", server.port, starttls=None)
        assert [one.subject for one in seen.authorities] == ["Nordlicht Issuing"]
        actions.trust_certificate(seen.authorities[0], host="localhost", port=server.port, kind="ca")
        assert inspection.look("localhost", server.port, starttls=None).problem is None


def test_what_a_server_sends_along_need_not_have_issued_anything(admin_page: Any) -> None:
    stranger = certificate("Nordlicht Issuing", authority=True)  # the same name, another key
    with in_thread(FakeServer(context=chained(stranger), implicit_tls=True)) as server:
        assert inspection.look("localhost", server.port, starttls=None).authorities == ()


def test_another_fingerprint_than_the_one_that_was_given_trusts_nothing(
    admin_page: Any, own: FakeServer
) -> None:
    data = {"host": "localhost", "port": own.port, "starttls": "smtp"}
    sheet = hidden(page_of(admin_page.post(reverse("connections:certificate"), data)))
    url = reverse("connections:trust")
    page = page_of(admin_page.post(url, {**sheet, "cert_as": "pin", "fingerprint": "AA" * 32}, follow=True))
    assert "Nothing was trusted: the fingerprint" in page
    for broken in ({"cert_pin": "x"}, {"cert_host": "a b"}, {"cert_port": "99999"}, {"cert_port": ""}):
        admin_page.post(url, {**sheet, "cert_as": "pin", **broken})
    admin_page.post(url, {**sheet, "cert_as": "ca"})  # there is none
    assert queries.keystore() == []
    sha256 = inspection.look("localhost", own.port, starttls="smtp").own.sha256
    admin_page.post(url, {**sheet, "cert_as": "pin", "fingerprint": f" {sha256[:32].upper()}:{sha256[32:]}"})
    assert [row.sha256 for row in queries.keystore()] == [sha256]


def test_a_changed_certificate_stands_beside_the_old_one_and_takes_its_place(
    admin_page: Any, own: FakeServer
) -> None:
    actions.import_certificates(pem(OTHER_OWN), host="localhost", port=own.port)
    (old,) = queries.keystore()
    data = {"host": "localhost", "port": own.port, "starttls": "smtp"}
    page = page_of(admin_page.post(reverse("connections:certificate"), data))
    assert "It is not the one that was trusted so far" in page
    assert f"<span>{old.sha256[:4].upper()}</span>" in page
    admin_page.post(reverse("connections:trust"), {**hidden(page), "cert_as": "pin"})
    (new,) = queries.keystore()
    assert new.sha256 != old.sha256


@pytest.mark.parametrize(
    ("made", "wrong"),
    [
        (OWN, {Trait.AUTHORITY}),
        (ELSEWHERE, {Trait.NAME}),
        (EXPIRED, {Trait.DATES}),
        (EARLY, {Trait.DATES}),
        (WEAK, {Trait.STRENGTH, Trait.AUTHORITY}),
        (certificate("elsewhere", names=("a.example",), days=(-9, -1)), {*Trait} - {Trait.STRENGTH}),
    ],
    ids=["own", "elsewhere", "expired", "early", "weak", "all"],
)
def test_each_thing_that_does_not_verify_is_named(admin_page: Any, made: Any, wrong: set[Trait]) -> None:
    with tls_with(made)() as found:
        seen = inspection.look("localhost", found["port"], starttls=None)
        assert {check.trait for check in seen.checks if not check.ok} == wrong
        assert seen.problem is not None
        assert seen.can_be_trusted is wrong.issubset({Trait.AUTHORITY, Trait.NAME})
        data = {"host": "localhost", "port": found["port"], "starttls": ""}
        page = page_of(admin_page.post(reverse("connections:certificate"), data))
        assert ("What do you want to trust?" in page) is seen.can_be_trusted


@pytest.mark.parametrize("name", ["certificate", "trust"])
def test_administrators_alone(client: Any, member: Any, name: str) -> None:
    client.force_login(member)
    assert client.post(reverse(f"connections:{name}")).status_code == 403


def test_a_server_that_shows_none_is_explained(admin_page: Any, own: FakeServer) -> None:
    data = {"host": "localhost", "port": own.port, "starttls": "imap"}
    response = admin_page.post(reverse("connections:certificate"), data)
    assert response.status_code == 422
    assert "The server announced encryption, and then refused it" in page_of(response)


def test_the_command_trusts_the_authority_too(db: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with in_thread(FakeServer(context=chained(MIDDLE, ROOT), implicit_tls=True)) as server:
        call_command("keystore", "fetch", f"localhost:{server.port}")
        said = capsys.readouterr().out
        assert "failed No known authority vouches for it" in said
        assert "ok     It names the server that you entered" in said
        root = described_sha256(ROOT)
        assert f"--trust {root}" in said
        call_command("keystore", "fetch", f"localhost:{server.port}", "--trust", root)
        (row,) = queries.keystore()
        assert (row.kind, row.host, row.subject) == ("ca", "localhost", "Nordlicht Root")
        call_command("keystore", "fetch", f"localhost:{server.port}")
        assert "It verifies" in capsys.readouterr().out


def described_sha256(made: Any) -> str:
    from depesche.mailroom.connections.certificates import describe

    return describe(made[0]).sha256
