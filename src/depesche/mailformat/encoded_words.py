"""Encoded words (RFC 2047): writing them so that every mail program can read them, reading what others write.

Writing: every word is at most 75 characters, complete in itself, split between characters and never inside
one; in ISO-2022-JP each word returns to ASCII. Only the characters that RFC 2047 §5 (3) allows in a phrase
stand unescaped, so that the same word is good in a subject and in a display name.

Reading: linear in the length of the text, never raises, and the result carries no control characters, so that
nothing hidden in a word reaches a header again.
"""

from __future__ import annotations

import base64
import binascii
import re

from depesche.mailformat.characters import one_line, well_formed
from depesche.mailformat.charset import UTF_8, Charset, carries, codec_of, decode_octets

MAX_WORD = 75  # RFC 2047 §2

_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_Q_TABLE = tuple("_" if o == 0x20 else chr(o) if o in _Q_SAFE else f"={o:02X}" for o in range(256))
_Q_COST = bytes(1 if len(_Q_TABLE[o]) == 1 else 3 for o in range(256))
_MIN_ROOM = 24  # payload characters; less than this is not worth starting a word on the line


def _payload_b(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _payload_q(octets: bytes) -> str:
    return "".join(map(_Q_TABLE.__getitem__, octets))


def encode_words(text: str, charset: Charset, *, room: int = MAX_WORD, width: int = MAX_WORD) -> list[str]:
    """The text as encoded words, to be joined by folding white space.

    The first word takes at most `room` characters (never more than 75; less than fits a word is ignored), the
    others at most `width`. A text that the charset cannot carry is written in UTF-8. An empty text gives no
    word.
    """
    if not carries(charset, text):
        text, charset = well_formed(text), UTF_8
    octets = text.encode(charset.codec)
    use_q = not charset.stateful and sum(octets.translate(_Q_COST)) <= (len(octets) + 2) // 3 * 4
    prefix = f"=?{charset.mime_name}?{'Q' if use_q else 'B'}?"
    payload = _payload_q if use_q else _payload_b
    frame = len(prefix) + 2
    limit = min(max(width, frame + _MIN_ROOM), MAX_WORD) - frame
    first = min(room, MAX_WORD) - frame
    if first < _MIN_ROOM:
        first = limit
    words: list[str] = []
    start, budget = 0, first
    while start < len(text):
        # The longest piece that can fit at all, then shrunk to what does: pieces are short, so this is cheap.
        size = min(len(text) - start, budget if use_q else budget // 4 * 3)
        while True:
            coded = payload(text[start : start + size].encode(charset.codec))
            if len(coded) <= budget or size == 1:
                break
            # By the share that was too much, yet always by at least one character.
            size = max(1, min(size - 1, size * budget // len(coded) + 1))
        words.append(f"{prefix}{coded}?=")
        start += size
        budget = limit
    return words


_HEAD = re.compile(r"=\?([A-Za-z0-9_.:+\-]{1,40})(?:\*[A-Za-z0-9\-]{0,40})?\?([bBqQ])\?")
_Q_ESCAPE = re.compile(rb"=([0-9A-Fa-f]{2})")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")


def _octets(encoding: str, payload: str, charset: str) -> bytes:
    """The octets of one payload, as far as they can be made out."""
    if encoding in "qQ":
        return _Q_ESCAPE.sub(
            lambda match: bytes((int(match[1], 16),)), _raw(payload.replace("_", " "), charset)
        )
    digits = _NOT_BASE64.sub("", payload)
    digits = digits[: len(digits) - 1] if len(digits) % 4 == 1 else digits
    try:
        return binascii.a2b_base64(digits + "=" * (-len(digits) % 4))
    except binascii.Error:
        return b""


def _raw(payload: str, charset: str) -> bytes:
    """What stands unescaped in a word: ASCII; or characters, which the reader of the header made of raw
    octets."""
    if payload.isascii():
        return payload.encode("ascii")
    for codec, errors in ((codec_of(charset) or "utf-8", "strict"), ("utf-8", "surrogateescape")):
        try:
            return payload.encode(codec, errors)
        except UnicodeError:
            continue
    return payload.encode("utf-8", "replace")


def decode_words(text: str) -> str:
    """Header text as a person reads it: encoded words decoded, everything one clean line.

    Tolerates what mailers do: words inside quotation marks or glued to text, a multi-byte character split
    over two words, missing padding, spaces in Q, language tags, charsets that lie. White space between two
    words goes, as RFC 2047 §6.2 says. Takes at most the time of a few passes over the text.
    """
    if "=?" not in text:
        return one_line(text)
    pieces: list[str] = []
    held = bytearray()  # octets of neighbouring words in the same charset, decoded together
    held_charset = ""
    at = 0  # up to here the text is dealt with
    head = _HEAD.search(text)
    while head is not None:
        end = text.find("?=", head.end())
        if end < 0:
            break
        nested = text.find("=?", head.end(), end)
        if nested >= 0 and _HEAD.match(text, nested):
            head = _HEAD.search(text, nested)  # the first one was never closed: it is plain text
            continue
        between = text[at : head.start()]
        charset = head.group(1).lower()
        glue = held_charset != "" and (between == "" or between.isspace())
        if held_charset and (not glue or charset != held_charset):
            pieces.append(decode_octets(bytes(held), held_charset))
            held.clear()
        if not glue:
            pieces.append(between)
        held += _octets(head.group(2), text[head.end() : end], charset)
        held_charset = charset
        at = end + 2
        head = _HEAD.search(text, at)
    if held_charset:
        pieces.append(decode_octets(bytes(held), held_charset))
    pieces.append(text[at:])
    return one_line("".join(pieces))
