"""OAuth 2.0 at run time: what stops the tokens rests the connection with its reason, and no mail fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.utils import timezone

from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections.models import OutgoingConnection
from depesche.mailroom.connections.oauth import actions as oauth_actions
from depesche.mailroom.connections.oauth import protocol
from depesche.mailroom.connections.oauth.protocol import Tokens
from depesche.mailroom.connections.oauth.providers import MICROSOFT
from depesche.mailroom.connections.queries import Flow
from depesche.mailroom.connections.secrets import Secret
from depesche.mailroom.outbox import queries
from depesche.mailroom.outbox.worker import Drained
from depesche.smtpclient.testing.server import Behaviour, FakeServer, in_thread
from tests.mailroom.connections.oauth.support import connected
from tests.mailroom.outbox.working import put, work
from tests.support.authorisation_server import AuthorisationServer, Failing, microsoft

pytestmark = [pytest.mark.usefixtures("alone"), pytest.mark.django_db(transaction=True), pytest.mark.contract]


@pytest.fixture
def provider(settings: Any) -> Iterator[AuthorisationServer]:
    with AuthorisationServer("microsoft") as running:
        settings.DEPESCHE_OAUTH_ADDRESSES = {"microsoft": running.base}
        yield running


class Newest(dict[str, str]):
    """Whoever comes with the newest token gets in."""

    def __init__(self, provider: AuthorisationServer) -> None:
        super().__init__()
        self.provider = provider

    def get(self, user: str, default: Any = None) -> Any:
        return self.provider.state.tokens[-1] if self.provider.state.tokens else None


@contextmanager
def mail_server(provider: AuthorisationServer, **more: Any) -> Iterator[FakeServer]:
    behaviour = Behaviour(mechanisms=("XOAUTH2", "PLAIN"), users=Newest(provider), **more)
    with in_thread(FakeServer(behaviour)) as server:
        OutgoingConnection.objects.update(port=server.port)
        yield server


def logins(server: FakeServer) -> int:
    return sum(command.startswith("AUTH ") for one in server.connections for command in one.commands)


@pytest.mark.parametrize(
    ("failing", "cause"),
    [
        (microsoft(50173, "The grant has been revoked"), "oauth-consent-revoked"),
        (microsoft(7000222, "The keys are expired", "invalid_client", 401), "oauth-secret-expired"),
        (microsoft(90033, "Transient", "temporarily_unavailable", 503), "oauth-provider-trouble"),
    ],
)
def test_without_a_token_the_connection_rests_until_somebody_connects(
    provider: AuthorisationServer, failing: Failing, cause: str
) -> None:
    connected(provider)
    put(20)
    with mail_server(provider) as server:
        with provider.fails(failing):
            ended = work()
        assert ended.accepted == 0
        assert ended.reason
        health = connections.health()
        assert (health.flow, health.cause, health.stage) == (Flow.PAUSED, cause, "auth")
        assert queries.stats().states == {"queued": 20}
        assert (logins(server), provider.state.refreshes) == (0, 1)
        scope = protocol.scopes(MICROSOFT, ["smtp"])
        provider.state.tokens.append("at-new")
        answer = Tokens(Secret("at-new"), 3600, Secret(provider.grant(scope)), scope, "tracker@example.org")
        oauth_actions.connect(0, answer, by=None, now=timezone.now())
        assert work() == Drained(20)
    assert {one.user for one in server.messages} == {"tracker@example.org"}
    assert all(row.attempts == 1 for row in queries.recipients())


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        ("535 5.7.3 Authentication unsuccessful", "token-refused"),
        ("535 5.7.139 SmtpClientAuthentication is disabled for the Tenant.", "smtp-auth-disabled"),
    ],
)
def test_a_token_that_the_mail_server_refuses_is_tried_once(
    provider: AuthorisationServer, reply: str, cause: str
) -> None:
    connected(provider)
    put(20)
    with mail_server(provider, faults={"auth": reply}) as server:
        ended = work()
        assert ended.accepted == 0
        assert connections.health().cause == cause
        assert queries.stats().states == {"queued": 20}
        assert logins(server) == 1
    assert provider.state.tokens[-1] not in f"{connections.health()} {ended}"
