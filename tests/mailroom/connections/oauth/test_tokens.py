"""The token of this moment: renewed in time, once for everybody, and a failure that everybody sees."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from depesche.mailroom.connections import identity
from depesche.mailroom.connections.oauth import tokens
from depesche.mailroom.connections.oauth.models import OAuthLogin
from depesche.mailroom.connections.oauth.problems import Problem
from depesche.mailroom.connections.oauth.renewal import RenewTokens
from depesche.mailroom.connections.secrets import Secret
from depesche.smtpclient.config import OAuthToken, TokenUnavailable
from tests.mailroom.connections.oauth.support import (
    BOTH,
    age_failure,
    connected,
    set_up,
    stored_refresh_token,
)
from tests.support.authorisation_server import AuthorisationServer, Failing, google, microsoft
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]


def obtain(host: str = "127.0.0.1", purpose: str = "smtp") -> OAuthToken:
    return tokens.source(0, purpose=purpose, host=host, username="tracker@example.org").obtain()


def test_a_token_that_lives_is_used_as_it_is(server: AuthorisationServer) -> None:
    connected(server, lives=3600)
    assert obtain() == OAuthToken("tracker@example.org", "at-first")
    assert server.state.refreshes == 0


@BOTH
def test_a_token_that_ends_soon_is_renewed_first(server: AuthorisationServer) -> None:
    connected(server, lives=120)
    assert obtain().token == server.state.tokens[0]
    assert obtain().token == server.state.tokens[0]
    assert server.state.refreshes == 1


def test_each_new_refresh_token_is_stored(server: AuthorisationServer) -> None:
    connected(server)
    for number in range(3):
        OAuthLogin.objects.update(access_expires_at=timezone.now())
        assert obtain().token == server.state.tokens[number]
        assert stored_refresh_token() == server.state.refresh_tokens[-1]
    assert len({form["refresh_token"] for form in server.state.asked}) == 3


def test_twenty_at_once_ask_once(server: AuthorisationServer) -> None:
    connected(server)
    server.state.delay = 0.3
    together = threading.Barrier(20)

    def work(_number: int) -> str:
        together.wait(10)
        return obtain().token

    with ThreadPoolExecutor(20) as pool:
        found = set(pool.map(work, range(20)))
    assert found == {server.state.tokens[0]}
    assert server.state.refreshes == 1


def test_who_still_has_a_living_token_does_not_wait_for_the_renewal(server: AuthorisationServer) -> None:
    connected(server, lives=200)
    row = OAuthLogin.objects.get()
    OAuthLogin.objects.update(lease_owner="elsewhere.1.2.3", lease_until=timezone.now() + tokens.LEASE)
    assert obtain().token == "at-first"
    assert OAuthLogin.objects.get().generation == row.generation


def test_the_lease_of_a_killed_process_is_free_at_once(server: AuthorisationServer) -> None:
    connected(server)
    dead = f"{identity.machine()}.999999999.1.abc"
    OAuthLogin.objects.update(lease_owner=dead, lease_until=timezone.now() + timedelta(hours=1))
    assert obtain().token == server.state.tokens[0]


def test_a_consent_withdrawn_during_the_renewal_wins(server: AuthorisationServer) -> None:
    from depesche.mailroom.connections.oauth import actions

    connected(server)
    server.state.delay = 0.5
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(obtain)
        wait_until(lambda: OAuthLogin.objects.exclude(lease_owner="").exists(), "a renewal")
        actions.disconnect()
        with pytest.raises(TokenUnavailable) as caught:
            waiting.result(20)
    assert caught.value.code == Problem.NOT_CONNECTED
    row = OAuthLogin.objects.get()
    assert row.access_token_encrypted is None
    assert row.refresh_token_encrypted is None


REFUSALS = {
    "revoked": (microsoft(50173, "The grant has been revoked"), Problem.CONSENT_REVOKED),
    "trouble": (microsoft(90033, "Transient", "temporarily_unavailable", 503), Problem.PROVIDER_TROUBLE),
    "google-revoked": (
        google("invalid_grant", "Token has been expired or revoked."),
        Problem.CONSENT_REVOKED,
    ),
}


@pytest.mark.parametrize(("failing", "problem"), REFUSALS.values(), ids=REFUSALS)
def test_a_failure_is_asked_once_and_told_to_all(
    server: AuthorisationServer, failing: Any, problem: Problem
) -> None:
    connected(server)
    with server.fails(failing):
        for _number in range(3):
            with pytest.raises(TokenUnavailable) as caught:
                obtain()
            assert caught.value.code == problem
        assert server.state.refreshes == 1
        age_failure()
        with pytest.raises(TokenUnavailable):
            obtain()
        assert server.state.refreshes == 2
    row = OAuthLogin.objects.get()
    assert row.problem == problem.value
    assert row.failures == 2
    assert row.problem_since is not None
    assert "Trace ID" not in row.problem_words
    age_failure()
    assert obtain().token == server.state.tokens[0]
    assert OAuthLogin.objects.get().problem == ""


def test_a_server_that_is_away_is_tried_again_soon(settings: Any) -> None:
    with AuthorisationServer("microsoft") as gone:
        settings.DEPESCHE_OAUTH_ADDRESSES = {"microsoft": gone.base}
        connected(gone)
    with pytest.raises(TokenUnavailable) as caught:
        obtain()
    assert caught.value.code == Problem.UNREACHABLE
    assert caught.value.transient
    wait = OAuthLogin.objects.get().next_try_at - timezone.now()  # type: ignore[operator]  # it is set
    assert timedelta(seconds=5) < wait < timedelta(seconds=15)


def test_a_failed_renewal_does_not_take_a_token_that_still_lives(server: AuthorisationServer) -> None:
    connected(server, lives=200)
    with server.fails(microsoft(90033, "transient", "temporarily_unavailable", 503)):
        assert obtain().token == "at-first"
        assert obtain().token == "at-first"
    assert server.state.refreshes == 1


def test_a_refused_token_is_renewed_before_it_is_used_again(server: AuthorisationServer) -> None:
    connected(server, lives=3600)
    source = tokens.source(0, purpose="smtp", host="127.0.0.1", username="tracker@example.org")
    source.refused(source.obtain())
    assert source.obtain().token == server.state.tokens[0]
    source.refused(source.obtain())  # a new one would be no better
    assert source.obtain().token == server.state.tokens[0]
    tokens.note_refused(0, Secret("at-something-else"))
    assert server.state.refreshes == 1


@BOTH
def test_tokens_go_to_their_servers_only(server: AuthorisationServer) -> None:
    connected(server, lives=3600)
    own = {"microsoft": "smtp.office365.com", "google": "smtp.gmail.com"}[server.provider]
    assert obtain(own).token == "at-first"
    for host in (
        "mail.example.net",
        "office365.com.evil.example",
        "smtp.gmail.com.evil.example",
        "127.0.0.2x",
    ):
        with pytest.raises(TokenUnavailable) as caught:
            obtain(host)
        assert caught.value.code == Problem.OTHER_HOST


def test_what_was_not_granted_is_said_without_asking(server: AuthorisationServer) -> None:
    connected(server, lives=3600)
    with pytest.raises(TokenUnavailable) as caught:
        obtain(purpose="imap")
    assert caught.value.code == Problem.SCOPE_MISSING
    assert "IMAP.AccessAsUser.All" in caught.value.detail


def test_before_anything_is_set_up(server: AuthorisationServer) -> None:
    with pytest.raises(TokenUnavailable) as caught:
        obtain()
    assert caught.value.code == Problem.NOT_SET_UP
    set_up(server)
    with pytest.raises(TokenUnavailable) as caught:
        obtain()
    assert caught.value.code == Problem.NOT_CONNECTED


def test_client_credentials_need_no_person(server: AuthorisationServer) -> None:
    set_up(server)
    from depesche.mailroom.connections.oauth import actions

    form = actions.oauth_form(
        {"flow": "app", "tenant": "example.org"},
        secret="the-client-secret",
        needed=True,
        username="tracker@example.org",
    )
    actions.save(form)
    assert obtain().token == server.state.tokens[0]
    assert server.state.asked[0]["grant_type"] == "client_credentials"
    with pytest.raises(TokenUnavailable) as caught:
        obtain("mail.example.net")
    assert caught.value.code == Problem.OTHER_HOST


def test_the_worker_renews_ahead_of_time(server: AuthorisationServer) -> None:
    connected(server, lives=500)
    task = RenewTokens()
    task.run(timezone.now(), threading.Event())
    assert server.state.refreshes == 1
    task.run(timezone.now(), threading.Event())
    assert server.state.refreshes == 1


def test_an_answer_that_makes_no_sense(server: AuthorisationServer) -> None:
    connected(server)
    for failing in (
        Failing(200, b"<html>Sign in to the network</html>"),
        Failing(200, {"access_token": "two words"}),
        Failing(200, {"access_token": "x", "token_type": "mac"}),
        Failing(200, b"[" * 200_000),
        Failing(404, b""),
        Failing(200, b"x" * 300_000),
    ):
        with server.fails(failing), pytest.raises(TokenUnavailable) as caught:
            obtain()
        assert caught.value.code in (Problem.UNUSABLE_ANSWER, Problem.UNREACHABLE), failing.status
        age_failure()


def test_a_redirect_is_never_followed(server: AuthorisationServer) -> None:
    connected(server)
    with AuthorisationServer("microsoft") as other:
        server.state.redirects_to = other.base + "/common/oauth2/v2.0/token"
        with pytest.raises(TokenUnavailable):
            obtain()
        assert other.state.asked == []
