"""Settings found and filled in, on the page and by command."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from depesche.mailroom.connections import queries
from depesche.mailroom.connections.actions import import_certificates
from depesche.mailroom.connections.discovery import candidates, search
from depesche.smtpclient.testing.server import Behaviour, FakeServer, in_thread
from tests.support.certificates import Authority
from tests.support.name_server import name_server
from tests.support.waiting import wait_until

PAGE = "/mail/connection/"


@pytest.fixture
def found_server(
    authority: Authority, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeServer]:
    """example.org names a server in DNS, and it is there."""
    monkeypatch.setattr(search._Search, "_documents", lambda self: [])
    monkeypatch.setattr(candidates, "guesses", lambda address, exchangers: [])
    files = authority.issue("localhost", file="discovery-page")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.chain, files.key)
    behaviour = Behaviour(mechanisms=("PLAIN",))
    with in_thread(FakeServer(behaviour, context=context, implicit_tls=True)) as server:
        records = {
            ("_submissions._tcp.example.org", "SRV"): [f"0 1 {server.port} localhost."],
            ("example.org", "MX"): ["10 in.example.org."],
        }
        with name_server(records) as names:
            settings.DEPESCHE_NAME_SERVERS = [names.address]
            yield server


@pytest.mark.django_db
def test_without_script_the_first_that_works_is_filled_in(
    admin_page: Any, found_server: FakeServer, authority: Authority
) -> None:
    import_certificates(authority.pem.read_bytes())
    typed = {"find": "tracker@example.org", "system_name": "Kept", "host": "old.example.org"}
    page = admin_page.post("/mail/connection/find/", typed).content.decode()
    assert 'value="localhost"' in page
    assert f'value="{found_server.port}"' in page
    assert 'value="tracker@example.org"' in page
    assert 'value="Kept"' in page
    assert "SRV record _submissions._tcp.example.org" in page
    assert "not saved yet" in page
    assert queries.outgoing().host == ""


@pytest.mark.django_db(transaction=True)
def test_with_script_it_comes_as_it_is_found(
    admin_page: Any, found_server: FakeServer, authority: Authority
) -> None:
    import_certificates(authority.pem.read_bytes())
    headers = {"HX-Request": "true"}
    started = admin_page.post("/mail/connection/find/", {"find": "tracker@example.org"}, headers=headers)
    path = re.search(r'hx-get="([^"]+)"', started.content.decode())
    assert path
    seen = wait_until(
        lambda: (text := admin_page.get(path[1]).content.decode()) and "hx-get" not in text and text,
        "the end of the discovery",
    )
    assert "localhost" in seen
    words = re.search(r'name="fill" value="([^"]+)"', seen)
    assert words
    page = admin_page.post("/mail/connection/fill/", {"fill": unescape(words[1]), "system_name": "Kept"})
    assert f'value="{found_server.port}"' in page.content.decode()
    assert 'value="Kept"' in page.content.decode()


@pytest.mark.django_db
def test_nobody_else_sees_or_begins_a_discovery(client: Any, member: Any) -> None:
    client.force_login(member)
    for path in ("/mail/connection/find/", "/mail/connection/fill/", "/mail/connection/find/x/stop/"):
        assert client.post(path, {"find": "a@example.org"}).status_code == 403


@pytest.mark.django_db
def test_a_preset_fills_the_form_and_says_what_to_know(admin_page: Any) -> None:
    typed = {"preset": "google", "system_address": "tracker@example.org", "charset": "iso-8859-1"}
    page = admin_page.post("/mail/connection/fill/", typed).content.decode()
    assert 'value="smtp.gmail.com"' in page
    assert re.search(r'<option value="oauth2" selected>', page)
    assert re.search(r'<option value="google" selected>', page)
    assert re.search(r'<option value="iso-8859-1" selected>', page)
    assert "choose OAuth 2.0, and connect" in page
    assert queries.outgoing().host == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    "more",
    [
        {"preset": "no-such"},
        {"fill": "system_address=evil@example.net charset=x password=y"},
        {"fill": "host=<script>alert(1)</script>"},
        {"find": "no address"},
    ],
)
def test_what_does_not_belong_is_not_filled_in(admin_page: Any, more: dict[str, str]) -> None:
    path = "/mail/connection/find/" if "find" in more else "/mail/connection/fill/"
    response = admin_page.post(path, more)
    assert response.status_code == 200
    page = response.content.decode()
    assert "evil@example.net" not in page
    assert "<script>alert" not in page


@pytest.mark.django_db
def test_the_mailbox_page_is_filled_in(admin_page: Any) -> None:
    words = "protocol=pop3 host=pop.example.org port=995 encryption=ssl username=tracker password=x"
    page = admin_page.get("/mail/mailbox/", {"fill": words}).content.decode()
    assert 'value="pop.example.org"' in page
    assert 'value="995"' in page
    assert re.search(r'value="pop3"[^>]*checked', page)
    assert queries.incoming().host == ""


@pytest.mark.django_db
def test_the_command(found_server: FakeServer, authority: Authority, capsys: Any) -> None:
    import_certificates(authority.pem.read_bytes())
    call_command("connection", "discover", "tracker@example.org", "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["smtp"]["port"] == found_server.port
    assert found["smtp"]["source"] == "srv"
    call_command("connection", "discover", "tracker@example.org")
    said = capsys.readouterr().out
    assert f"depesche connection set host=localhost port={found_server.port} encryption=ssl" in said
    with pytest.raises(CommandError, match="No server was found"):
        call_command("connection", "discover", "tracker@example.net")
    with pytest.raises(CommandError):
        call_command("connection", "discover", "nobody")
