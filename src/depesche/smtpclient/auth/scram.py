"""SCRAM-SHA-256 and SCRAM-SHA-1 (RFC 5802, RFC 7677), without channel binding.

The password never travels, and the server must prove that it knows it: without its signature the login fails,
whatever the server says.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Callable
from typing import ClassVar

from depesche.smtpclient.auth.mechanism import AuthenticationFailed
from depesche.smtpclient.config import Password

# A hostile server must not be able to keep us busy: 600,000 is OWASP's advice for SHA-256, this is 5 times
# that for a computation of about a second. Fewer than 4096 (the RFC's minimum) would make the proof easy to
# break.
_MAX_ITERATIONS = 3_000_000
_MIN_ITERATIONS = 4096

_SERVER_FIRST = re.compile(r"r=([!-+\--~]+),s=([A-Za-z0-9+/=]+),i=([1-9][0-9]{0,8})(?:,.*)?\Z", re.DOTALL)


def prepared(text: str) -> str:
    """SASLprep as far as it matters (RFC 4013): spaces are mapped, soft hyphens dropped, NFKC. Unlike the RFC
    it refuses nothing: a password that the server took is a password."""
    mapped = "".join(
        " " if unicodedata.category(c) == "Zs" else c for c in text if c not in _MAPPED_TO_NOTHING
    )
    return unicodedata.normalize("NFKC", mapped)


_MAPPED_TO_NOTHING = frozenset(
    "\u00ad\u034f\u1806\u180b\u180c\u180d\u200b\u200c\u200d\u2060\ufeff"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
)


class _Scram:
    name: ClassVar[str]
    hides_password: ClassVar[bool] = True
    _hash: ClassVar[str]

    def __init__(
        self, credentials: Password, nonce: Callable[[], str] = lambda: secrets.token_urlsafe(24)
    ) -> None:
        self._credentials = credentials
        self._nonce = nonce()
        self._first_bare = ""
        self._signature: bytes | None = None
        self._proven = False

    def initial(self) -> bytes:
        name = prepared(self._credentials.username).replace("=", "=3D").replace(",", "=2C")
        self._first_bare = f"n={name},r={self._nonce}"
        return f"n,,{self._first_bare}".encode()

    def step(self, challenge: bytes) -> bytes:
        if not self._first_bare:
            if challenge:
                raise AuthenticationFailed("the server spoke before SCRAM had begun")
            return self.initial()
        try:
            text = challenge.decode("utf-8")
        except UnicodeDecodeError as error:
            raise AuthenticationFailed("a SCRAM challenge is not UTF-8") from error
        if self._signature is None:
            return self._final(text)
        self._check(text)
        return b""

    def _final(self, server_first: str) -> bytes:
        found = _SERVER_FIRST.match(server_first)
        if not found:
            raise AuthenticationFailed("the server's SCRAM challenge cannot be read")
        nonce, iterations = found[1], int(found[3])
        if not nonce.startswith(self._nonce) or len(nonce) == len(self._nonce):
            raise AuthenticationFailed("the server's SCRAM nonce does not continue ours", unproven=True)
        if not _MIN_ITERATIONS <= iterations <= _MAX_ITERATIONS:
            raise AuthenticationFailed(f"the server wants {iterations} SCRAM iterations")
        try:
            salt = base64.b64decode(found[2], validate=True)
        except (binascii.Error, ValueError) as error:
            raise AuthenticationFailed("the server's SCRAM salt is not base64") from error
        password = prepared(self._credentials.password).encode()
        salted = hashlib.pbkdf2_hmac(self._hash, password, salt, iterations)
        client_key = self._hmac(salted, b"Client Key")
        without_proof = f"c=biws,r={nonce}"
        message = f"{self._first_bare},{server_first},{without_proof}".encode()
        signature = self._hmac(hashlib.new(self._hash, client_key).digest(), message)
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        self._signature = self._hmac(self._hmac(salted, b"Server Key"), message)
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def _check(self, server_final: str) -> None:
        if server_final.startswith("e="):
            raise AuthenticationFailed("the server refused the SCRAM proof")
        value = server_final.partition(",")[0]
        try:
            signature = base64.b64decode(value.removeprefix("v="), validate=True)
        except (binascii.Error, ValueError) as error:
            raise AuthenticationFailed("the server's SCRAM signature is not base64", unproven=True) from error
        if not value.startswith("v=") or not hmac.compare_digest(signature, self._signature or b""):
            raise AuthenticationFailed("the server's SCRAM signature is wrong", unproven=True)
        self._proven = True

    def finish(self) -> None:
        if not self._proven:
            raise AuthenticationFailed(
                "the server accepted the login without its SCRAM signature", unproven=True
            )

    def _hmac(self, key: bytes, message: bytes) -> bytes:
        return hmac.new(key, message, self._hash).digest()


class ScramSha256(_Scram):
    name: ClassVar[str] = "SCRAM-SHA-256"
    _hash: ClassVar[str] = "sha256"


class ScramSha1(_Scram):
    name: ClassVar[str] = "SCRAM-SHA-1"
    _hash: ClassVar[str] = "sha1"
