"""Tokens, client secret, code and PKCE verifier are looked for everywhere they must not be (M12)."""

from __future__ import annotations

import base64
import logging
import traceback
from typing import Any

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from depesche.mailroom.connections import alarms, queries
from depesche.mailroom.connections.models import OutgoingConnection
from depesche.mailroom.connections.oauth import tokens
from depesche.mailroom.connections.oauth.models import OAuthLogin
from depesche.mailroom.connections.oauth.queries import oauth
from depesche.smtpclient.config import TokenUnavailable
from depesche.smtpclient.testing import Behaviour, FakeServer, in_thread
from tests.mailroom.connections.oauth.support import age_failure
from tests.mailroom.connections.oauth.test_pages import PAGE, consent, leave, values
from tests.support.authorisation_server import AuthorisationServer, Failing

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "canary-client-secret-7hJq"


def everything_in_the_database() -> str:
    """Every row of ours and of the sessions, binary columns included."""
    found = []
    with connection.cursor() as cursor:
        for model in (*apps.get_app_config("depesche_connections").get_models(), *apps.get_models()):
            cursor.execute(f"SELECT * FROM {model._meta.db_table}")
            for row in cursor.fetchall():
                for value in row:
                    octets = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                    found.append(octets.decode("latin-1"))
    found += [str(session.get_decoded()) for session in Session.objects.all()]
    return "\n".join(found)


def test_no_secret_of_a_login_is_seen(admin_page: Client, caplog: Any, settings: Any) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger().setLevel(logging.DEBUG)
    seen: dict[str, str] = {}
    with AuthorisationServer("microsoft") as provider:
        provider.state.client_secret = SECRET
        settings.DEPESCHE_OAUTH_ADDRESSES = {"microsoft": provider.base}
        url = leave(admin_page, provider)
        seen["database while a person consents"] = everything_in_the_database()
        assert "depesche_oauth" in seen["database while a person consents"]
        back = consent(provider, url)
        response = admin_page.get(back)
        seen["the way back"] = f"{response.headers} {response.content.decode()}"
        state = provider.state

        # A mail server and a provider that say everything back.
        echo = f"535 5.7.3 no: {state.tokens[-1]} {base64.b64encode(state.tokens[-1].encode()).decode()}"
        with in_thread(FakeServer(Behaviour(mechanisms=("XOAUTH2",), faults={"auth": echo}))) as mail:
            more = {"encryption": "none", "allow_clear_password": "on", "port": str(mail.port), "connect": ""}
            form = values(provider, **more, to="jane@example.org", client_secret="")
            seen["saved"] = admin_page.post(PAGE, form).content.decode()
            tested = admin_page.post(PAGE + "test/", form).content.decode()
        assert "refuses the access token" in tested
        seen["tested"] = tested
        OAuthLogin.objects.update(access_expires_at=None)
        said = {"error": "invalid_grant", "error_description": f"no: {state.refresh_tokens[-1]} {SECRET}"}
        with provider.fails(Failing(400, said)), pytest.raises(TokenUnavailable) as caught:
            tokens.source(0, purpose="smtp", host="127.0.0.1", username="x").obtain()
        seen["error"] = "".join(traceback.format_exception(caught.value))
        age_failure()
        OutgoingConnection.objects.update(host="elsewhere.example.org")
        with pytest.raises(TokenUnavailable) as caught:
            tokens.source(0, purpose="smtp", host="elsewhere.example.org", username="x").obtain()
        seen["other host"] = "".join(traceback.format_exception(caught.value))
        for path in (PAGE, "/mail/", "/mail/history/", "/mail/alarms/", "/mail/mailbox/"):
            seen[path] = admin_page.get(path).content.decode()
        now = oauth().problem_since
        assert now is not None
        seen["values"] = repr((queries.outgoing(), oauth(), alarms.current(now), OAuthLogin.objects.get()))
        seen["log"] = caplog.text
        seen["database"] = everything_in_the_database()
        words = {SECRET, *state.tokens, *state.refresh_tokens, *state.code_list, *state.verifiers}
    assert len(words) == 5
    shapes = {shape for word in words for shape in (word, base64.b64encode(word.encode()).decode())}
    hits = [(where, shape) for where, text in seen.items() for shape in shapes if shape in text]
    assert hits == []
