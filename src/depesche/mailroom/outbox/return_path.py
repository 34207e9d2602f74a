"""A reverse-path for each recipient, so that a report finds the very mail it is about whatever it repeats of
it: tracker+b-k7q2…@example.org. Pure but for the key.

The tag is `b-` and lower-case base32 of the recipient's number (LEB128) and 80 bits of HMAC-SHA-256: whoever
has not had the mail cannot make one. It is found without regard to case. Where it would make the local part
longer than 64 octets (RFC 5321 §4.5.3.1.1), the plain address stands, and reports go by Message-ID.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.utils.crypto import salted_hmac

_MAC: Final = 10  # octets
_TAG: Final = re.compile(r"\+b-([a-z2-7]{18,40})@", re.IGNORECASE)
_MOST: Final = 50  # addresses that are looked at


class ReturnPaths:
    """The reverse-paths made of one address; cheap, since every mail needs one."""

    def __init__(self, address: str) -> None:
        self.address = address
        local, _at, self._domain = address.rpartition("@")
        plain = bool(local) and not any(character in '"+' for character in local)
        self._head = f"{local}+b-"
        self._room = 64 - len(self._head.encode()) if plain else 0

    def of(self, recipient_id: int) -> str:
        """The reverse-path of the mail to this recipient."""
        token = _token(recipient_id)
        return f"{self._head}{token}@{self._domain}" if len(token) <= self._room else self.address


def recipient_of(addresses: Iterable[str]) -> int | None:
    """The recipient whose reverse-path stands among these addresses; None where there is none of ours."""
    for text, _number in zip(addresses, range(_MOST), strict=False):
        match = _TAG.search(text[:400])
        found = _read(match[1]) if match else None
        if found is not None:
            return found
    return None


def _token(number: int) -> str:
    payload = _leb128(number)
    return base64.b32encode(payload + _mac(payload)).decode("ascii").lower().rstrip("=")


def _read(token: str) -> int | None:
    token = token.upper()
    try:
        octets = base64.b32decode(token + "=" * (-len(token) % 8))
    except ValueError:
        return None
    payload, mac = octets[:-_MAC], octets[-_MAC:]
    if not payload or not hmac.compare_digest(mac, _mac(payload)):
        return None
    number = sum((octet & 0x7F) << 7 * place for place, octet in enumerate(payload))
    return number if _token(number).upper() == token else None  # base32 has spare bits at its end


def _leb128(number: int) -> bytes:
    octets = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        octets.append(low | (0x80 if number else 0))
        if not number:
            return bytes(octets)


def _mac(payload: bytes) -> bytes:
    return hmac.digest(_key(settings.SECRET_KEY), payload, hashlib.sha256)[:_MAC]


@lru_cache(maxsize=4)
def _key(secret: str) -> bytes:
    return salted_hmac("depesche.outbox.return-path", "v1", secret=secret, algorithm="sha256").digest()
