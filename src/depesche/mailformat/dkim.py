"""DKIM signatures (RFC 6376), relaxed/relaxed: RSA-SHA256, and Ed25519-SHA256 (RFC 8463).

Signing comes last: a mail is turned to 7 bits first where its server needs that, and then signed. The fields
that mean something to a reader are signed once more than they occur, so that nobody can add another one.
"""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from depesche.mailformat.addresses import canonical_domain

SigningKey = RSAPrivateKey | Ed25519PrivateKey

_SEALED = (b"from", b"to", b"cc", b"reply-to", b"subject", b"date", b"message-id", b"content-type")
_SIGNED = frozenset(_SEALED) | {
    *(b"sender", b"in-reply-to", b"references", b"mime-version", b"content-transfer-encoding"),
    *(b"list-id", b"list-unsubscribe", b"list-unsubscribe-post", b"auto-submitted"),
}
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)\r\n")
_WHITE = re.compile(rb"[ \t]+")
_SELECTOR = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9_\-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9_\-]*[A-Za-z0-9])?)*"
)


def load_key(pem: bytes) -> SigningKey:
    """The private key in a PEM file without a password; ValueError unless it is RSA (1024 bits or more) or
    Ed25519.

    The error never repeats the key.
    """
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise ValueError("not a private key in PEM form without a password") from None
    if isinstance(key, Ed25519PrivateKey) or (isinstance(key, RSAPrivateKey) and key.key_size >= 1024):
        return key
    raise ValueError("DKIM takes RSA keys of at least 1024 bits, or Ed25519")


def dns_record(key: SigningKey) -> str:
    """The TXT record for `selector._domainkey.domain`."""
    if isinstance(key, Ed25519PrivateKey):
        public, kind = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw), "ed25519"
    else:
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        kind = "rsa"
    return f"v=DKIM1; k={kind}; p={base64.b64encode(public).decode('ascii')}"


def _relaxed_field(name: bytes, value: bytes) -> bytes:
    return name.lower() + b":" + _WHITE.sub(b" ", value.replace(b"\r\n", b"")).strip(b" \t")


def relaxed_body(body: bytes) -> bytes:
    """RFC 6376 §3.4.4: white space reduced, none at line ends, no empty lines at the end; empty stays
    empty."""
    if b"  " in body or b"\t" in body:
        body = _WHITE.sub(b" ", body)
    body = body.replace(b" \r\n", b"\r\n").rstrip(b"\r\n")
    return body + b"\r\n" if body else b""


def sign(octets: bytes, *, domain: str, selector: str, private_key: SigningKey, now: datetime) -> bytes:
    """The DKIM-Signature field (folded, with its CRLF) to put in front of the mail; the mail itself is not
    changed.

    `octets`: the whole mail in wire form (CRLF). ValueError for a selector or domain that is none, a mail
    without From (RFC 6376 §5.4), or a time without zone.
    """
    head, _, body = octets.partition(b"\r\n\r\n")
    digest = body_digest(body)
    return sign_head(
        head + b"\r\n", digest, domain=domain, selector=selector, private_key=private_key, now=now
    )


def body_digest(body: bytes) -> str:
    """The hash of a body, as all signatures of mails with this body carry it (`bh=`)."""
    return base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode("ascii")


def sign_head(
    head: bytes, digest: str, *, domain: str, selector: str, private_key: SigningKey, now: datetime
) -> bytes:
    """The same for header fields (each with its CRLF, without the blank line) over a body whose `body_digest`
    is known: who writes to many with one body hashes it once."""
    domain = canonical_domain(domain).lower()
    if _SELECTOR.fullmatch(selector) is None:
        raise ValueError("a DKIM selector is letters, digits, hyphens and dots")
    if now.tzinfo is None:
        raise ValueError("the time of a signature needs a time zone")
    chosen: list[bytes] = []
    names: list[bytes] = []
    # Of several fields of one name the last one is signed first (RFC 6376 §5.4.2).
    for name, value in reversed(_FIELD.findall(head)):
        if name.lower() in _SIGNED:
            chosen.append(_relaxed_field(name, value) + b"\r\n")
            names.append(name.lower())
    if b"from" not in names:
        raise ValueError("a mail without From cannot be signed")
    names += _SEALED
    algorithm = "ed25519-sha256" if isinstance(private_key, Ed25519PrivateKey) else "rsa-sha256"
    tags = [
        *(
            f"v=1; a={algorithm}; c=relaxed/relaxed;",
            f"d={domain};",
            f"s={selector};",
            f"t={int(now.timestamp())};",
        ),
        *_folded("h=", [name.decode("ascii") for name in names], ":", ";"),
        f"bh={digest};",
        "b=",
    ]
    value = b" " + "\r\n ".join(tags).encode("ascii")
    signed = b"".join(chosen) + _relaxed_field(b"dkim-signature", value)
    if isinstance(private_key, Ed25519PrivateKey):
        signature = private_key.sign(hashlib.sha256(signed).digest())
    else:
        signature = private_key.sign(signed, PKCS1v15(), SHA256())
    coded = base64.b64encode(signature)
    lines = [coded[at : at + 72] for at in range(0, len(coded), 72)]
    return b"DKIM-Signature:" + value + b"\r\n ".join([b"", *lines]).removeprefix(b"\r\n ") + b"\r\n"


def _folded(start: str, words: list[str], separator: str, end: str) -> list[str]:
    """The words with their separator, in lines of at most 76 characters."""
    lines: list[str] = []
    line = start
    for index, word in enumerate(words):
        piece = word + (end if index == len(words) - 1 else separator)
        if len(line) + len(piece) > 76:
            lines.append(line)
            line = ""
        line += piece
    return [*lines, line]
