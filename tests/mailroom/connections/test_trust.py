"""What the keystore's entries do in real handshakes: each opens what it was given for, and nothing else."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from depesche.mailroom.connections import actions, queries
from depesche.smtpclient.testing import Behaviour, FakeServer, in_thread
from tests.mailroom.connections.support import certificate, key_pem, pem
from tests.mailroom.connections.test_diagnosis import settings_for, walked

ROOT = certificate("Root", authority=True)
OTHER_ROOT = certificate("Other root", authority=True)
ISSUED = certificate("localhost", names=("localhost",), authority=False, issued_by=ROOT)
OWN = certificate("localhost", names=("localhost",), authority=True)  # as `openssl req -x509` makes it
PLAIN_OWN = certificate("localhost", names=("localhost",), authority=False)
EXPIRED = certificate("localhost", names=("localhost",), authority=False, issued_by=ROOT, days=(-30, -1))
EARLY = certificate("localhost", names=("localhost",), authority=False, issued_by=ROOT, days=(1, 30))


@pytest.fixture(params=["ssl", "tls", "tls-if-available"])
def encryption(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def tls_with(db: Any, encryption: str, tmp_path: Path) -> Callable[..., Any]:
    """The code that the tls step ends with ("ok" if it does not fail), for a server with this certificate."""

    @contextmanager
    def serving(made: Any) -> Iterator[FakeServer]:
        chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
        chain.write_bytes(pem(made))
        key.write_bytes(key_pem(made))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        implicit = encryption == "ssl"
        behaviour = Behaviour(starttls=not implicit)
        with in_thread(FakeServer(behaviour, context=context, implicit_tls=implicit)) as server:
            yield server

    return serving


def tls_of(server: FakeServer, encryption: str, host: str = "localhost") -> str:
    steps = walked(settings_for(server, host=host, encryption=encryption))
    cause = steps["tls"].cause
    if cause is not None and not cause.code.startswith("certificate-ends"):
        assert server.messages == []
        return cause.code
    return "ok"


def test_an_imported_authority(tls_with: Any, encryption: str) -> None:
    with tls_with(ISSUED) as server:
        assert tls_of(server, encryption) == "cert-unknown-ca"
        actions.import_certificates(pem(OTHER_ROOT))
        assert tls_of(server, encryption) == "cert-unknown-ca"
        actions.import_certificates(pem(ROOT))
        assert tls_of(server, encryption, "127.0.0.1") == "cert-other-host"
        assert tls_of(server, encryption) == "ok"
        server.messages.clear()
        for row in queries.keystore():
            actions.remove_certificate(row.id)
        assert tls_of(server, encryption) == "cert-unknown-ca"


@pytest.mark.parametrize(("made", "code"), [(EXPIRED, "cert-expired"), (EARLY, "cert-not-yet-valid")])
def test_dates_hold_whatever_is_trusted(tls_with: Any, encryption: str, made: Any, code: str) -> None:
    actions.import_certificates(pem(ROOT))
    with tls_with(made) as server:
        assert tls_of(server, encryption) == code
        actions.import_certificates(pem(made), host="localhost", port=server.port)
        assert tls_of(server, encryption) == code


@pytest.mark.parametrize("made", [OWN, PLAIN_OWN])
def test_a_self_signed_certificate_holds_for_its_names(tls_with: Any, encryption: str, made: Any) -> None:
    with tls_with(made) as server:
        assert tls_of(server, encryption) == "cert-self-signed"
        actions.import_certificates(pem(made))
        assert tls_of(server, encryption, "127.0.0.1") in ("cert-self-signed", "cert-other-host")
        assert tls_of(server, encryption) == "ok"


@pytest.mark.parametrize("made", [OWN, PLAIN_OWN, ISSUED])
def test_a_pin_holds_for_one_host_and_port(tls_with: Any, encryption: str, made: Any) -> None:
    with tls_with(made) as server:
        actions.import_certificates(pem(made), host="127.0.0.1", port=server.port + 1)
        assert tls_of(server, encryption, "127.0.0.1") in ("cert-self-signed", "cert-unknown-ca")
        actions.import_certificates(pem(made), host="127.0.0.1", port=server.port)
        assert tls_of(server, encryption, "127.0.0.1") == "ok"
        server.messages.clear()
        assert tls_of(server, encryption) in ("cert-self-signed", "cert-unknown-ca")


def test_another_certificate_than_the_pinned_one(tls_with: Any, encryption: str) -> None:
    with tls_with(PLAIN_OWN) as server:
        actions.import_certificates(pem(OWN), host="localhost", port=server.port)
        assert tls_of(server, encryption) == "cert-changed"


def test_a_servers_own_certificate_vouches_for_no_other_server(tls_with: Any, encryption: str) -> None:
    """Whoever has the key of a self-signed server marked as an authority could issue certificates."""
    elsewhere = certificate("127.0.0.1", names=("elsewhere.lan",), authority=True)
    issued = certificate("localhost", names=("localhost",), authority=False, issued_by=elsewhere)
    actions.import_certificates(pem(elsewhere))
    with tls_with(issued) as server:
        assert tls_of(server, encryption) == "cert-unknown-ca"
