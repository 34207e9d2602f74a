"""The letter inside an opaquely signed mail (S/MIME, RFC 8551 §3.5.2), as Outlook sends it on demand.

Only the way to the content is read, nothing is verified: the letter must be readable, and whether the
signature is worth anything is another question. Encrypted content has another object identifier and yields
nothing.
"""

from __future__ import annotations

_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_SEQUENCE, _SET, _OID, _OCTETS, _OCTETS_IN_PARTS, _EXPLICIT = 0x30, 0x31, 0x06, 0x04, 0x24, 0xA0
_DEEPEST = 10


class _Broken(ValueError):
    pass


def _header(data: bytes, at: int) -> tuple[int, int, int]:
    """Tag, start of the value and its length (-1: until the end-of-contents octets) of an element."""
    if at + 2 > len(data):
        raise _Broken
    tag, size = data[at], data[at + 1]
    if tag & 0x1F == 0x1F:
        raise _Broken
    at += 2
    if size < 0x80:
        return tag, at, size
    if size == 0x80:
        return tag, at, -1
    octets = size & 0x7F
    if octets > 8 or at + octets > len(data):
        raise _Broken
    return tag, at + octets, int.from_bytes(data[at : at + octets], "big")


def _after(data: bytes, at: int, depth: int = 0) -> int:
    """Where the element behind the one at `at` begins."""
    _, start, size = _header(data, at)
    if size >= 0:
        return start + size
    if depth > _DEEPEST:
        raise _Broken
    while data[start : start + 2] != b"\x00\x00":
        start = _after(data, start, depth + 1)
    return start + 2


def _enter(data: bytes, at: int, wanted: int) -> int:
    tag, start, _ = _header(data, at)
    if tag != wanted:
        raise _Broken
    return start


def signed_content(data: bytes) -> bytes | None:
    """The octets that were signed, or None when this is no signed data with its content in it. Linear."""
    try:
        at = _enter(data, 0, _SEQUENCE)
        tag, start, size = _header(data, at)
        if tag != _OID or data[start : start + size] != _SIGNED_DATA:
            return None
        at = _enter(data, _enter(data, start + size, _EXPLICIT), _SEQUENCE)
        at = _after(data, at)  # version
        at = _after(data, at)  # digest algorithms
        at = _enter(data, at, _SEQUENCE)
        at = _after(data, at)  # type of the content
        return _octets(data, _enter(data, at, _EXPLICIT))
    except (_Broken, IndexError, RecursionError):
        return None


def _octets(data: bytes, at: int) -> bytes:
    """An octet string, whole or in parts."""
    tag, start, size = _header(data, at)
    if tag == _OCTETS and size >= 0:
        return data[start : start + size]
    if tag != _OCTETS_IN_PARTS:
        raise _Broken
    end = len(data) if size < 0 else min(start + size, len(data))
    parts: list[bytes] = []
    while start < end and data[start : start + 2] != b"\x00\x00":
        tag, inner, length = _header(data, start)
        if tag != _OCTETS or length < 0:
            raise _Broken
        parts.append(data[inner : inner + length])
        start = inner + length
    return b"".join(parts)
