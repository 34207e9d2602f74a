"""Servers that show one cause each: what stands at the other end while the eleven steps are taken."""

from __future__ import annotations

import contextlib
import errno
import functools
import socket
import ssl
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from depesche.mailroom.connections import actions
from depesche.smtpclient import network
from depesche.smtpclient.testing import CUT, HANG, NOISE, Behaviour, FakeServer, in_thread
from tests.mailroom.connections.support import CANARY, Made, certificate, key_pem, pem
from tests.support.small_server import SmallServer, serving

SYSTEM, PERSON = "tracker@nordlicht.example", "jana@nordlicht.example"
EVERYWHERE = "0.0.0.0"

Scene = Callable[[], AbstractContextManager[dict[str, Any]]]
"""Within it the server stands; gives the settings, and what else the test of the connection is told."""


@dataclass(frozen=True)
class Row:
    """`step` is where the cause shows. `change`: settings that set it right, by their keys; "{port}" is the
    server's own. `seconds` a step."""

    code: str
    step: str
    scene: Scene
    change: Mapping[str, str] | None = None
    seconds: float = 20.0


# --- SMTP ---------------------------------------------------------------------------------------------------


def smtp(behaviour: Behaviour | None = None, *, host: str = "127.0.0.1", **settings: Any) -> Scene:
    """The fake server; `more` in the settings goes to the test itself."""

    @contextmanager
    def scene() -> Iterator[dict[str, Any]]:
        with in_thread(FakeServer(behaviour or Behaviour())) as server:
            yield {"host": host, "port": server.port, **settings}

    return scene


def fault(stage: str, act: Any, **settings: Any) -> Scene:
    return smtp(Behaviour(faults={stage: act}), **settings)


def login(reply: str, *, mechanism: str = "PLAIN", **settings: Any) -> Scene:
    behaviour = Behaviour(mechanisms=(mechanism,), faults={"auth": reply})
    return smtp(behaviour, **(LOGIN | settings))


LOGIN: dict[str, Any] = {
    "auth": "password",
    "username": "tracker",
    "allow_clear_password": True,
    "password": CANARY,
}


# --- Certificates -------------------------------------------------------------------------------------------

ROOT = certificate("Root", authority=True)
GOOD = certificate("localhost", names=("localhost",), issued_by=ROOT)


@functools.cache
def server_context(made: Made) -> ssl.SSLContext:
    """TLS with this certificate."""
    return context_of(made)


def context_of(made: Made, *above: Made) -> ssl.SSLContext:
    """TLS with this certificate; those above it are sent along."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if isinstance(made[1], rsa.RSAPrivateKey):
        context.set_ciphers("DEFAULT@SECLEVEL=0")  # a server that still takes such a key
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"".join(pem(one) for one in (made, *above)) + key_pem(made))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def tls_with(
    made: Made | ssl.SSLContext,
    *,
    trusted: Made | None = ROOT,
    pinned: Made | None = None,
    behaviour: Behaviour | None = None,
    implicit: bool = True,
    host: str = "localhost",
    **settings: Any,
) -> Scene:
    """A server with this certificate, and what the keystore trusts."""

    @contextmanager
    def scene() -> Iterator[dict[str, Any]]:
        context = made if isinstance(made, ssl.SSLContext) else server_context(made)
        does = behaviour or Behaviour(starttls=not implicit)
        if trusted is not None:
            actions.import_certificates(pem(trusted))
        with in_thread(FakeServer(does, context=context, implicit_tls=implicit)) as server:
            if pinned is not None:
                actions.import_certificates(pem(pinned), host=host, port=server.port)
            encryption = "ssl" if implicit else "tls"
            yield {"host": host, "port": server.port, "encryption": encryption, **settings}

    return scene


def old_tls() -> ssl.SSLContext:
    """A server that knows TLS 1.1 and nothing newer, with a good certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # to be old is what it is there for
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem(GOOD) + key_pem(GOOD))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _wants_ours() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem(GOOD) + key_pem(GOOD))
        file.flush()
        context.load_cert_chain(file.name)
    context.load_verify_locations(cadata=pem(ROOT).decode())
    context.verify_mode = ssl.CERT_REQUIRED
    return context


WEAK = certificate(
    "localhost", names=("localhost",), issued_by=ROOT, key=rsa.generate_private_key(65537, 1024)
)
EXPIRED = certificate("localhost", names=("localhost",), issued_by=ROOT, days=(-30, -1))
EARLY = certificate("localhost", names=("localhost",), issued_by=ROOT, days=(1, 30))
ENDING = certificate("localhost", names=("localhost",), issued_by=ROOT, days=(-80, 5))
ELSEWHERE = certificate("mail.elsewhere.example", names=("mail.elsewhere.example",), issued_by=ROOT)
OWN = certificate("localhost", names=("localhost",))
OTHER_OWN = certificate("localhost", names=("localhost",))
FOR_CLIENTS = certificate(
    "localhost",
    names=("localhost",),
    issued_by=ROOT,
    more=(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]),),
)


