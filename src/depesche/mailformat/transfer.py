"""Mails over servers that carry seven bits only: 8-bit parts become quoted-printable or base64.

Works on the wire form (CRLF) of any mail that this package or Django's mail classes wrote, nested to any
depth that occurs; what is already ASCII stays octet for octet. Signatures over the body are broken by it:
whoever signs converts first.
"""

from __future__ import annotations

import binascii
import re

from depesche.mailformat.charset import UTF_8, decode_octets
from depesche.mailformat.encoded_words import encode_words

MAX_LINE = 998  # octets without CRLF, RFC 5322 §2.1.1
_MAX_DEPTH = 40

_FIELDS = re.compile(rb"[^\r\n]*(?:\r\n[ \t][^\r\n]*)*")
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_MEDIA_TYPE = re.compile(rb"\s*([A-Za-z0-9!#$&^_.+\-]+)/([A-Za-z0-9!#$&^_.+\-]+)")
_BOUNDARY = re.compile(rb';\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))', re.IGNORECASE)
_QP_ESCAPED = bytes(o for o in range(256) if not (32 <= o < 127 or o in b"\t\r\n") or o == 0x3D)
_WORD = re.compile(r"""[^\x00-\x20"<>,;()\\]+""")


def needs_8bit(octets: bytes) -> bool:
    """Whether the octets can only go to a server with 8BITMIME (or through `to_seven_bit`)."""
    return not octets.isascii()


def needs_smtputf8(octets: bytes) -> bool:
    """Whether a header field is outside ASCII, as with an international local part: RFC 6531 asks for
    SMTPUTF8 then, even where the envelope is ASCII. A server without it can be given the result of
    `to_seven_bit`.
    """
    return not octets.isascii() and not octets.partition(b"\r\n\r\n")[0].isascii()


def has_long_line(octets: bytes) -> bool:
    """Whether a line is longer than the 998 octets that SMTP carries."""
    return len(octets) > MAX_LINE and max(map(len, octets.split(b"\r\n"))) > MAX_LINE


def crlf(octets: bytes) -> bytes:
    """The octets with CRLF line ends only."""
    lines = octets.count(b"\r\n")
    if octets.count(b"\n") == lines and octets.count(b"\r") == lines:
        return octets
    return octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")


def base64_lines(octets: bytes) -> bytes:
    """Base64 in lines of 76 characters, each with CRLF."""
    return b"".join(
        binascii.b2a_base64(octets[at : at + 57], newline=False) + b"\r\n" for at in range(0, len(octets), 57)
    )


def encode_text(octets: bytes) -> tuple[str, bytes]:
    """Text with CRLF line ends in whichever is shorter: ("quoted-printable" or "base64", the octets so
    encoded)."""
    escaped = len(octets) - len(octets.translate(None, _QP_ESCAPED))
    if 2 * escaped * 3 <= len(octets):
        return "quoted-printable", crlf(binascii.b2a_qp(octets, istext=True, quotetabs=False))
    return "base64", base64_lines(octets)


def to_seven_bit(octets: bytes) -> bytes:
    """The same mail in ASCII: same structure, same texts, same files, same header texts.

    Header fields with raw UTF-8 get encoded words. A mail whose addresses are themselves outside ASCII cannot
    be written so: it belongs to a server with SMTPUTF8, which carries 8 bits anyway; here such an address
    becomes an encoded word, readable and no address any more.
    """
    if octets.isascii():
        return octets
    return _entity(crlf(octets), b"text/plain", 0)


