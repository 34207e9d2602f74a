"""Every certificate × every encryption × every protocol (M9, M10): accepted exactly where it must be, and not
a word of a mail or a password said where it is not."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from depesche.mailroom.connections import access, actions
from depesche.mailroom.connections.queries import IncomingSettings, OutgoingSettings
from depesche.mailroom.mailboxes import MailboxError, open_mailbox
from depesche.smtpclient import Envelope, Session, SubmissionError, Timeouts, tls
from tests.mailroom.connections.scenes import (
    EARLY,
    ELSEWHERE,
    EXPIRED,
    GOOD,
    OTHER_OWN,
    OWN,
    ROOT,
    old_tls,
    server_context,
)
from tests.mailroom.connections.support import CANARY, Made, certificate, pem
from tests.support.small_server import SmallServer, serving

OTHER_ROOT = certificate("Other root", authority=True)
PUBLIC_ROOT = certificate("Public root", authority=True)
PUBLIC = certificate("localhost", names=("localhost",), issued_by=PUBLIC_ROOT)
ACCEPTED = ""
SECONDS = 20.0
MAIL = b"Subject: hello\r\n\r\nA secret of the house\r\n"


@dataclass(frozen=True)
class Row:
    """What the server shows, what is trusted (`authority`, and `pin` for its host and port), what follows."""

    name: str
    shown: Made | Callable[[], ssl.SSLContext]
    authority: Made | None = None
    pin: Made | None = None
    outcome: str = ACCEPTED


ROWS = (
    Row("public authority", PUBLIC),
    Row("imported authority", GOOD, authority=ROOT),
    Row("pinned self-signed", OWN, pin=OWN),
    Row("pinned, named otherwise", ELSEWHERE, pin=ELSEWHERE),
    Row("self-signed", OWN, outcome="cert-self-signed"),
    Row("another one pinned", OWN, pin=OTHER_OWN, outcome="cert-changed"),
    Row("expired", EXPIRED, authority=ROOT, outcome="cert-expired"),
    Row("expired, pinned", EXPIRED, authority=ROOT, pin=EXPIRED, outcome="cert-expired"),
    Row("not yet valid", EARLY, authority=ROOT, outcome="cert-not-yet-valid"),
    Row("not yet valid, pinned", EARLY, authority=ROOT, pin=EARLY, outcome="cert-not-yet-valid"),
    Row("other host", ELSEWHERE, authority=ROOT, outcome="cert-other-host"),
    Row("other authority", GOOD, authority=OTHER_ROOT, outcome="cert-unknown-ca"),
    Row("TLS 1.1 only", old_tls, authority=ROOT, outcome="tls-too-old"),
)
ENCRYPTIONS = ("ssl", "tls", "tls-if-available")
PROTOCOLS = ("smtp", "imap", "pop3")


@pytest.fixture
def public_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The authorities of this machine are, for once, this one alone."""
    file = tmp_path / "public.pem"
    file.write_bytes(pem(PUBLIC_ROOT))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    tls.context.cache_clear()
    yield
    tls.context.cache_clear()


def reached(server: SmallServer, encryption: str) -> str:
    """The cause why the server was not used; "" where a mail was submitted, or the mailbox logged in to."""
    if server.protocol == "smtp":
        return _submitted(server, encryption)
    settings = IncomingSettings(
        protocol=server.protocol,
        host="localhost",
        port=server.port,
        encryption=encryption,
        username="tracker",
    )
    try:
        with open_mailbox(access.mailbox_config(settings, password=CANARY, timeout=SECONDS)):
            return ACCEPTED
    except MailboxError as error:
        return str(error.cause.value)


def _submitted(server: SmallServer, encryption: str) -> str:
    settings = OutgoingSettings(
        host="localhost",
        port=server.port,
        encryption=encryption,
        auth="password",
        username="tracker",
        system_address="tracker@example.org",
    )
    config = access.smtp_config(settings, password=CANARY, timeouts=Timeouts.each(SECONDS))

    async def submit() -> None:
        async with Session(config) as session:
            await session.submit(Envelope("tracker@example.org", ("alice@example.org",)), MAIL)

    try:
        asyncio.run(submit())
    except SubmissionError as error:
        return str(error.cause.value)
    return ACCEPTED


