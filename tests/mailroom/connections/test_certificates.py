from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, pkcs7, pkcs12
from hypothesis import given
from hypothesis import strategies as st

from depesche.mailroom.connections import certificates
from tests.mailroom.connections.support import certificate, key_pem, pem

ROOT = certificate("Nordlicht Internal CA", authority=True)
SERVER = certificate(
    "smtp.nordlicht.example", names=("smtp.nordlicht.example",), authority=False, issued_by=ROOT
)
OWN = certificate("mail.lan", names=("mail.lan", "*.mail.lan"), authority=True)
OLD = certificate("old.lan")


def test_one_file_may_hold_many_and_each_counts_once() -> None:
    found = certificates.read(b"Some words before\n" + pem(ROOT) + pem(SERVER) + pem(ROOT) + key_pem(SERVER))
    assert [one.subject for one in found] == ["Nordlicht Internal CA", "smtp.nordlicht.example"]
    assert all("PRIVATE" not in one.pem for one in found)
    assert found[1].issuer == "Nordlicht Internal CA"
    assert found[1].names == ("smtp.nordlicht.example",)
    assert len(found[0].sha256) == 64


def test_der_and_pkcs7_are_read_whatever_the_file_is_called() -> None:
    for octets in (
        ROOT[0].public_bytes(Encoding.DER),
        pkcs7.serialize_certificates([ROOT[0]], Encoding.DER),
        pkcs7.serialize_certificates([ROOT[0]], Encoding.PEM),
    ):
        assert [one.subject for one in certificates.read(octets)] == ["Nordlicht Internal CA"]


@pytest.mark.parametrize(
    ("made", "for_all", "for_one"),
    [(ROOT, "ca", "ca"), (SERVER, "leaf", "pin"), (OWN, "leaf", "pin"), (OLD, "leaf", "pin")],
)
def test_what_a_certificate_may_vouch_for(made: object, for_all: str, for_one: str) -> None:
    (found,) = certificates.read(pem(made))  # type: ignore[arg-type]  # the pairs of this file
    assert found.kind_for(one_server=False) == for_all
    assert found.kind_for(one_server=True) == for_one


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (key_pem(ROOT), "private key"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\nx\n-----END CERTIFICATE REQUEST-----", "request for a"),
        (b"-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----", "public key alone"),
        (b"-----BEGIN X509 CRL-----\nx\n-----END X509 CRL-----", "revoked"),
        (b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----", "damaged"),
        (pem(ROOT)[:200], "damaged"),
        (b"<html>not here</html>", "no certificate"),
        (b"\xfe\xed\xfe\xed\0\0\0\2", "Java keystore"),
        (b"x" * (certificates.MAX_OCTETS + 1), "larger than"),
        (pkcs12.serialize_key_and_certificates(b"x", ROOT[1], ROOT[0], None, NoEncryption()), "PKCS#12"),
    ],
)
def test_other_files_are_named(octets: bytes, sentence: str) -> None:
    with pytest.raises(certificates.BadCertificateFile, match=sentence):
        certificates.read(octets)


@given(st.binary(max_size=200), st.booleans())
def test_no_file_breaks_the_reader(octets: bytes, marked: bool) -> None:
    if marked:
        octets = b"-----BEGIN CERTIFICATE-----\n" + octets + b"\n-----END CERTIFICATE-----\n"
    with pytest.raises(certificates.BadCertificateFile):
        certificates.read(octets)


def test_names_match_as_rfc_9525_says() -> None:
    assert certificates.names_match(("*.mail.lan",), "a.mail.lan")
    assert not certificates.names_match(("*.mail.lan",), "a.b.mail.lan")
    assert not certificates.names_match(("*.mail.lan",), "mail.lan")
    assert certificates.names_match(("MAIL.lan",), "mail.LAN.")
    assert certificates.names_match(("127.0.0.1",), "127.0.0.1")
    assert not certificates.names_match(("*.0.0.1",), "127.0.0.1")


# --- PKCS#12 ------------------------------------------------------------------------------------------------


def pkcs12_file(*, key: bool, password: bytes = b"") -> bytes:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        NoEncryption,
        pkcs12,
    )

    made = certificate("company", authority=True)
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return pkcs12.serialize_key_and_certificates(
        b"company", made[1] if key else None, made[0], None, encryption
    )


def test_pkcs12_with_certificates_alone_is_read() -> None:
    (found,) = certificates.read(pkcs12_file(key=False))
    assert (found.subject, found.is_authority) == ("company", True)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (pkcs12_file(key=True), "holds a private key"),
        (pkcs12_file(key=True, password=b"secret"), "with a password"),
        (pkcs12_file(key=False, password=b"secret"), "with a password"),
        (pkcs12_file(key=False)[:-20], "is damaged"),
    ],
    ids=["key", "key and password", "password", "damaged"],
)
def test_pkcs12_with_a_secret_is_refused(octets: bytes, why: str) -> None:
    with pytest.raises(certificates.BadCertificateFile, match=why):
        certificates.read(octets)
