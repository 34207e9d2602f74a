"""Logging in to a real Dovecot by an access token, over IMAP and POP3, by XOAUTH2 and OAUTHBEARER."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from depesche.mailroom.mailboxes import Cursor, MailboxConfig, MailboxError, MailboxStage, open_mailbox
from depesche.smtpclient.config import Encryption, OAuthToken, TokenSource, TokenUnavailable, Trust
from depesche.smtpclient.errors import Cause
from tests.support.certificates import Authority
from tests.support.dovecot import Dovecot

pytestmark = pytest.mark.needs("dovecot")

TOKEN = "at-" + "x" * 1800  # as long as Microsoft's
_PASSDB = """
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
"""
_OAUTH2 = """
introspection_url = http://127.0.0.1:{port}/introspect
introspection_mode = post
force_introspection = yes
username_attribute = username
active_attribute = active
active_value = true
"""


class _Introspection(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        known = f"token={TOKEN}" in asked
        answer = {"active": True, "username": "tracker"} if known else {"active": False}
        octets = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def _running(authority: Authority, mechanisms: str) -> Iterator[Dovecot]:
    server = HTTPServer(("127.0.0.1", 0), _Introspection)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    dovecot = Dovecot(authority, mechanisms=mechanisms)
    try:
        with (dovecot.folder / "dovecot.conf").open("a", encoding="utf-8") as file:
            file.write(_PASSDB.format(folder=dovecot.folder))
        settings = dovecot.folder / "oauth2.conf"
        settings.write_text(_OAUTH2.format(port=server.server_address[1]), encoding="utf-8")
        dovecot.start()
        yield dovecot
    finally:
        dovecot.remove()
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module", params=["xoauth2", "oauthbearer"])
def dovecot(request: Any, authority: Authority) -> Iterator[Dovecot]:
    with _running(authority, f"plain {request.param}") as running:
        yield running


class Source:
    """Hands out one token, and hears when it was refused."""

    def __init__(self, token: str) -> None:
        self.refused: list[str] = []
        self.token = TokenSource(
            "tracker@example.org",
            "test",
            lambda: OAuthToken("tracker@example.org", token),
            lambda one: self.refused.append(one.token),
        )


def config(dovecot: Dovecot, authority: Authority, protocol: str, source: TokenSource) -> MailboxConfig:
    return MailboxConfig(
        protocol=protocol,
        host="localhost",
        port=dovecot.port_imaps if protocol == "imap" else dovecot.port_pop3s,
        encryption=Encryption.SSL,
        username="",
        password="",
        trust=Trust(ca_pems=(authority.pem.read_bytes(),)),
        token=source,
    )


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_token_opens_the_mailbox(dovecot: Dovecot, authority: Authority, protocol: str) -> None:
    source = Source(TOKEN)
    reached = config(dovecot, authority, protocol, source.token)
    with open_mailbox(reached) as mailbox:
        assert list(mailbox.new_mails(Cursor())) == []
    assert source.refused == []
    assert TOKEN not in repr(reached)
    assert "tracker@example.org" in reached.name


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_token_that_is_refused(dovecot: Dovecot, authority: Authority, protocol: str) -> None:
    source = Source("at-revoked-canary")
    with pytest.raises(MailboxError) as caught:
        open_mailbox(config(dovecot, authority, protocol, source.token))
    error = caught.value
    assert (error.stage, error.cause) == (MailboxStage.LOGIN, Cause.TOKEN_REFUSED)
    assert "invalid_token" in error.detail or "401" in error.detail
    assert "canary" not in f"{error} {error!r} {error.__cause__!r} {error.__context__!r}"
    assert source.refused == ["at-revoked-canary"]


@pytest.mark.parametrize("transient", [True, False])
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_no_token_no_login(dovecot: Dovecot, authority: Authority, protocol: str, transient: bool) -> None:
    def obtain() -> OAuthToken:
        raise TokenUnavailable("oauth-consent-revoked", "It was withdrawn.", transient=transient)

    with pytest.raises(MailboxError) as caught:
        open_mailbox(config(dovecot, authority, protocol, TokenSource("x", "test", obtain)))
    expected = Cause.TOKEN_UNAVAILABLE_NOW if transient else Cause.TOKEN_UNAVAILABLE
    assert caught.value.cause is expected
    assert isinstance(caught.value.__cause__, TokenUnavailable)


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_server_that_takes_no_tokens(authority: Authority, mail_host: Any, protocol: str) -> None:
    with pytest.raises(MailboxError) as caught:
        open_mailbox(config(mail_host.dovecot, authority, protocol, Source(TOKEN).token))
    assert caught.value.cause is Cause.AUTH_NO_COMMON_MECHANISM


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_token_never_travels_in_clear(authority: Authority, mail_host: Any, protocol: str) -> None:
    from dataclasses import replace

    made = config(mail_host.dovecot, authority, protocol, Source(TOKEN).token)
    port = mail_host.dovecot.port_imap if protocol == "imap" else mail_host.dovecot.port_pop3
    with pytest.raises(MailboxError) as caught:
        open_mailbox(replace(made, port=port, encryption=Encryption.NONE))
    assert caught.value.cause is Cause.CLEAR_PASSWORD_FORBIDDEN
