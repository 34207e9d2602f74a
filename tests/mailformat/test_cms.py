"""The letter in an opaquely signed mail is found; nothing else is."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from depesche.mailformat.cms import signed_content
from depesche.mailformat.parse import parse

LETTER = b"Content-Type: text/plain; charset=utf-8\r\n\r\nGenehmigt.\r\n"


@pytest.fixture(scope="module")
def signed() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Jana")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=9))
        .sign(key, hashes.SHA256())
    )
    builder = pkcs7.PKCS7SignatureBuilder().set_data(LETTER).add_signer(certificate, key, hashes.SHA256())
    return builder.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])


def test_the_content_of_signed_data(signed: bytes) -> None:
    assert signed_content(signed) == LETTER


def test_a_mail_signed_opaquely_is_read(signed: bytes) -> None:
    raw = (
        b"From: jana@kunde.example\nContent-Type: application/pkcs7-mime; smime-type=signed-data\n"
        b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(signed)
    )
    mail = parse(raw)
    assert mail.text == "Genehmigt.\n"
    assert mail.is_signed
    assert not mail.is_encrypted
    assert mail.attachments == ()


def test_indefinite_lengths_and_an_octet_string_in_parts() -> None:
    oid = bytes.fromhex("06092a864886f70d010702")
    data = bytes.fromhex("06092a864886f70d010701")
    parts = b"\x24\x80\x04\x03abc\x04\x02de\x00\x00"
    content = b"\x30\x80" + data + b"\xa0\x80" + parts + b"\x00\x00\x00\x00"
    body = b"\x30\x80\x02\x01\x01\x31\x00" + content
    assert signed_content(b"\x30\x80" + oid + b"\xa0\x80" + body) == b"abcde"


def test_what_is_cut_off_yields_nothing_or_less(signed: bytes) -> None:
    for length in range(0, len(signed), 7):
        found = signed_content(signed[:length])
        assert found is None or LETTER.startswith(found)


@given(st.binary(max_size=200))
def test_any_octets(data: bytes) -> None:
    signed_content(data)


@pytest.mark.parametrize("opening", [b"\x30\x80", b"\x24\x80", b"\xa0\x80"])
def test_nesting_ends(opening: bytes) -> None:
    assert signed_content(opening * 50_000) is None
