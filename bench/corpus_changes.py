"""Changes to a raw mail that change nothing for its reader."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

Change = Callable[[bytes], bytes | None]

_SINGLE_TEXT = re.compile(
    rb"^content-type:\s*(?:multipart|message|application|image)", re.IGNORECASE | re.MULTILINE
)
_TRANSFER = re.compile(rb"^content-transfer-encoding:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


def _plain(raw: bytes) -> tuple[bytes, bytes] | None:
    """Head and body of a mail that is one text as it stands, lines ended by LF; None for any other mail."""
    head, gap, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    encoding = _TRANSFER.search(head)
    if not gap or _SINGLE_TEXT.search(head):
        return None
    if encoding is not None and encoding.group(1).strip().lower() not in (b"7bit", b"8bit", b"binary"):
        return None
    return head, body


def _body(change: Callable[[bytes], bytes]) -> Change:
    def changed(raw: bytes) -> bytes | None:
        split = _plain(raw)
        return None if split is None else split[0] + b"\n\n" + change(split[1])

    return changed


def _base64(raw: bytes) -> bytes | None:
    split = _plain(raw)
    if split is None:
        return None
    head = _TRANSFER.sub(b"X-Was: \\1", split[0])
    return head + b"\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(split[1])


def _in_mixed(raw: bytes) -> bytes | None:
    """As the only part of a mail with attachments, as gateways make it."""
    split = _plain(raw)
    if split is None or b"\n--=_b" in raw:
        return None
    fields = re.split(rb"\n(?![ \t])", split[0])
    inner = [field for field in fields if field.lower().startswith(b"content-")]
    outer = [field for field in fields if not field.lower().startswith((b"content-", b"mime-version"))]
    top = [*outer, b"MIME-Version: 1.0", b'Content-Type: multipart/mixed; boundary="=_b"']
    return b"\n".join(top) + b"\n\n--=_b\n" + b"\n".join(inner) + b"\n\n" + split[1] + b"\n--=_b--\n"


def _received(raw: bytes) -> bytes:
    line = b"Received: from gateway.example by mx.example with ESMTP; Tue, 3 Mar 2026 10:11:12 +0100\n"
    return raw if raw.startswith(b"From ") else line + raw


CHANGES: dict[str, Change] = {
    "lines end with CRLF": lambda raw: raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
    "lines end with LF": lambda raw: raw.replace(b"\r\n", b"\n"),
    "the text in base64": _base64,
    "the text as a part": _in_mixed,
    "one more host on the way": _received,
    "spaces at the ends of lines": _body(lambda body: re.sub(rb"(?m)(?<=[^\s-])$", b"  ", body)),
    "quote marks without a space": _body(
        lambda body: re.sub(rb"(?m)^((?:> ?)+)", lambda m: m[0].replace(b" ", b""), body)
    ),
    "quote marks with spaces": _body(lambda body: re.sub(rb"(?m)^(>+) ?", lambda m: b"> " * len(m[1]), body)),
    "blank lines doubled": _body(lambda body: re.sub(rb"\n\n(?!\n)", b"\n\n\n", body)),
}
