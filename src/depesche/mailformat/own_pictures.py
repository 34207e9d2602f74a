"""The pictures that a mail brings with it, put into its HTML: `cid:` becomes `data:` (RFC 2392, RFC 2397).

A frame that may load nothing shows them then, and nobody learns that the mail was read. Which pictures: those
that browsers draw and that carry no script; SVG is none of them.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

from depesche.mailformat.html_tokens import unescape
from depesche.mailformat.parse import MailAttachment

MOST_OCTETS: Final = 6_000_000  # of pictures in one HTML text, each counted as often as it is shown

_KINDS = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"})
_SAME_KIND = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}
_PLACE = re.compile(
    r"""(\b(?:src|background)\s{0,9}=\s{0,9}["']?|\burl\(\s{0,9}["']?)cid:([^\s"'<>()]{1,500})""",
    re.IGNORECASE,
)


def with_own_pictures(
    html: str, attachments: Iterable[MailAttachment], *, most_octets: int = MOST_OCTETS
) -> str:
    """The HTML with each reference to a picture of the same mail replaced by the picture.

    References to what is not there, is no picture, or would go beyond `most_octets` stay as they are and show
    nothing. Linear in the length of the HTML and in what it grows by.
    """
    if not _PLACE.search(html):
        return html
    pictures = {one.content_id: one for one in attachments if one.content_id and _kind(one)}
    left = most_octets
    made: dict[str, str] = {}

    def put_in(match: re.Match[str]) -> str:
        nonlocal left
        name = unquote(unescape(match.group(2)))
        picture = pictures.get(name)
        if picture is None or len(picture.data) > left:
            return match.group(0)
        left -= len(picture.data)
        if name not in made:
            made[name] = f"data:{_kind(picture)};base64,{b64encode(picture.data).decode('ascii')}"
        return match.group(1) + made[name]

    return _PLACE.sub(put_in, html)


def _kind(picture: MailAttachment) -> str:
    """The type under which a browser draws it, or nothing."""
    kind = picture.content_type.lower()
    kind = _SAME_KIND.get(kind, kind)
    return kind if kind in _KINDS else ""
