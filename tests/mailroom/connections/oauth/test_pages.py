"""Consent in the browser, to the provider and back: what is stored, what is refused, what is shown."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.utils import timezone

from depesche.mailroom.connections import http, queries
from depesche.mailroom.connections.oauth.models import OAuthLogin
from depesche.mailroom.connections.oauth.queries import oauth
from tests.mailroom.connections.oauth.support import BOTH
from tests.mailroom.connections.provoking import provokes
from tests.support.authorisation_server import AuthorisationServer, Failing, google, microsoft

pytestmark = pytest.mark.django_db
PAGE = "/mail/connection/"


def values(server: AuthorisationServer, **more: str) -> dict[str, str]:
    return {
        "host": "127.0.0.1",
        "encryption": "tls",
        "port": "587",
        "auth": "oauth2",
        "username": "",
        "system_address": "tracker@example.org",
        "system_name": "Your Server",
        "sender": "system",
        "charset": "utf-8",
        "maxNoOfSMTPConnections": "10",
        "provider": server.provider,
        "flow": "code",
        "tenant": "",
        "client_id": server.state.client_id,
        "client_secret": server.state.client_secret,
        "client_secret_expires": "",
        "connect": "1",
    } | more


def leave(page: Any, server: AuthorisationServer, **more: str) -> str:
    """Save and connect: the address that leads to the provider."""
    response = page.post(PAGE, values(server, **more))
    assert response.status_code == 200, response.content.decode()
    found = re.search(r'class="btn btn-primary" href="([^"]+)"', response.content.decode())
    assert found
    assert response.headers["Referrer-Policy"] == "no-referrer"
    return unescape(found[1])


def consent(server: AuthorisationServer, url: str) -> str:
    """Sign in at the provider; path and query to which the browser comes back."""
    query = {key: one[0] for key, one in parse_qs(urlsplit(url).query).items()}
    back = urlsplit(server.consent(query))
    assert f"{back.scheme}://{back.netloc}" == "https://tracker.example.org"
    return f"{back.path}?{back.query}"


@BOTH
def test_to_the_provider_and_back(admin_page: Any, server: AuthorisationServer) -> None:
    url = leave(admin_page, server)
    query = parse_qs(urlsplit(url).query)
    assert url.startswith(server.base)
    assert query["redirect_uri"] == ["https://tracker.example.org/mail/connection/oauth/return/"]
    assert ("offline_access" in query["scope"][0]) == (server.provider == "microsoft")
    response = admin_page.get(consent(server, url))
    assert response.status_code == 302
    assert response.headers["Location"] == PAGE + "#oauth"
    assert "code" not in response.headers["Location"]
    login = oauth()
    assert login.connected
    assert login.account == "tracker@example.org"
    assert login.hosts == ("127.0.0.1",)
    page = admin_page.get(PAGE).content.decode()
    assert "Connected with" in page
    assert "tracker@example.org consented" in page
    assert queries.outgoing().auth == "oauth2"


@provokes("oauth-state-lost")
@pytest.mark.parametrize("tampering", ["state", "nothing-begun", "late", "other-browser", "changed", "twice"])
def test_an_answer_that_does_not_belong_here_is_not_taken(
    admin_page: Any, server: AuthorisationServer, tampering: str, django_user_model: Any, client_class: Any
) -> None:
    back = consent(server, leave(admin_page, server))
    asked = 0
    if tampering == "state":
        back = re.sub(r"state=[^&]+", "state=AAAA", back)
    elif tampering == "nothing-begun":
        admin_page.session.flush()
        admin_page.force_login(django_user_model.objects.get())
    elif tampering == "other-browser":
        admin_page = client_class()
        admin_page.force_login(django_user_model.objects.get())
    elif tampering == "changed":
        OAuthLogin.objects.update(client_id="another")
    elif tampering == "twice":
        admin_page.get(back)
        OAuthLogin.objects.update(refresh_token_encrypted=None)
        asked = 1
    when = timezone.now() + timedelta(minutes=16 if tampering == "late" else 0)
    with time_machine.travel(when, tick=False):
        admin_page.get(back)
        page = admin_page.get(PAGE).content.decode()
    assert "This sign-in was not begun here" in page
    assert not oauth().connected
    assert len(server.state.asked) == asked


@pytest.fixture
def client_class() -> Any:
    from django.test import Client

    return Client


def test_the_way_back_is_for_administrators(client: Any, member: Any, server: AuthorisationServer) -> None:
    back = "/mail/connection/oauth/return/?code=code-1&state=x"
    anonymous = client.get(back)
    assert anonymous.status_code == 302
    assert "code-1" not in anonymous.headers["Location"]
    client.force_login(member)
    assert client.get(back).status_code == 403


@pytest.mark.parametrize(
    ("error", "words", "shown"),
    [
        (
            "access_denied",
            "AADSTS65004: User declined to consent to access the app.",
            "The consent was not given",
        ),
        ("access_denied", "", "The consent was not given"),
        ("consent_required", "AADSTS65001: nobody has consented", "The provider misses the consent"),
        (
            "access_denied",
            "AADSTS90094: An administrator must grant it",
            "An administrator of the organisation",
        ),
        ("admin_policy_enforced", "", "An administrator of the organisation"),
        ("unauthorized_client", "AADSTS700016: not found in the directory", "does not know this app"),
        ("invalid_request", "AADSTS50194: not configured as multi-tenant", "The directory (tenant)"),
        ("server_error", "", "The provider has trouble"),
        ("<script>alert(1)</script>", "<b>x</b>", "The provider refuses"),
    ],
)
def test_what_the_provider_says_in_place_of_a_code(
    admin_page: Any, settings: Any, error: str, words: str, shown: str
) -> None:
    with AuthorisationServer("microsoft") as server:
        settings.DEPESCHE_OAUTH_ADDRESSES = {"microsoft": server.base}
        server.state.consent_error = (error, words)
        admin_page.get(consent(server, leave(admin_page, server)))
        page = admin_page.get(PAGE).content.decode()
    assert shown in page
    assert "<script>alert" not in page
    assert "<b>x</b>" not in page
    assert shown not in admin_page.get(PAGE).content.decode()  # it is said once


@pytest.mark.parametrize(
    ("provider", "failing", "shown"),
    [
        (
            "microsoft",
            microsoft(7000215, "Invalid client secret provided", "invalid_client", 401),
            "secret is wrong",
        ),
        ("microsoft", microsoft(7000222, "keys are expired", "invalid_client", 401), "secret has expired"),
        ("microsoft", microsoft(70008, "The code has expired"), "The sign-in took too long"),
        ("microsoft", microsoft(50011, "The redirect URI does not match", "invalid_client"), "the way back"),
        ("google", google("invalid_grant", "Bad Request"), "The sign-in took too long"),
        ("google", google("redirect_uri_mismatch", "Bad Request"), "the way back"),
        (
            "google",
            google("invalid_client", "The OAuth client was not found.", 401),
            "does not know this app",
        ),
    ],
)
def test_a_code_that_is_not_redeemed(
    admin_page: Any, settings: Any, provider: str, failing: Any, shown: str
) -> None:
    with AuthorisationServer(provider) as server:
        settings.DEPESCHE_OAUTH_ADDRESSES = {provider: server.base}
        back = consent(server, leave(admin_page, server))
        with server.fails(failing):
            admin_page.get(back)
        page = admin_page.get(PAGE).content.decode()
    assert shown in page
    assert not oauth().connected


@provokes("oauth-no-refresh-token")
def test_a_token_for_an_hour_only_is_not_taken(admin_page: Any, server: AuthorisationServer) -> None:
    back = consent(server, leave(admin_page, server))
    with server.fails(Failing(200, {"access_token": "at-1", "token_type": "Bearer", "expires_in": 3599})):
        admin_page.get(back)
    assert "a token for an hour only" in admin_page.get(PAGE).content.decode()
    assert OAuthLogin.objects.get().access_token_encrypted is None


def test_a_failed_sign_in_leaves_the_old_consent(admin_page: Any, server: AuthorisationServer) -> None:
    admin_page.get(consent(server, leave(admin_page, server)))
    back = consent(server, leave(admin_page, server, client_secret=""))
    with server.fails(google("invalid_grant")):
        admin_page.get(back)
    assert oauth().connected


@BOTH
def test_another_app_forgets_the_consent(admin_page: Any, server: AuthorisationServer) -> None:
    admin_page.get(consent(server, leave(admin_page, server)))
    refused = admin_page.post(PAGE, values(server, client_id="client-2", client_secret=""))
    assert refused.status_code == 422
    assert "belongs to another app" in refused.content.decode()
    assert oauth().connected
    response = admin_page.post(PAGE, values(server, client_id="client-2", client_secret="x", connect=""))
    assert response.status_code in (200, 302)
    assert not oauth().connected
    assert OAuthLogin.objects.get().refresh_token_encrypted is None


def test_disconnect_forgets_everything_secret(admin_page: Any, server: AuthorisationServer) -> None:
    admin_page.get(consent(server, leave(admin_page, server)))
    admin_page.post("/mail/connection/oauth/disconnect/")
    row = OAuthLogin.objects.get()
    assert row.client_id == server.state.client_id
    assert [
        row.refresh_token_encrypted,
        row.access_token_encrypted,
        row.client_secret_encrypted,
    ] == [None, None, None]


def test_what_is_missing_is_said_at_its_field(admin_page: Any, server: AuthorisationServer) -> None:
    for more, words in (
        ({"provider": ""}, "Choose the provider"),
        ({"client_id": ""}, "Enter the client ID"),
        ({"client_id": "a b"}, "This is no client ID"),
        ({"flow": "app", "tenant": "common", "provider": "microsoft"}, "need the directory"),
        ({"flow": "app", "tenant": "example.org", "provider": "microsoft"}, "name the mailbox"),
        ({"flow": "app", "provider": "google"}, "no client credentials"),
        ({"tenant": "../x", "provider": "microsoft"}, "directory (tenant) ID, or a domain"),
    ):
        response = admin_page.post(PAGE, values(server, **more))
        assert response.status_code == 422, more
        assert words in response.content.decode(), more
    assert queries.outgoing().host == ""


def test_the_form_without_oauth_fields_leaves_them_alone(
    admin_page: Any, server: AuthorisationServer
) -> None:
    admin_page.get(consent(server, leave(admin_page, server)))
    plain = {
        key: one
        for key, one in values(server).items()
        if key
        not in (
            "provider",
            "flow",
            "tenant",
            "client_id",
            "client_secret",
            "client_secret_expires",
            "connect",
        )
    }
    assert admin_page.post(PAGE, plain).status_code == 302
    assert oauth().connected


def test_a_secret_goes_over_https_only() -> None:
    assert http.permitted("https://login.example.org/token")
    assert http.permitted("http://localhost:1/token")
    assert not http.permitted("http://login.example.org/token")
    assert not http.permitted("ftp://localhost/token")
