"""A login by OAuth 2.0 that is set up and connected, without a browser."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from depesche.mailroom.connections import actions, queries, secrets
from depesche.mailroom.connections.oauth import actions as oauth_actions
from depesche.mailroom.connections.oauth import protocol
from depesche.mailroom.connections.oauth.models import OAuthLogin
from depesche.mailroom.connections.oauth.protocol import Tokens
from depesche.mailroom.connections.oauth.providers import PROVIDERS
from depesche.mailroom.connections.secrets import Secret
from tests.support.authorisation_server import AuthorisationServer

BOTH = pytest.mark.parametrize("server", ["microsoft", "google"], indirect=True)


def set_up(server: AuthorisationServer, *, host: str = "127.0.0.1", port: int = 2525, **values: Any) -> None:
    """A connection with OAuth 2.0 and its registration; nobody has consented yet."""
    chosen = {
        "host": host,
        "port": str(port),
        "encryption": "none",
        "auth": "oauth2",
        "username": "tracker@example.org",
        "allow_clear_password": "on",
        "system_address": "tracker@example.org",
        "system_name": "Your Server",
    } | values
    form = actions.outgoing_form(chosen)
    login = oauth_actions.oauth_form(
        {"provider": server.provider, "client_id": server.state.client_id},
        secret=server.state.client_secret,
        needed=True,
        username=str(chosen["username"]),
    )
    oauth_actions.save_both(form, login)


def connected(
    server: AuthorisationServer, *, lives: int = -1, purposes: tuple[str, ...] = ("smtp",), **values: Any
) -> None:
    """The same, and somebody has consented: the access token lives for so many seconds more."""
    set_up(server, **values)
    provider = PROVIDERS[server.provider]
    refresh = server.grant(protocol.scopes(provider, purposes))
    now = timezone.now()
    answer = Tokens(
        Secret("at-first"), 3600, Secret(refresh), protocol.scopes(provider, purposes), "tracker@example.org"
    )
    oauth_actions.connect(0, answer, by=None, now=now)
    OAuthLogin.objects.update(
        access_expires_at=now + timedelta(seconds=lives), obtained_at=now - timedelta(minutes=10)
    )


def stored_refresh_token() -> str:
    row = OAuthLogin.objects.get()
    assert row.refresh_token_encrypted is not None
    return secrets.decrypt(row.refresh_token_encrypted).reveal()


def age_failure() -> None:
    """The time of the next try has come."""
    OAuthLogin.objects.update(next_try_at=timezone.now() - timedelta(seconds=1))


def revision() -> tuple[int, int]:
    return queries.revision()