def said_in_clear(server: SmallServer) -> str:
    """What a listener on the line would have read."""
    return server.in_clear.upper()


@pytest.mark.django_db
@pytest.mark.usefixtures("public_root")
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("encryption", ENCRYPTIONS)
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_accepted_exactly_where_it_must_be(row: Row, encryption: str, protocol: str) -> None:
    context = row.shown() if callable(row.shown) else server_context(row.shown)
    implicit = encryption == "ssl"
    server = SmallServer(protocol, context=context, implicit_tls=implicit, offers_tls=True)
    with serving(server):
        if row.authority is not None:
            actions.import_certificates(pem(row.authority))
        if row.pin is not None:
            actions.import_certificates(pem(row.pin), host="localhost", port=server.port)
        assert reached(server, encryption) == row.outcome
    told = " ".join(server.commands).upper()
    logged_in = any(word in told for word in ("AUTH PLAIN ", "LOGIN TRACKER", 'LOGIN "TRACKER', "PASS "))
    assert logged_in is (row.outcome == ACCEPTED)
    assert bool(server.content) is (row.outcome == ACCEPTED and protocol == "smtp")
    assert not any(word in said_in_clear(server) for word in ("AUTH ", "LOGIN ", "USER ", "PASS ", "MAIL "))


# --- Somebody sits on the way -------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("encryption", "outcome"),
    [("tls", "starttls-not-offered"), ("tls-if-available", "clear-password-forbidden")],
)
def test_starttls_is_stripped(protocol: str, encryption: str, outcome: str) -> None:
    """In mode TLS nothing at all is said; in "TLS if available" never a password."""
    with serving(SmallServer(protocol)) as server:
        assert reached(server, encryption) == outcome
    assert server.content == b""
    assert not any(word in said_in_clear(server) for word in ("AUTH ", "LOGIN ", "USER ", "PASS ", "MAIL "))


_INJECTED = {
    "smtp": b"250 AUTH PLAIN\r\n235 welcome\r\n",
    "imap": b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na2 OK you are in\r\n",
    "pop3": b"+OK\r\n+OK you are in\r\n",
}


@pytest.mark.django_db
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("encryption", ["tls", "tls-if-available"])
def test_words_in_clear_behind_the_reply_to_starttls(protocol: str, encryption: str) -> None:
    actions.import_certificates(pem(ROOT))
    server = SmallServer(
        protocol, context=server_context(GOOD), offers_tls=True, injected=_INJECTED[protocol]
    )
    with serving(server):
        assert reached(server, encryption) == "injected-before-tls"
    assert server.content == b""
    told = " ".join(server.commands).upper()
    assert not any(word in told for word in ("AUTH ", "LOGIN ", "USER ", "PASS ", "MAIL "))


@pytest.mark.django_db
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_fall_back_to_clear_after_a_failed_handshake(protocol: str) -> None:
    server = SmallServer(protocol, context=server_context(OWN), offers_tls=True)
    with serving(server):
        assert reached(server, "tls-if-available") == "cert-self-signed"
        assert reached(server, "tls-if-available") == "cert-self-signed"  # nor at the next try
    assert server.content == b""
    assert not any(word in said_in_clear(server) for word in ("AUTH ", "LOGIN ", "USER ", "PASS ", "MAIL "))


@pytest.mark.django_db
def test_a_mailbox_that_claims_to_be_logged_in_already_is_not_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`* PREAUTH` in clear makes STARTTLS impossible (RFC 3501 §11.1)."""
    from tests.support import small_server

    def greet(dialogue: Any) -> None:
        dialogue.say("* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] welcome")

    monkeypatch.setattr(small_server._Dialogue, "greet", greet)
    with serving(SmallServer("imap", context=server_context(GOOD), offers_tls=True)) as server:
        assert reached(server, "tls") == "starttls-refused"
    assert not any(word in said_in_clear(server) for word in ("LOGIN ", "SELECT "))
