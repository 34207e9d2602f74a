"""`depesche connection set` with OAuth 2.0: registration, client credentials, and forgetting them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from depesche.mailroom.connections import queries
from depesche.mailroom.connections.oauth.queries import oauth

pytestmark = pytest.mark.django_db
BASE = ("host=smtp.office365.com", "port=587", "encryption=tls", "system_address=tracker@example.org")
APP = ("auth=oauth2", "provider=microsoft", "flow=app", "tenant=example.org", "client_id=client-1")


def put(*words: str, secret: str = "", monkeypatch: pytest.MonkeyPatch | None = None) -> None:
    options = list(words)
    if secret and monkeypatch is not None:
        monkeypatch.setattr("sys.stdin", io.StringIO(secret + "\n"))
        options.append("--client-secret-stdin")
    call_command("connection", "set", *options)


def test_client_credentials(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    put(*BASE, *APP, "username=tracker@example.org", secret="canary-secret", monkeypatch=monkeypatch)
    shown = capsys.readouterr().out
    assert "has_client_secret        yes" in shown
    assert "canary" not in shown
    assert oauth().connected
    assert queries.outgoing().auth == "oauth2"
    put("sender=user")  # no secret is asked for again
    assert queries.outgoing().sender == "user"


def test_disconnected_the_other_settings_can_still_be_changed(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    put(*BASE, *APP, "username=tracker@example.org", secret="canary-secret", monkeypatch=monkeypatch)
    put("--disconnect")
    assert "has_client_secret        no" in capsys.readouterr().out
    assert not oauth().connected
    put("sender=user", "client_secret_expires=2027-05-31")
    assert queries.outgoing().sender == "user"
    with pytest.raises(CommandError, match="Type the client secret"):
        put("client_id=client-2")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("auth=oauth2",), "provider: Choose the provider"),
        (("auth=oauth2", "provider=yahoo"), "provider"),
        (("auth=oauth2", "provider=google"), "client_id: Enter the client ID"),
        ((*APP, "username=x@example.org"), "client_secret: Type the client secret"),
        (("client_secret_expires=tomorrow", "provider=google", "client_id=x"), "client_secret_expires"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_saved(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError, match="Nothing was saved") as caught:
        put(*BASE, *words)
    assert said in str(caught.value)
    assert queries.outgoing().host == ""
    assert oauth().provider == ""


def test_a_consent_needs_no_user_name(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("auth=oauth2", "provider=google", "client_id=client-1")
    put(*BASE, *words, secret="canary-secret", monkeypatch=monkeypatch)
    assert oauth().configured
    assert not oauth().connected


def test_one_secret_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("one\n"))
    with pytest.raises(CommandError, match="one secret"):
        call_command("connection", "set", "--client-secret-stdin", "--password-stdin")
