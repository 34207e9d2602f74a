"""Whom we believe, as an `ssl.SSLContext`; and why a handshake failed, as a `Cause`.

For SMTP, IMAP and POP3 alike, with asyncio and with plain sockets. Two calls belong together:
`context(trust)` before the handshake, `verify_peer(...)` right after it, before anything is said.

Verification is never off. With a pin the chain and the name say nothing any more (that is what a pin is for),
so the context does not look at them, and `verify_peer` demands the exact certificate and its dates instead.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from cryptography import x509

from depesche.smtpclient.config import Trust
from depesche.smtpclient.errors import Cause, Stage, SubmissionError


class CertificateError(Exception):
    """The certificate is not the one that is trusted here, or not at this time. `cause` says which."""

    def __init__(self, cause: Cause, detail: str = "") -> None:
        super().__init__(cause, detail)
        self.cause = cause
        self.detail = detail


@functools.lru_cache(maxsize=32)
def context(trust: Trust) -> ssl.SSLContext:
    """The context for this trust: TLS 1.2 at least, the system's roots and the given entries.

    With pins, the handshake alone proves nothing: `verify_peer` must follow. Raises ValueError for an entry
    that is no certificate. Cached: building one reads all the system's roots.
    """
    return fresh_context(trust)


def fresh_context(trust: Trust) -> ssl.SSLContext:
    """The same, not shared with anybody."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols([])
    if trust.pins:
        made.check_hostname = False
        # The exact certificate is compared by verify_peer; see the head of this file.
        made.verify_mode = ssl.CERT_NONE
        return made
    made.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if trust.ca_pems or trust.leaf_pems:
        # What is trusted need not be a root: an authority below one, or a server's own certificate by itself.
        # Names and dates are still checked.
        made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    for entry in (*trust.ca_pems, *trust.leaf_pems):
        _load(made, entry)
    return made


def _load(made: ssl.SSLContext, entry: bytes | str) -> None:
    if isinstance(entry, str):
        entry = entry.encode("ascii")
    try:
        if b"-----BEGIN" in entry:
            made.load_verify_locations(cadata=entry.decode("ascii"))
        else:
            made.load_verify_locations(cadata=entry)
    except (ssl.SSLError, ValueError) as error:
        # The same certificate twice is no mistake.
        if not (isinstance(error, ssl.SSLError) and "CERT_ALREADY_IN_HASH_TABLE" in str(error)):
            raise ValueError("a keystore entry is not a certificate") from error


def fingerprint(der: bytes) -> str:
    """SHA-256 of a certificate in lower-case hex: what a pin is compared with."""
    return hashlib.sha256(der).hexdigest()


def verify_peer(trust: Trust, der: bytes | None, hostname: str = "", *, now: datetime | None = None) -> None:
    """What the context could not check: with pins, the exact certificate and its dates.

    Raises CertificateError. Without pins the handshake has checked chain, name and dates already.
    """
    if der is None:
        raise CertificateError(Cause.CERT_INVALID, "the server showed no certificate")
    if not trust.pins:
        return
    if fingerprint(der) not in trust.pins:
        raise CertificateError(Cause.CERT_CHANGED, f"{hostname} shows SHA-256 {fingerprint(der)}".strip())
    try:
        certificate = x509.load_der_x509_certificate(der)
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except ValueError as error:
        raise CertificateError(Cause.CERT_INVALID) from error
    now = now or datetime.now(UTC)
    if now < begins:
        raise CertificateError(Cause.CERT_NOT_YET_VALID, f"valid from {begins:%Y-%m-%d %H:%M} UTC")
    if now > ends:
        raise CertificateError(Cause.CERT_EXPIRED, f"valid until {ends:%Y-%m-%d %H:%M} UTC")


def chain_of(secured: Any) -> tuple[bytes, ...]:
    """The certificates that the server sent, its own first, in DER; from an SSLSocket or SSLObject.

    They are what it showed, not what was verified. Never empty where it showed one.
    """
    # Public from Python 3.13 on; before, the object underneath has it.
    unverified = getattr(secured, "get_unverified_chain", None)
    if unverified is None:
        unverified = getattr(getattr(secured, "_sslobj", None), "get_unverified_chain", None)
    found = (unverified() or ()) if unverified is not None else ()
    chain = tuple(
        one if isinstance(one, bytes) else ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in found
    )
    own = secured.getpeercert(binary_form=True)
    return chain or ((own,) if own else ())


