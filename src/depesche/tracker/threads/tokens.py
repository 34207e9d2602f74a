"""Signed tokens: which item and which person a mail belongs to, in letters that survive any mail system.
Pure.

A token is lower-case base32 (RFC 4648 §6, without padding) of

    item (LEB128) + person (LEB128) + when it was made (LEB128, seconds) + the first 10 octets of HMAC-SHA-256

When it was made lets it run out and be revoked without a row for each. A token for ever (the root of a
thread, a link to mute an item) lacks it. 80 bits of MAC: to forge one, 2^79 mails on average. It is
compared without regard to case, since mail systems change the case of local parts, and is found inside
other characters, since they also change what stands around it. Nothing in it is secret but the MAC.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

MAC_OCTETS: Final = 10
LONGEST: Final = 54  # characters; ids of 63 bits and the time of a thousand years give 53
BEGINNING: Final = 1_767_225_600  # 2026-01-01T00:00:00Z: seconds in tokens count from here
_RUN: Final = re.compile(r"(?<![a-z0-9])[a-z2-7]{20,54}(?![a-z0-9])")
_MOST_CANDIDATES: Final = 400  # of one mail: what a hostile References header may cost is bounded
_MOST_CHARACTERS: Final = 2000  # of one address or id


@dataclass(frozen=True)
class Thread:
    """What a token stands for. `person_id` None: the item alone (the root id, which everybody's mail
    carries). `made_at`: seconds since 1970; None for a token for ever."""

    item_id: int
    person_id: int | None
    made_at: int | None = None


class Tokens:
    """Makes and checks tokens with one key. Different purposes have different keys, so that a link to mute an
    item is worth nothing as an answer to it."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, item_id: int, person_id: int | None, made_at: int | None = None) -> str:
        """At most LONGEST characters. `made_at` before 2026 counts as the beginning of that year."""
        payload = _leb128(item_id) + _leb128(person_id or 0)
        if made_at is not None:
            payload += _leb128(max(made_at - BEGINNING, 0))
        return base64.b32encode(payload + self._mac(payload)).decode("ascii").lower().rstrip("=")

    def read(self, token: str) -> Thread | None:
        """What the token stands for; None unless it was made with this key. Takes the same time for every
        wrong MAC."""
        token = token.upper()
        try:
            octets = base64.b32decode(token + "=" * (-len(token) % 8))
        except ValueError:
            return None
        payload, mac = octets[:-MAC_OCTETS], octets[-MAC_OCTETS:]
        if not payload or not hmac.compare_digest(mac, self._mac(payload)):
            return None
        numbers = _numbers(payload)
        if len(numbers) not in (2, 3):
            return None
        item_id, person_id = numbers[:2]
        made_at = numbers[2] + BEGINNING if len(numbers) == 3 else None
        if self.make(item_id, person_id, made_at).upper() != token:  # base32 has spare bits at its end
            return None
        return Thread(item_id, person_id or None, made_at)

    def find(self, texts: Iterable[str]) -> list[Thread]:
        """The threads that addresses or message ids name, in their order, each once; wrong ones are passed
        over."""
        found: dict[Thread, None] = {}
        for number, candidate in enumerate(_candidates(texts)):
            if number >= _MOST_CANDIDATES:
                break
            thread = self.read(candidate)
            if thread is not None:
                found[thread] = None
        return list(found)

    def _mac(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, payload, hashlib.sha256)[:MAC_OCTETS]


def _candidates(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        for match in _RUN.finditer(text[:_MOST_CHARACTERS].lower()):
            yield match.group()


def _leb128(number: int) -> bytes:
    if number < 0:
        raise ValueError("ids are not negative")
    octets = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        octets.append(low | (0x80 if number else 0))
        if not number:
            return bytes(octets)


def _numbers(octets: bytes) -> list[int]:
    """The numbers, or [] when the octets do not end with the end of one."""
    numbers, value, shift = list[int](), 0, 0
    for octet in octets:
        value |= (octet & 0x7F) << shift
        shift += 7
        if not octet & 0x80:
            numbers.append(value)
            value, shift = 0, 0
    return [] if shift else numbers
