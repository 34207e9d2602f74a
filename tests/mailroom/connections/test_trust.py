"""What the keystore's entries do in real handshakes: each opens what it was given for, and nothing else."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from depesche.mailroom.connections import actions, queries
from depesche.mailroom.connections.fetch import CannotFetch, fetch
from depesche.mailroom.connections.keystore import trust_for
from depesche.smtpclient.config import Trust
from depesche.smtpclient.errors import Cause
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


# --- Fetching -----------------------------------------------------------------------------------------------


def protocol_of(encryption: str) -> Any:
    return None if encryption == "ssl" else "smtp"


@pytest.mark.parametrize(
    ("made", "problem"),
    [(ISSUED, Cause.CERT_UNKNOWN_CA), (OWN, Cause.CERT_SELF_SIGNED), (EXPIRED, Cause.CERT_UNKNOWN_CA)],
)
def test_what_a_server_shows_is_fetched_and_judged(
    tls_with: Any, encryption: str, made: Any, problem: Cause
) -> None:
    with tls_with(made) as server:
        starttls = protocol_of(encryption)
        found = fetch("localhost", server.port, starttls=starttls, trust=trust_for("localhost", server.port))
        assert (found.chain[0].subject, found.problem) == ("localhost", problem)
        actions.import_certificates(pem(ROOT) + pem(OWN))
        again = fetch("localhost", server.port, starttls=starttls, trust=trust_for("localhost", server.port))
        assert again.problem is (Cause.CERT_EXPIRED if made is EXPIRED else None)
    assert not any("MAIL" in word or "AUTH" in word for one in server.connections for word in one.commands)


def test_fetching_from_the_wrong_port_says_so(db: Any) -> None:
    with in_thread(FakeServer()) as server:
        for starttls, cause in (
            (None, Cause.PLAIN_ON_TLS_PORT),
            ("smtp", Cause.STARTTLS_NOT_OFFERED),
            ("imap", Cause.STARTTLS_REFUSED),
            ("pop3", Cause.STARTTLS_REFUSED),
        ):
            with pytest.raises(CannotFetch) as refused:
                fetch("127.0.0.1", server.port, starttls=starttls, trust=Trust(), timeout=5)  # type: ignore[arg-type]  # one of the literals
            assert refused.value.cause is cause
    with pytest.raises(CannotFetch) as refused:
        fetch("127.0.0.1", server.port, trust=Trust(), timeout=5)
    assert refused.value.cause is Cause.REFUSED


def test_the_command_fetches_and_trusts_the_named_one(
    tls_with: Any, encryption: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with tls_with(OWN) as server:
        words = ["fetch", f"127.0.0.1:{server.port}"]
        if encryption != "ssl":
            words += ["--starttls", "smtp"]
        call_command("keystore", *words, "--json")
        (seen,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert seen["names"] == ["localhost"]
        call_command("keystore", *words)
        assert "Compare the fingerprint" in capsys.readouterr().out
        with pytest.raises(CommandError, match="Nothing was trusted"):
            call_command("keystore", *words, "--trust", "0" * 64)
        with pytest.raises(CommandError, match="64 hexadecimal"):
            call_command("keystore", *words, "--trust", "abc")
        assert queries.keystore() == []
        colons = ":".join(seen["sha256"][at : at + 2] for at in range(0, 64, 2)).upper()
        call_command("keystore", *words, "--trust", colons)
        assert tls_of(server, encryption, "127.0.0.1") == "ok"
    for wrong in ("nothing", "a.example:x", ":25"):
        with pytest.raises(CommandError):
            call_command("keystore", "fetch", wrong)