def octets_wait(plain: socket.socket, reader: Any) -> bool:
    """Whether the other side has said more than was read, at the moment at which TLS is to begin. Nobody who
    is there to speak TLS does: the client speaks first. Then somebody put it there, to have it taken for what
    the server says under TLS (RFC 3207 §6)."""
    timeout = plain.gettimeout()
    plain.settimeout(0)
    try:
        return bool(reader.peek(1))  # of a socket's makefile("rb"): what it holds, or what is there
    except OSError:
        return False
    finally:
        plain.settimeout(timeout)


_VERIFY_CAUSES = {  # X509_V_ERR_…
    9: Cause.CERT_NOT_YET_VALID,
    10: Cause.CERT_EXPIRED,
    18: Cause.CERT_SELF_SIGNED,
    19: Cause.CERT_UNKNOWN_CA,
    2: Cause.CERT_UNKNOWN_CA,
    20: Cause.CERT_UNKNOWN_CA,
    21: Cause.CERT_UNKNOWN_CA,
    62: Cause.CERT_OTHER_HOST,
    64: Cause.CERT_OTHER_HOST,
    66: Cause.CERT_WEAK,
    67: Cause.CERT_WEAK,
    68: Cause.CERT_WEAK,
}

_PLAIN_SERVER = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE")
_TOO_OLD = ("UNSUPPORTED_PROTOCOL", "PROTOCOL_VERSION", "VERSION_TOO_LOW", "NO_PROTOCOLS_AVAILABLE")
_WANTS_OURS = ("ALERT_CERTIFICATE_REQUIRED",)
_WEAK = ("EE_KEY_TOO_SMALL", "CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK", "DH_KEY_TOO_SMALL")


def cause_of(error: BaseException) -> tuple[Cause, str]:
    """Cause and detail for what a handshake raised."""
    if isinstance(error, CertificateError):
        return error.cause, error.detail
    if isinstance(error, ssl.SSLCertVerificationError):
        return _VERIFY_CAUSES.get(error.verify_code, Cause.CERT_INVALID), error.verify_message or ""
    if isinstance(error, ssl.SSLError):
        reason = error.reason or ""
        for names, cause in (
            (_PLAIN_SERVER, Cause.PLAIN_ON_TLS_PORT),
            (_TOO_OLD, Cause.TLS_TOO_OLD),
            (_WANTS_OURS, Cause.CLIENT_CERTIFICATE_WANTED),
            (_WEAK, Cause.CERT_WEAK),
        ):
            if any(name in reason for name in names):
                return cause, reason.replace("_", " ").lower()
        return Cause.TLS_HANDSHAKE, reason.replace("_", " ").lower()
    if isinstance(error, TimeoutError):
        return Cause.TIMEOUT, ""
    if isinstance(error, ConnectionError):
        # asyncio reports its own handshake timeout as an aborted connection.
        if "taking longer than" in str(error):
            return Cause.TIMEOUT, ""
        return Cause.TLS_HANDSHAKE, "the server closed the connection during the handshake"
    return Cause.TLS_HANDSHAKE, type(error).__name__


@contextlib.contextmanager
def explained(*, after_starttls: bool = False) -> Iterator[None]:
    """Turn whatever a handshake raises into a SubmissionError of stage TLS."""
    try:
        yield
    except (ssl.SSLError, OSError, CertificateError) as error:
        cause, detail = cause_of(error)
        if after_starttls and cause is Cause.PLAIN_ON_TLS_PORT:
            cause = Cause.TLS_HANDSHAKE
        raise SubmissionError(Stage.TLS, cause, detail=detail) from error


@functools.cache
def client_hello() -> bytes:
    """The first octets of a TLS session: a probe for servers that wait in silence for TLS."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        made.wrap_bio(incoming, outgoing).do_handshake()
    return outgoing.read()


def looks_like_tls(octets: bytes) -> bool:
    """Whether these are the first octets of a TLS record (alert or handshake)."""
    return len(octets) >= 2 and octets[0] in (0x15, 0x16) and octets[1] == 3
