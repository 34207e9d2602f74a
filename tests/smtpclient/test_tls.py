"""The four encryptions (M9) and whom they trust: a certificate that does not verify is never accepted."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from depesche.smtpclient import (
    Cause,
    ConnectionConfig,
    Encryption,
    Password,
    Session,
    Stage,
    SubmissionError,
    Timeouts,
    Transcript,
    Trust,
    tls,
)
from depesche.smtpclient.testing import CUT, HANG, Behaviour, FakeServer
from tests.smtpclient.conftest import Certificates
from tests.smtpclient.connecting import MAIL, configured, listening, to

NONE, IF_AVAILABLE, TLS, SSL = (
    Encryption.NONE,
    Encryption.TLS_IF_AVAILABLE,
    Encryption.TLS,
    Encryption.SSL,
)
STARTTLS = Behaviour(starttls=True)


async def failure(config: ConnectionConfig) -> SubmissionError:
    with pytest.raises(SubmissionError) as caught:
        await Session.open(config)
    return caught.value


class SelfSigned:
    """A certificate that nobody issued, as appliances have them."""

    def __init__(self, *, name: str = "localhost", begins: int = -1, ends: int = 30) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=begins))
            .not_valid_after(now + timedelta(days=ends))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(key, hashes.SHA256())
        )
        self.pem = certificate.public_bytes(serialization.Encoding.PEM)
        self.der = certificate.public_bytes(serialization.Encoding.DER)
        self.pin = hashlib.sha256(self.der).hexdigest()
        self._key = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def context(self) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.Blob(self._key + self.pem)
        with trustme.Blob(self._key + self.pem).tempfile() as path:
            made.load_cert_chain(path)
        return made


# ---- what each encryption does


@pytest.mark.parametrize(
    ("encryption", "offered", "encrypted"),
    [
        (NONE, True, False),
        (NONE, False, False),
        (IF_AVAILABLE, True, True),
        (IF_AVAILABLE, False, False),
        (TLS, True, True),
    ],
)
async def test_starttls(
    certificates: Certificates, encryption: Encryption, offered: bool, encrypted: bool
) -> None:
    async with FakeServer(Behaviour(starttls=offered), context=certificates.context()) as server:
        config = configured(server.port, encryption=encryption, trust=certificates.trust)
        session = await Session.open(config)
        assert session.encrypted is encrypted
        assert (session.tls_version is not None) is encrypted
        assert (await session.submit(to("alice@example.org"), MAIL)).accepted
        assert server.messages[0].encrypted is encrypted
        await session.quit()
        assert server.connections[0].ended_by_quit
        assert [c for c in server.connections[0].commands if c.startswith("EHLO")] == [
            "EHLO client.example.org"
        ] * (2 if encrypted else 1)


async def test_tls_from_the_first_byte(certificates: Certificates) -> None:
    transcript = Transcript()
    async with FakeServer(context=certificates.context(), implicit_tls=True) as server:
        config = configured(server.port, encryption=SSL, trust=certificates.trust)
        session = await Session.open(config, observer=transcript)
        assert session.encrypted
        assert session.tls_version in {"TLSv1.2", "TLSv1.3"}
        assert session.peer_certificate_der is not None
        assert (await session.submit(to("alice@example.org"), MAIL)).accepted
        await session.quit()
    assert transcript.lines[0].startswith("*: TLS established (TLSv1")


async def test_port_465_with_tls_begins_with_tls(certificates: Certificates) -> None:
    async with FakeServer(context=certificates.context(), implicit_tls=True) as server:
        config = configured(465, encryption=TLS, trust=certificates.trust)
        session = Session(config)
        session._addresses = await Session(configured(server.port)).resolve() and [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))
        ]
        await session.start()
        assert session.encrypted
        await session.quit()


async def test_tls_is_required_and_not_offered() -> None:
    async with FakeServer() as server:
        error = await failure(configured(server.port, encryption=TLS))
        assert (error.stage, error.cause) == (Stage.STARTTLS, Cause.STARTTLS_NOT_OFFERED)
        assert server.connections[0].ended_by_quit


@pytest.mark.parametrize("encryption", [IF_AVAILABLE, TLS])
@pytest.mark.parametrize("fault", ["454 4.7.0 not now", "502 5.5.1 no", CUT])
async def test_starttls_that_fails_is_never_followed_by_clear_text(
    certificates: Certificates, encryption: Encryption, fault: object
) -> None:
    does = Behaviour(
        starttls=True,
        faults={"starttls": fault},  # type: ignore[dict-item]  # from the table
        mechanisms=("PLAIN",),
        users={"me": "hunter2"},
    )
    async with FakeServer(does, context=certificates.context()) as server:
        config = configured(
            server.port,
            encryption=encryption,
            trust=certificates.trust,
            credentials=Password("me", "hunter2"),
            allow_clear_password=True,
        )
        error = await failure(config)
        expected = Cause.CONNECTION_LOST if fault is CUT else Cause.STARTTLS_REFUSED
        assert (error.stage, error.cause) == (Stage.STARTTLS, expected)
        assert not any(c.startswith(("AUTH", "MAIL")) for c in server.connections[0].commands)


@pytest.mark.parametrize("injected", [b"250-injected\r\n250 AUTH PLAIN\r\n", b"250 x\r\n", b"2", b"\r\n"])
async def test_octets_behind_starttls_end_the_session(certificates: Certificates, injected: bytes) -> None:
    does = Behaviour(starttls=True, after_starttls=injected)
    async with FakeServer(does, context=certificates.context()) as server:
        error = await failure(configured(server.port, encryption=TLS, trust=certificates.trust))
        assert error.cause is Cause.INJECTED_BEFORE_TLS
        assert not error.transient


async def test_a_server_that_hangs_in_the_handshake(certificates: Certificates) -> None:
    does = Behaviour(starttls=True, faults={"tls": HANG})
    async with FakeServer(does, context=certificates.context()) as server:
        config = configured(server.port, encryption=TLS, trust=certificates.trust, timeouts=Timeouts(tls=0.3))
        error = await failure(config)
        assert (error.stage, error.cause) == (Stage.TLS, Cause.TIMEOUT)


async def test_a_server_that_hangs_up_in_the_handshake(certificates: Certificates) -> None:
    does = Behaviour(starttls=True, faults={"tls": CUT})
    async with FakeServer(does, context=certificates.context()) as server:
        error = await failure(configured(server.port, encryption=TLS, trust=certificates.trust))
        assert (error.stage, error.cause) == (Stage.TLS, Cause.TLS_HANDSHAKE)


# ---- the wrong port


async def test_plain_on_a_port_that_begins_with_tls(certificates: Certificates) -> None:
    async with FakeServer(context=certificates.context(), implicit_tls=True) as server:
        for encryption in (NONE, TLS, IF_AVAILABLE):
            config = configured(
                server.port,
                encryption=encryption,
                trust=certificates.trust,
                timeouts=Timeouts(greeting=0.5),
            )
            error = await failure(config)
            assert (error.stage, error.cause) == (Stage.GREETING, Cause.TLS_ON_PLAIN_PORT)


ALERT_PROTOCOL_VERSION = b"\x15\x03\x01\x00\x02\x02\x46"


async def test_a_tls_alert_in_place_of_a_greeting() -> None:
    async def alert(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(ALERT_PROTOCOL_VERSION)
        await reader.read()

    async with listening(alert) as port:
        error = await failure(configured(port))
        assert error.cause is Cause.TLS_ON_PLAIN_PORT


async def test_tls_on_a_port_that_begins_in_clear() -> None:
    async with FakeServer() as server:
        error = await failure(configured(server.port, encryption=SSL))
        assert (error.stage, error.cause) == (Stage.TLS, Cause.PLAIN_ON_TLS_PORT)


# ---- trust


async def served(certificate: ssl.SSLContext, trust: Trust, *, host: str = "localhost") -> Cause | None:
    """What both ways of beginning TLS make of this certificate: the same."""
    causes = []
    for implicit in (False, True):
        does = Behaviour() if implicit else STARTTLS
        async with FakeServer(does, context=certificate, implicit_tls=implicit) as server:
            config = ConnectionConfig(
                host, server.port, SSL if implicit else TLS, trust=trust, timeouts=Timeouts.each(20)
            )
            try:
                session = await Session.open(config)
            except SubmissionError as error:
                causes.append(error.cause)
                said = [command for one in server.connections for command in one.commands]
                assert len(said) <= 2, "after EHLO and STARTTLS nothing is said to a server without trust"
            else:
                assert (await session.submit(to("alice@example.org"), MAIL)).accepted
                await session.quit()
                causes.append(None)
    assert causes[0] is causes[1]
    return causes[0]


async def test_a_private_authority(certificates: Certificates) -> None:
    context = certificates.context()
    assert await served(context, certificates.trust) is None
    assert await served(context, certificates.trust, host="127.0.0.1") is None
    assert await served(context, Trust()) is Cause.CERT_UNKNOWN_CA
    assert await served(context, Trust(ca_pems=(trustme.CA().cert_pem.bytes(),))) is Cause.CERT_UNKNOWN_CA
    der = x509.load_pem_x509_certificate(certificates.ca_pem).public_bytes(serialization.Encoding.DER)
    assert await served(context, Trust(ca_pems=(der,))) is None
    text = certificates.ca_pem.decode()
    assert await served(context, Trust(ca_pems=(text, text))) is None


async def test_another_host(certificates: Certificates) -> None:
    other = certificates.context(certificates.authority.issue_cert("mail.example.org"))
    assert await served(other, certificates.trust) is Cause.CERT_OTHER_HOST
    assert await served(other, certificates.trust, host="127.0.0.1") is Cause.CERT_OTHER_HOST


async def test_dates(certificates: Certificates) -> None:
    now = datetime.now(UTC)
    issue = certificates.authority.issue_cert
    expired = certificates.context(issue("localhost", not_after=now - timedelta(days=1)))
    assert await served(expired, certificates.trust) is Cause.CERT_EXPIRED
    early = certificates.context(issue("localhost", not_before=now + timedelta(days=1)))
    assert await served(early, certificates.trust) is Cause.CERT_NOT_YET_VALID


async def test_a_self_signed_certificate() -> None:
    own = SelfSigned()
    assert await served(own.context(), Trust()) is Cause.CERT_SELF_SIGNED
    assert await served(own.context(), Trust(leaf_pems=(own.pem,))) is None
    assert await served(own.context(), Trust(leaf_pems=(own.der,))) is None
    named_otherwise = SelfSigned(name="mail.example.org")
    assert (
        await served(named_otherwise.context(), Trust(leaf_pems=(named_otherwise.pem,)))
        is Cause.CERT_OTHER_HOST
    )
    expired = SelfSigned(begins=-10, ends=-1)
    assert await served(expired.context(), Trust(leaf_pems=(expired.pem,))) is Cause.CERT_EXPIRED


async def test_a_leaf_whose_authority_is_not_known(certificates: Certificates) -> None:
    leaf = certificates.server.cert_chain_pems[0].bytes()
    assert await served(certificates.context(), Trust(leaf_pems=(leaf,))) is None
    other = certificates.authority.issue_cert("localhost")
    assert await served(certificates.context(other), Trust(leaf_pems=(leaf,))) is Cause.CERT_UNKNOWN_CA


async def test_a_pin_replaces_chain_and_name_but_not_the_dates(certificates: Certificates) -> None:
    own = SelfSigned(name="appliance")
    assert await served(own.context(), Trust(pins=(own.pin,))) is None
    assert await served(SelfSigned().context(), Trust(pins=(own.pin,))) is Cause.CERT_CHANGED
    assert await served(certificates.context(), Trust(pins=(own.pin,))) is Cause.CERT_CHANGED
    expired = SelfSigned(begins=-10, ends=-1)
    assert await served(expired.context(), Trust(pins=(expired.pin,))) is Cause.CERT_EXPIRED
    early = SelfSigned(begins=5)
    assert await served(early.context(), Trust(pins=(early.pin,))) is Cause.CERT_NOT_YET_VALID


async def test_an_old_tls_version() -> None:
    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)  # a ClientHello that wants 1.2 at least
        writer.write(ALERT_PROTOCOL_VERSION)
        await reader.read()

    async with listening(old) as port:
        error = await failure(configured(port, encryption=SSL))
        assert (error.stage, error.cause) == (Stage.TLS, Cause.TLS_TOO_OLD)


async def test_a_server_that_wants_a_certificate_of_ours(certificates: Certificates) -> None:
    context = certificates.context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=certificates.ca_pem.decode())
    async with FakeServer(context=context, implicit_tls=True) as server:
        config = configured(server.port, encryption=SSL, trust=certificates.trust)
        error = await failure(config)
        assert error.stage in {Stage.TLS, Stage.GREETING}
        assert error.cause in {Cause.TLS_HANDSHAKE, Cause.CONNECTION_LOST}


def test_what_is_no_certificate() -> None:
    for entry in (b"hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        with pytest.raises(ValueError, match="not a certificate"):
            tls.context(Trust(ca_pems=(entry,)))
    with pytest.raises(tls.CertificateError):
        tls.verify_peer(Trust(), None)


def test_the_context_never_stops_verifying() -> None:
    for trust in (Trust(), Trust(ca_pems=(trustme.CA().cert_pem.bytes(),))):
        made = tls.context(trust)
        assert made.verify_mode is ssl.CERT_REQUIRED
        assert made.check_hostname
        assert made.minimum_version is ssl.TLSVersion.TLSv1_2
        assert tls.context(trust) is made
    assert tls.context(Trust(pins=("00" * 32,))).verify_mode is ssl.CERT_NONE
    with pytest.raises(tls.CertificateError):  # which is why this must follow
        tls.verify_peer(Trust(pins=("00" * 32,)), SelfSigned().der)


@pytest.mark.parametrize("pinned", [False, True])
def test_plain_sockets_too(certificates: Certificates, pinned: bool) -> None:
    """For IMAP and POP3."""
    der = x509.load_pem_x509_certificate(certificates.server.cert_chain_pems[0].bytes()).public_bytes(
        serialization.Encoding.DER
    )
    trust = Trust(pins=(tls.fingerprint(der),)) if pinned else certificates.trust
    context = certificates.context()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            accepted, _ = listener.accept()
            with (
                contextlib.suppress(OSError),  # how the client hangs up does not matter
                accepted,
                context.wrap_socket(accepted, server_side=True) as secured,
            ):
                secured.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        with (
            socket.create_connection(listener.getsockname()) as plain,
            tls.context(trust).wrap_socket(plain, server_hostname="localhost") as secured,
        ):
            tls.verify_peer(trust, secured.getpeercert(binary_form=True), "localhost")
        thread.join(10)
