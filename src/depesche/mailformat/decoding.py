"""Bodies to text and octets, whatever the label says.

Mail lies about its charset: UTF-8 called Latin-1, GBK called GB2312, 8-bit bytes called US-ASCII, names that
no registry knows. `charset.decode_octets` reads what labels mean in practice; here the labels that are
plainly wrong are overruled first, and transfer encodings are undone as far as they can be.
"""

from __future__ import annotations

import binascii
import quopri
import re
from dataclasses import dataclass

from depesche.mailformat.charset import decode_octets

#: Beginnings of labels of multi-byte charsets: there a text can be valid UTF-8 by chance.
_MULTI_BYTE = (
    "gb",
    "big5",
    "cp9",
    "euc",
    "ks",
    "shift",
    "sjis",
    "x-sjis",
    "hz",
    "x-gbk",
    "x-euc",
    "windows-9",
)
_STATEFUL = ("iso-2022", "iso2022", "utf-7", "hz", "cp5022")
_UTF_16 = ("utf-16", "utf16", "unicode", "ucs-2", "utf-32", "utf32", "ucs-4")
_SAYS_NOTHING = ("", "us-ascii", "ascii", "utf-8", "utf8", "unknown-8bit", "unknown", "x-unknown", "default")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def decode_text(data: bytes, label: str = "") -> tuple[str, bool]:
    """Text of `data`, and whether the label told the truth. Never raises; NUL bytes are dropped."""
    text, honest = _decode(data, label.strip().strip("\"'").strip().lower())
    if "\x00" in text:
        text = text.replace("\x00", "")
    return text.removeprefix("\ufeff"), honest


def _decode(data: bytes, label: str) -> tuple[str, bool]:
    if data.isascii():
        if b"\x1b$" in data and b"\x1b(" in data and not label.startswith(_STATEFUL):
            # Gateways drop the label of ISO-2022-JP: its escapes are unmistakable.
            return decode_octets(data, "iso-2022-jp"), label in _SAYS_NOTHING
        if label.startswith(_STATEFUL) or (label.startswith(_UTF_16) and b"\x00" in data):
            return decode_octets(data, label), True
        return data.decode("ascii"), True
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) and len(data) % 2 == 0:
        return data.decode("utf-16", "replace"), True
    if label in _SAYS_NOTHING:
        return decode_octets(data, "utf-8"), label.startswith("utf") and _is_utf8(data)
    if label.startswith(_UTF_16) and data.count(0) * 8 < len(data):
        return decode_octets(data, "utf-8"), False  # labelled UTF-16, yet hardly a NUL in it: it is not
    if not label.startswith((*_STATEFUL, *_UTF_16)) and _is_utf8(data):
        # In a single-byte charset text is so rarely valid UTF-8 that the label is the error. In a multi-byte
        # one only a long text proves it: two Chinese characters in GBK can be valid UTF-8.
        if not label.startswith(_MULTI_BYTE):
            return data.decode("utf-8"), False
        if len(data) >= 24 or decode_octets(data, label).count("\ufffd"):
            return data.decode("utf-8"), False
    text = decode_octets(data, label)
    return text, "\ufffd" not in text


_BASE64_JUNK = re.compile(rb"[^A-Za-z0-9+/=]+")


def decode_base64(data: bytes) -> tuple[bytes, bool]:
    """Octets of a base64 body and whether it was well formed. What can be decoded is decoded."""
    compact = data
    try:
        return binascii.a2b_base64(compact), True
    except (binascii.Error, ValueError):
        pass
    compact = _BASE64_JUNK.sub(b"", data)
    pieces: list[bytes] = []
    # Padding in the middle: several encodings glued together. Each piece is decoded for itself.
    for piece in compact.split(b"="):
        if not piece:
            continue
        whole = piece[: len(piece) - 1] if len(piece) % 4 == 1 else piece
        try:
            pieces.append(binascii.a2b_base64(whole + b"=" * (-len(whole) % 4)))
        except (binascii.Error, ValueError):
            continue
    return b"".join(pieces), False


_UU_BEGIN = re.compile(rb"(?:^|\n)begin (?:-base64 )?[0-7]{3,4} ([^\n]{1,200})\n")


@dataclass(frozen=True, slots=True)
class UuencodedFile:
    """A file found in a text body between `begin` and `end`."""

    filename: str
    data: bytes


def split_uuencode(body: bytes) -> tuple[bytes, tuple[UuencodedFile, ...]]:
    """The body without the uuencoded files in it, and those files. Linear."""
    if b"begin " not in body:
        return body, ()
    kept: list[bytes] = []
    files: list[UuencodedFile] = []
    position = 0
    while True:
        match = _UU_BEGIN.search(body, position)
        if match is None:
            break
        end = body.find(b"\nend", match.end() - 1)
        if end < 0:
            break
        decoded = _uu_lines(body[match.end() : end])
        if decoded is None:
            kept.append(body[position : match.end()])
            position = match.end()
            continue
        name, _ = decode_text(match.group(1).strip())
        files.append(UuencodedFile(name, decoded))
        kept.append(body[position : match.start()] + b"\n")
        position = end + 4
        if len(files) >= 100:
            break
    kept.append(body[position:])
    return b"".join(kept), tuple(files)


def _uu_lines(block: bytes) -> bytes | None:
    out: list[bytes] = []
    for line in block.split(b"\n"):
        stripped = line.rstrip(b"\r")
        if not stripped:
            continue
        try:
            out.append(binascii.a2b_uu(stripped))
        except (binascii.Error, ValueError):
            # Old encoders count the padding: cut the line to what its length octet announces.
            try:
                size = (((stripped[0] - 32) & 63) * 4 + 5) // 3
                out.append(binascii.a2b_uu(stripped[:size]))
            except (binascii.Error, ValueError):
                return None
    return b"".join(out)


def decode_transfer(data: bytes, encoding: str) -> tuple[bytes, bool]:
    """Undo the Content-Transfer-Encoding; unknown names are taken as identity. Second: well formed?"""
    name = encoding.split(";", 1)[0].strip().strip("\"'").lower()
    if name in (
        "",
        "7bit",
        "8bit",
        "binary",
        "7-bit",
        "8-bit",
        "7bits",
        "8bits",
        "none",
        "us-ascii",
        "utf-8",
    ):
        return data, True
    if name in ("base64", "base-64", "base64encoded", "x-base64"):
        return decode_base64(data)
    if name in ("quoted-printable", "quotedprintable", "quoted_printable", "qp", "q", "quoted-printeable"):
        try:
            return quopri.decodestring(data), True
        except (ValueError, binascii.Error):
            return data, False
    if name in ("x-uuencode", "uuencode", "x-uue", "uue", "x-uu"):
        _, files = split_uuencode(b"\n" + data + b"\n")
        if files:
            return files[0].data, True
        return data, False
    return data, False
