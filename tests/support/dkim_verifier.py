"""dkimpy as verifier; its Ed25519 needs PyNaCl, whose part cryptography plays here."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any
from unittest import mock

import dkim
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519


class _Bad(Exception):
    """In place of PyNaCl's exception."""


class _VerifyKey:
    """What dkimpy uses of PyNaCl, on cryptography."""

    def __init__(self, key: bytes, encoder: object) -> None:
        self.key = ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(key))

    def verify(self, message: bytes, signature: bytes) -> None:
        try:
            self.key.verify(signature, message)
        except InvalidSignature:
            raise _Bad from None


_NACL = SimpleNamespace(
    signing=SimpleNamespace(VerifyKey=_VerifyKey),
    encoding=SimpleNamespace(Base64Encoder=None),
    exceptions=SimpleNamespace(BadSignatureError=_Bad, ValueError=ValueError),
)


def verdicts(octets: bytes, records: Mapping[str, str]) -> list[bool]:
    """Whether each DKIM-Signature of the mail verifies, from above. `records`: TXT records by name."""

    def lookup(name: bytes, **_: Any) -> bytes | None:
        found = records.get(name.decode("ascii").rstrip("."))
        return found.encode("ascii") if found is not None else None

    with mock.patch.object(dkim, "nacl", _NACL, create=True):
        verifier = dkim.DKIM(octets)
        count = sum(1 for name, _value in verifier.headers if name.lower() == b"dkim-signature")
        return [_verifies(octets, index, lookup) for index in range(count)]


def _verifies(octets: bytes, index: int, lookup: Callable[..., bytes | None]) -> bool:
    try:
        return bool(dkim.DKIM(octets).verify(idx=index, dnsfunc=lookup))
    except dkim.DKIMException:
        return False
