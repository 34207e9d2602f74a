"""Certificates of every kind, and the word that must never be seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

CANARY = "canary-7hJq-password"


Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Made = tuple[x509.Certificate, Key]


def certificate(
    name: str,
    *,
    names: tuple[str, ...] = (),
    authority: bool | None = None,
    issued_by: Made | None = None,
    days: tuple[int, int] = (-1, 90),
    key: Key | None = None,
    more: tuple[x509.ExtensionType, ...] = (),
) -> Made:
    """A certificate and its key, self-signed unless `issued_by`; `authority` None: without constraints."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issued_by[0].subject if issued_by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
    if authority is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), True)
    for extension in more:
        builder = builder.add_extension(extension, False)
    return builder.sign(issued_by[1] if issued_by else key, hashes.SHA256()), key


def pem(made: Made) -> bytes:
    return made[0].public_bytes(Encoding.PEM)


def key_pem(made: Made) -> bytes:
    return made[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