def _entity(entity: bytes, default_type: bytes, depth: int) -> bytes:
    """One entity: header fields, blank line, body."""
    if entity.isascii():
        return entity
    if entity.startswith(b"\r\n"):
        header, blank, body = b"", b"\r\n", entity[2:]
    else:
        header, blank, body = entity.partition(b"\r\n\r\n")
    fields = [_ascii_field(field) for field in _FIELDS.findall(header) if field]
    if body.isascii():
        return b"\r\n".join(fields) + blank + body if header else blank + body
    kind = _value(fields, b"content-type") or default_type
    media = _MEDIA_TYPE.match(kind)
    main, sub = (media[1].lower(), media[2].lower()) if media else (b"text", b"plain")
    encoding = _value(fields, b"content-transfer-encoding").strip().lower()
    boundary = _BOUNDARY.search(kind)
    if main == b"multipart" or (main == b"message" and sub in (b"rfc822", b"global", b"news")):
        coded = None
        if depth < _MAX_DEPTH and main == b"message":
            coded = _entity(body, b"text/plain", depth + 1)
        elif depth < _MAX_DEPTH and boundary:
            delimiter = re.sub(rb"\\(.)", rb"\1", boundary[1]) if boundary[1] is not None else boundary[2]
            inner = b"message/rfc822" if sub == b"digest" else b"text/plain"
            coded = _multipart(body, delimiter, inner, depth)
        if coded is not None:
            name = b"7bit"
        else:  # too deep, or no boundary to be found: it travels as a file
            fields = [field for field in fields if not field.lower().startswith(b"content-type:")]
            fields.append(b"Content-Type: application/octet-stream")
            name, coded = b"base64", base64_lines(body).removesuffix(b"\r\n")
    else:
        if encoding == b"quoted-printable":
            body = binascii.a2b_qp(body)
        if main == b"text":
            text_encoding, coded = encode_text(body)
            name = text_encoding.encode("ascii")
        else:
            name, coded = b"base64", base64_lines(body)
        if name == b"base64" and not body.endswith(b"\r\n"):
            coded = coded.removesuffix(b"\r\n")
    fields = [field for field in fields if not field.lower().startswith(b"content-transfer-encoding:")]
    fields.append(b"Content-Transfer-Encoding: " + name)
    return b"\r\n".join(fields) + b"\r\n\r\n" + coded


def _value(fields: list[bytes], name: bytes) -> bytes:
    """The unfolded value of the first field of that name; empty when there is none."""
    for field in fields:
        if field[: len(name) + 1].lower() == name + b":":
            return _FOLD.sub(b"", field[len(name) + 1 :])
    return b""


_AFTER_BOUNDARY = re.compile(rb"(--)?[ \t]*(?=\r\n|\Z)")


def _multipart(body: bytes, boundary: bytes, default_type: bytes, depth: int) -> bytes | None:
    """The body with each part converted; None when its boundary never occurs."""
    delimiter = b"--" + boundary
    pieces: list[bytes] = []
    done = 0  # up to here the body is converted
    inside = False
    closed = False
    at = body.find(delimiter)
    while at >= 0 and not closed:
        end = _AFTER_BOUNDARY.match(body, at + len(delimiter))
        if end is not None and (at == 0 or body[at - 2 : at] == b"\r\n"):
            piece = body[done : max(at - 2, done)]
            if inside:
                pieces.append(b"\r\n" + _entity(piece[2:], default_type, depth + 1))
            else:
                pieces.append(_ascii_noise(piece))
            done = end.end()
            pieces.append(body[max(at - 2, 0) : done])
            inside, closed = True, end[1] is not None
        at = body.find(delimiter, at + len(delimiter))
    if not pieces:
        return None
    rest = body[done:]
    if closed or not rest:
        pieces.append(_ascii_noise(rest))
    else:
        pieces.append(b"\r\n" + _entity(rest[2:], default_type, depth + 1))
    return b"".join(pieces)


def _ascii_noise(octets: bytes) -> bytes:
    """What stands before the first and behind the last delimiter: nobody reads it."""
    return octets.decode("ascii", "replace").replace("\ufffd", "?").encode("ascii")


def _ascii_field(field: bytes) -> bytes:
    """A header field with its raw 8-bit words as encoded words, folded."""
    if field.isascii():
        return field
    text = decode_octets(_FOLD.sub(b"", field))
    text = _WORD.sub(
        lambda word: word[0] if word[0].isascii() else " ".join(encode_words(word[0], UTF_8)), text
    )
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        if line.strip() and word and len(line) + 1 + len(word) > 76:
            lines.append(line)
            line = " " + word
        else:
            line = f"{line} {word}" if line or lines else word
    lines.append(line)
    return "\r\n".join(lines).encode("ascii")
