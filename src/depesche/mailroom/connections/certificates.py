"""Reading certificate files (M10): PEM, bundles of it, DER, PKCS#7 and PKCS#12 without a private key,
whatever the file is called. Pure.

What kind of trust a certificate can carry is decided here: an authority (CA) vouches for others; a leaf for
the names in it; a pin, given for one host and port, for exactly itself.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7, pkcs12
from cryptography.x509.oid import NameOID
from django.utils.translation import gettext as _

Kind = Literal["ca", "leaf", "pin"]
MAX_OCTETS = 4 * 1024 * 1024
MAX_CERTIFICATES = 500


class BadCertificateFile(ValueError):
    """Nothing was imported; the text is one sentence that says what the file is instead."""


@dataclass(frozen=True)
class Certificate:
    """One certificate as the keystore keeps and shows it. `sha256` is lower-case hexadecimal."""

    pem: str
    sha256: str
    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    is_authority: bool
    is_self_signed: bool
    serial: str = ""
    key: str = ""
    signed_with: str = ""
    weakness: str = ""  # why it can be forged; "" for one that cannot

    def kind_for(self, one_server: bool) -> Kind:
        """What it is trusted as: for every server, or (`one_server`) for one host and port.

        A self-signed certificate that names hosts is a server's own, even where its maker marked it as an
        authority (as `openssl req -x509` does): it must not vouch for others.
        """
        own = self.is_self_signed and bool(self.names)
        if self.is_authority and not own:
            return "ca"
        return "pin" if one_server else "leaf"


def read(octets: bytes) -> list[Certificate]:
    """Every certificate of a file, in its order, each once. Raises BadCertificateFile."""
    if not octets.strip():
        raise BadCertificateFile(_("This file is empty."))
    if len(octets) > MAX_OCTETS:
        raise BadCertificateFile(_("This file is larger than 4 MB: that is no certificate."))
    try:
        found = _parse(octets)
        described = {certificate.sha256: certificate for certificate in map(describe, found)}
    except BadCertificateFile:
        raise
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise BadCertificateFile(
            _("A certificate in this file is damaged: export it again, as PEM or DER.")
        ) from None
    if len(described) > MAX_CERTIFICATES:
        raise BadCertificateFile(
            _("This file holds more than %(count)s certificates. Import only those of your own authority.")
            % {"count": MAX_CERTIFICATES}
        )
    return list(described.values())


def _parse(octets: bytes) -> list[x509.Certificate]:
    if b"-----BEGIN" in octets:
        if b"-----BEGIN CERTIFICATE-----" in octets:
            return x509.load_pem_x509_certificates(octets)
        for marks in (b"-----BEGIN TRUSTED CERTIFICATE-----", b"-----BEGIN X509 CERTIFICATE-----"):
            if marks in octets:
                label = marks.removeprefix(b"-----BEGIN ")
                plain = octets.replace(label, b"CERTIFICATE-----")
                return x509.load_pem_x509_certificates(plain)
        if b"-----BEGIN PKCS7-----" in octets or b"-----BEGIN CMS-----" in octets:
            plain = octets.replace(b"CMS-----", b"PKCS7-----")
            return _some(pkcs7.load_pem_pkcs7_certificates(plain))
        raise BadCertificateFile(_what_pem_it_is(octets))
    try:
        return [x509.load_der_x509_certificate(octets)]
    except ValueError:
        pass
    try:
        return _some(pkcs7.load_der_pkcs7_certificates(octets))
    except (ValueError, UnsupportedAlgorithm):
        pass
    if _is_pkcs12(octets):
        return _from_pkcs12(octets)
    raise BadCertificateFile(_what_it_is(octets))


def _is_pkcs12(octets: bytes) -> bool:
    # PFX ::= SEQUENCE { version INTEGER 3, … } (RFC 7292)
    return octets[:1] == b"\x30" and b"\x02\x01\x03\x30" in octets[:12]


def _from_pkcs12(octets: bytes) -> list[x509.Certificate]:
    """A PKCS#12 file with certificates alone (a trust store without password). One with a private key is
    refused: that key is the server's secret, and has no business here."""
    locked = False
    for password in (None, b""):
        try:
            found = pkcs12.load_pkcs12(octets, password)
        except ValueError as error:
            locked = locked or "password" in str(error).lower()
            continue
        if found.key is not None:
            raise BadCertificateFile(
                _(
                    "This PKCS#12 file (.p12, .pfx) holds a private key. Keep it secret, and export the "
                    "certificate alone, as PEM or DER."
                )
            )
        inside = [found.cert, *found.additional_certs]
        return _some([one.certificate for one in inside if one is not None])
    if not locked:
        raise ValueError("damaged")
    raise BadCertificateFile(
        _(
            "This is a PKCS#12 file (.p12, .pfx) with a password, as one with a private key has. Export the "
            "certificate alone, as PEM or DER."
        )
    )