def refusing(context: ssl.SSLContext) -> Scene:
    """A server that says no within the handshake, with the alert that belongs to it."""

    @contextmanager
    def scene() -> Iterator[dict[str, Any]]:
        actions.import_certificates(pem(ROOT))
        with serving(SmallServer("pop3", context=context, implicit_tls=True)) as server:
            yield {"host": "localhost", "port": server.port, "encryption": "ssl"}

    return scene


# --- The network --------------------------------------------------------------------------------------------


@contextmanager
def nothing_listens() -> Iterator[dict[str, Any]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    yield {"host": "127.0.0.1", "port": port}


@contextmanager
def swallowed() -> Iterator[dict[str, Any]]:
    """A port that answers no SYN, as behind a firewall: its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _number in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(listener.getsockname())
        yield {"host": "127.0.0.1", "port": listener.getsockname()[1]}


def name_service(answer: int) -> Scene:
    """What the name service says to a name: the resolver of this machine cannot be asked to."""

    @contextmanager
    def scene() -> Iterator[dict[str, Any]]:
        real = socket.getaddrinfo

        def look_up(host: Any, *args: Any, **more: Any) -> Any:
            if host == "smtp.nordlicht.example" and not more.get("flags"):
                raise socket.gaierror(answer, "as scripted")
            return real(host, *args, **more)

        with mock.patch.object(socket, "getaddrinfo", look_up):
            yield {"host": "smtp.nordlicht.example", "port": 25}

    return scene


@contextmanager
def network_down() -> Iterator[dict[str, Any]]:
    with mock.patch.object(network, "_attempt", side_effect=OSError(errno.ENETDOWN, "Network is down")):
        yield {"host": "127.0.0.1", "port": 25}


@contextmanager
def stopped() -> Iterator[dict[str, Any]]:
    stop = threading.Event()
    stop.set()
    with in_thread(FakeServer(Behaviour(faults={"greeting": HANG}))) as server:
        yield {"host": "127.0.0.1", "port": server.port, "stop": stop}


# --- The mailbox --------------------------------------------------------------------------------------------


def mailbox(behaviour: Behaviour | None = None, *, login_reply: str = "", **settings: Any) -> Scene:
    """SMTP and POP3 side by side; nothing ever arrives in the mailbox."""

    @contextmanager
    def scene() -> Iterator[dict[str, Any]]:
        pop3 = SmallServer("pop3", context=server_context(GOOD), implicit_tls=True, login_reply=login_reply)
        with smtp(behaviour)() as found, serving(pop3):
            actions.import_certificates(pem(ROOT))
            actions.save_incoming(
                {
                    "protocol": "pop3",
                    "host": "localhost",
                    "port": str(pop3.port),
                    "encryption": "ssl",
                    "username": "tracker",
                    "plus_addressing": "off",
                },
                password=CANARY,
            )
            yield {**found, **settings}

    return scene


# --- The table ----------------------------------------------------------------------------------------------

_STARTTLS = Behaviour(starttls=True)
_PLAIN = Behaviour(mechanisms=("PLAIN",), users={"tracker": CANARY})
_TLS_FIRST = Behaviour(starttls=True, tls_required=True, mechanisms=("PLAIN",), users={"tracker": CANARY})
_PORT = {"port": "{port}"}
_FULL = {"username": "tracker@nordlicht.example"}

SCENES: tuple[Row, ...] = (
    Row("name-not-found", "resolve", name_service(socket.EAI_NONAME)),
    Row("name-lookup-failed", "resolve", name_service(socket.EAI_AGAIN)),
    Row("no-route", "connect", smtp(host="255.255.255.255")),
    Row("refused", "connect", nothing_listens),
    Row("timeout", "connect", swallowed, seconds=0.5),
    Row("network", "connect", network_down),
    Row("silent", "capabilities", fault("ehlo", HANG), seconds=0.5),
    Row("silent", "greeting", fault("greeting", HANG), seconds=0.5),
    Row("connection-lost", "recipient", fault("rcpt", CUT)),
    Row("not-smtp", "greeting", fault("greeting", NOISE)),
    Row("protocol-error", "mail-from-system", fault("mail", NOISE)),
    Row("aborted", "greeting", stopped),
    Row("greeting-refused", "greeting", fault("greeting", "554 5.7.1 no service for you")),
    Row("service-closing", "greeting", fault("greeting", "421 4.3.2 closed for the night")),
    Row(
        "too-many-connections",
        "greeting",
        smtp(Behaviour(connections=0)),
        {"maxNoOfSMTPConnections": "5"},
    ),
    Row("ehlo-refused", "capabilities", smtp(Behaviour(faults={"ehlo": "550 no", "helo": "550 no"}))),
    # --- encryption
    Row(
        "tls-on-plain-port",
        "greeting",
        tls_with(GOOD, encryption="tls-if-available"),
        {"encryption": "ssl", **_PORT},
        seconds=3.0,
    ),
    Row("plain-on-tls-port", "tls", smtp(encryption="ssl"), {"encryption": "tls", **_PORT}),
    Row(
        "starttls-not-offered",
        "tls",
        smtp(encryption="tls", host=EVERYWHERE),
        {"encryption": "ssl", "port": "465"},
    ),
    Row("starttls-not-offered", "tls", smtp(encryption="tls"), {"encryption": "none", **_PORT}),
    Row(
        "starttls-refused",
        "tls",
        smtp(
            Behaviour(starttls=True, faults={"starttls": "454 4.7.0 no"}), encryption="tls", host=EVERYWHERE
        ),
        {"encryption": "ssl", "port": "465"},
    ),
    Row(
        "injected-before-tls",
        "tls",
        tls_with(GOOD, implicit=False, behaviour=Behaviour(starttls=True, after_starttls=b"250 evil\r\n")),
    ),
    Row("cert-expired", "tls", tls_with(EXPIRED)),
    Row("cert-not-yet-valid", "tls", tls_with(EARLY)),
    Row("cert-other-host", "tls", tls_with(ELSEWHERE)),
    Row("cert-self-signed", "tls", tls_with(OWN)),
    Row("cert-unknown-ca", "tls", tls_with(GOOD, trusted=None)),
    Row("cert-weak", "tls", tls_with(WEAK)),
    Row("cert-changed", "tls", tls_with(OWN, pinned=OTHER_OWN)),
    Row("cert-invalid", "tls", tls_with(FOR_CLIENTS)),
    Row("tls-too-old", "tls", refusing(old_tls())),
    Row(
        "tls-handshake",
        "tls",
        tls_with(GOOD, implicit=False, behaviour=Behaviour(starttls=True, faults={"tls": CUT})),
    ),
    Row("client-certificate-wanted", "greeting", refusing(_wants_ours())),
    Row("certificate-ends", "tls", tls_with(ENDING)),
    Row("in-the-clear", "tls", smtp(encryption="tls-if-available", host=EVERYWHERE)),
    # --- login
    Row("auth-not-offered", "login", smtp(**LOGIN), {"auth": "none"}),
    Row("login-needs-tls", "login", smtp(_TLS_FIRST, **LOGIN), {"encryption": "tls", **_PORT}),
    Row("auth-no-common-mechanism", "login", smtp(Behaviour(mechanisms=("NTLM",)), **LOGIN)),
    Row("auth-refused", "login", login("535 5.7.8 authentication failed"), _FULL),
    Row("auth-temporary", "login", login("454 4.7.0 try later")),
    Row(
        "auth-server-unproven",
        "login",
        smtp(
            Behaviour(
                mechanisms=("SCRAM-SHA-256",), users={"tracker": CANARY}, faults={"scram-signature": "x"}
            ),
            **LOGIN,
        ),
    ),
    Row(
        "clear-password-forbidden",
        "login",
        smtp(_PLAIN, **LOGIN | {"allow_clear_password": False}, host=EVERYWHERE),
    ),
    Row("pop-login-needed", "recipient", fault("rcpt", "550 5.7.1 check for new mail by POP3 first")),
    Row(
        "pop-login-needed",
        "recipient",
        mailbox(Behaviour(faults={"rcpt": "550 5.7.1 POP before SMTP please"})),
        {"auth": "mailbox-first"},
    ),
    Row("app-password-needed", "login", login("534 5.7.9 Application-specific password required")),
    Row(
        "basic-auth-disabled",
        "login",
        login("535 5.7.3 basic authentication is disabled"),
        {"auth": "oauth2"},
    ),
    Row(
        "smtp-auth-disabled",
        "login",
        login("535 5.7.139 SmtpClientAuthentication is disabled for the Tenant"),
    ),
    Row("account-locked", "login", login("535 5.7.0 account suspended")),
    Row("password-expired", "login", login("535 5.7.8 your password has expired")),
    Row("second-factor", "login", login("535 5.7.0 multi-factor authentication required")),
    Row("web-login-needed", "login", login("534 5.7.14 Please log in via your web browser")),
    Row("auth-mechanism-weak", "login", login("534 5.7.9 mechanism is too weak")),
    Row("password-needed", "login", smtp(_PLAIN, auth="password", username="tracker")),
    Row("password-in-the-clear", "login", smtp(_PLAIN, **LOGIN, host=EVERYWHERE)),
    Row("mailbox-login", "login", mailbox(login_reply="-ERR [AUTH] no", auth="mailbox-first")),
    # --- sender
    Row(
        "sender-not-owned",
        "mail-from-system",
        smtp(
            Behaviour(
                mechanisms=("PLAIN",),
                users={"desk@nordlicht.example": CANARY},
                faults={"mail": "553 5.7.1 Sender address rejected: not owned by user desk"},
            ),
            **LOGIN | {"username": "desk@nordlicht.example"},
        ),
        {"system_address": "desk@nordlicht.example"},
    ),
    Row(
        "header-from-refused",
        "mail-from-user",
        smtp(Behaviour(authors={PERSON: "550 5.7.60 no permissions to send as this sender"}), sender="user"),
        {"sender": "system"},
    ),
    Row("header-from-refused", "content", fault("content", "554 5.2.252 SendAsDenied")),
    Row("sender-domain-unknown", "mail-from-system", fault("mail", "450 4.1.8 Domain not found")),
    Row("sender-refused", "mail-from-system", fault("mail", "550 5.1.7 we do not like you")),
    Row(
        "dmarc",
        "mail-from-user",
        smtp(Behaviour(authors={PERSON: "550 5.7.26 DMARC policy of the domain"}), sender="user"),
        {"sender": "system"},
    ),
    Row("auth-required", "mail-from-system", smtp(Behaviour(login_required=True)), {"auth": "password"}),
    Row(
        "auth-required",
        "mail-from-system",
        mailbox(Behaviour(login_required=True), host="localhost"),
        {"auth": "same-as-mailbox"},
    ),
    Row(
        "tls-required",
        "mail-from-system",
        smtp(Behaviour(starttls=True, tls_required=True)),
        {"encryption": "tls", **_PORT},
    ),
    # --- recipient
    Row(
        "relay-denied",
        "recipient",
        fault("rcpt", "554 5.7.1 Relay access denied"),
        {"auth": "password"},
    ),
    Row("recipient-unknown", "recipient", fault("rcpt", "550 5.1.1 User unknown")),
    Row("recipient-domain-unknown", "recipient", fault("rcpt", "550 5.1.2 Host not found")),
    Row("recipient-disabled", "recipient", fault("rcpt", "550 5.2.1 mailbox disabled")),
    Row("recipient-refused", "recipient", fault("rcpt", "550 5.7.0 not this one")),
    Row("mailbox-full", "recipient", fault("rcpt", "452 4.2.2 over quota")),
    Row("greylisted", "recipient", fault("rcpt", "450 4.7.1 Greylisted")),
    Row(
        "needs-smtputf8",
        "recipient",
        smtp(Behaviour(extensions=("8BITMIME",)), to="jörg@nordlicht.example"),
    ),
    # --- content and amount
    Row("too-large", "content", smtp(Behaviour(extensions=("SIZE 300",)))),
    Row("spam", "content", fault("content", "554 5.7.1 this looks like spam")),
    Row("blocklisted", "recipient", fault("rcpt", "554 5.7.1 listed at zen.spamhaus.org")),
    Row("content-refused", "content", fault("content", "554 5.6.0 no")),
    Row(
        "rate-limit",
        "mail-from-system",
        fault("mail", "450 4.7.1 rate limit exceeded"),
        {"maxNoOfSMTPConnections": "5"},
    ),
    Row("daily-quota", "mail-from-system", fault("mail", "550 5.4.5 Daily sending quota exceeded")),
    Row("server-storage", "content", fault("data", "452 4.3.1 Insufficient system storage")),
    Row("server-trouble", "content", fault("data", "451 4.3.0 local error")),
    Row("uncertain", "content", fault("after-content", CUT)),
    Row("unknown", "mail-from-user", smtp(user_address="jana")),
    # --- arrival
    Row("not-arrived", "arrival", mailbox(), seconds=1.0),
    Row("mailbox-unreachable", "arrival", mailbox(login_reply="-ERR [AUTH] no")),
    Row(
        "mailbox-not-addressed",
        "arrival",
        mailbox(Behaviour(recipients={SYSTEM: "550 5.1.1 unknown"})),
    ),
)