def _some(found: list[x509.Certificate]) -> list[x509.Certificate]:
    if not found:
        raise BadCertificateFile(_("This file holds no certificate."))
    return found


def _what_pem_it_is(octets: bytes) -> str:
    if b"PRIVATE KEY-----" in octets:
        return _("This file holds a private key, no certificate. Keep it secret, and import the certificate.")
    if b"CERTIFICATE REQUEST-----" in octets:
        return _("This file holds a request for a certificate, not the certificate that was issued for it.")
    if b"PUBLIC KEY-----" in octets:
        return _("This file holds a public key alone. Import the certificate.")
    if b"X509 CRL-----" in octets:
        return _("This file holds a list of revoked certificates, no certificate.")
    return _("This file holds no certificate.")


def _what_it_is(octets: bytes) -> str:
    if octets[:4] == b"\xfe\xed\xfe\xed":
        return _("This is a Java keystore. Export the certificate alone, as PEM or DER.")
    return _("This file holds no certificate. Depesche reads PEM, DER and PKCS#7 files.")


def from_der(octets: bytes) -> Certificate | None:
    """The certificate that a server showed; None for one that cannot be read."""
    try:
        return describe(x509.load_der_x509_certificate(octets))
    except (ValueError, UnsupportedAlgorithm):
        return None


def describe(certificate: x509.Certificate) -> Certificate:
    """The certificate as it is kept and shown. Raises ValueError for one that cannot be read."""
    return Certificate(
        pem=certificate.public_bytes(Encoding.PEM).decode("ascii"),
        sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        subject=_name(certificate.subject) or ", ".join(_names(certificate)),
        issuer=_name(certificate.issuer),
        names=_names(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        is_authority=_is_authority(certificate),
        is_self_signed=certificate.subject == certificate.issuer,
        serial=f"{certificate.serial_number:X}",
        key=_key(certificate),
        signed_with=_signed_with(certificate),
        weakness=_weakness(certificate),
    )


def _key(certificate: x509.Certificate) -> str:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return ""
    size = getattr(key, "key_size", None)
    kind = type(key).__name__.removeprefix("_").removesuffix("PublicKey")
    return f"{kind} {size}" if size else kind


_BROKEN = frozenset({"md2", "md4", "md5", "sha1"})
_SMALLEST_RSA = 2048  # bits


def _signed_with(certificate: x509.Certificate) -> str:
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return ""
    return algorithm.name.upper().replace("SHA", "SHA-").replace("SHA-3-", "SHA3-") if algorithm else ""


def _weakness(certificate: x509.Certificate) -> str:
    try:
        key = certificate.public_key()
        algorithm = certificate.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        return ""
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _SMALLEST_RSA:
        return f"RSA {key.key_size}"
    itself = certificate.subject == certificate.issuer  # nobody believes a root for its signature
    if algorithm is not None and algorithm.name in _BROKEN and not itself:
        return algorithm.name.upper()
    return ""


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return constraints.value.ca


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    names = found.get_values_for_type(x509.DNSName)
    addresses = map(str, found.get_values_for_type(x509.IPAddress))
    return tuple(dict.fromkeys(_line(name) for name in [*names, *addresses]))


def _name(name: x509.Name) -> str:
    """Who it is, most telling part first: common name, organisation, or the whole in RFC 4514 form."""
    parts = []
    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        parts += [str(attribute.value) for attribute in name.get_attributes_for_oid(oid)]
    return _line(", ".join(dict.fromkeys(parts)) or name.rfc4514_string())


def _line(text: str) -> str:
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def names_match(names: tuple[str, ...], host: str) -> bool:
    """Whether one of a certificate's names is this host (RFC 9525: a `*` for the whole first label)."""
    host = host.rstrip(".").lower()
    try:
        wanted = ipaddress.ip_address(host)
    except ValueError:
        wanted = None
    for name in names:
        plain = name.rstrip(".").lower()
        if wanted is not None:
            if plain == str(wanted):
                return True
        elif plain == host or (plain.startswith("*.") and "." in host and host.split(".", 1)[1] == plain[2:]):
            return True
    return False


def in_groups(sha256: str) -> str:
    """The fingerprint for people to compare: `7C:41:0E…`."""
    return ":".join(sha256[at : at + 2] for at in range(0, len(sha256), 2)).upper()


def summary(certificate: Certificate) -> list[str]:
    """The certificate in six lines, for a transcript."""
    return [
        f"subject  {certificate.subject}",
        *([f"names    {', '.join(certificate.names)}"] if certificate.names else []),
        f"issuer   {certificate.issuer}",
        f"valid    {certificate.not_before:%Y-%m-%d} – {certificate.not_after:%Y-%m-%d}",
        f"key      {certificate.key}",
        f"sha256   {in_groups(certificate.sha256)}",
    ]
