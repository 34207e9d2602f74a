"""The files in a winmail.dat: Exchange's own wrapper (TNEF, [MS-OXTNEF]) that other programs cannot open.

Only files are taken out: their octets and names. The letter in it is the same as in the text part.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from depesche.mailformat.header_text import clean

_SIGNATURE = 0x223E9F78
_MOST_FILES = 200
_MOST_PROPERTIES = 2_000
# [MS-OXTNEF] §2.1.3.4: attributes of an attachment, without their type.
_RENDERING, _TITLE, _DATA, _PROPERTIES = 0x9002, 0x8010, 0x800F, 0x9005
# [MS-OXPROPS]: PidTagAttachLongFilename, PidTagDisplayName, PidTagAttachMimeTag, PidTagAttachContentId
_LONG_NAME, _DISPLAY_NAME, _MIME_TYPE, _CONTENT_ID = 0x3707, 0x3001, 0x370E, 0x3712
_FIXED = {
    0x0002: 4,
    0x0003: 4,
    0x0004: 4,
    0x0005: 8,
    0x0006: 8,
    0x0007: 8,
    0x000A: 4,
    0x000B: 4,
    0x0014: 8,
    0x0040: 8,
}
_GUID = 0x0048
_VARIABLE = frozenset({0x000D, 0x001E, 0x001F, 0x0102})


@dataclass(slots=True)
class TnefFile:
    """A file, with the name and type that the wrapper gives it; empty where it gives none."""

    filename: str = ""
    content_type: str = ""
    content_id: str = ""
    data: bytes = b""


def tnef_files(data: bytes) -> tuple[list[TnefFile], bool]:
    """The files, and whether the wrapper could be read to its end. Linear; never raises."""
    files: list[TnefFile] = []
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != _SIGNATURE:
        return files, False
    position = 6
    while position + 9 <= len(data) and len(files) < _MOST_FILES:
        level, attribute, size = struct.unpack_from("<BII", data, position)
        position += 9
        end = position + size
        if level not in (1, 2) or end + 2 > len(data):
            return [file for file in files if file.data], False
        _take(files, attribute & 0xFFFF, data, position, end)
        position = end + 2  # behind the checksum
    return [file for file in files if file.data], position == len(data)


def _take(files: list[TnefFile], attribute: int, data: bytes, start: int, end: int) -> None:
    if attribute == _RENDERING:
        files.append(TnefFile())
    elif not files:
        return
    elif attribute == _TITLE:
        files[-1].filename = files[-1].filename or _text(data[start : min(end, start + 1_000)])
    elif attribute == _DATA:
        files[-1].data = data[start:end]
    elif attribute == _PROPERTIES:
        found = _properties(data[start:end])
        file = files[-1]
        file.filename = found.get(_LONG_NAME) or file.filename or found.get(_DISPLAY_NAME, "")
        file.content_type = found.get(_MIME_TYPE, "")
        file.content_id = found.get(_CONTENT_ID, "").strip("<> ")


def _text(octets: bytes) -> str:
    return clean(octets.split(b"\x00", 1)[0].decode("cp1252", "replace"))[:255]


def _properties(data: bytes) -> dict[int, str]:
    """The texts among the MAPI properties ([MS-OXTNEF] §2.1.3.4.2); what came before a torn one is kept."""
    found: dict[int, str] = {}
    try:
        (count,) = struct.unpack_from("<I", data)
        position = 4
        for _ in range(min(count, _MOST_PROPERTIES)):
            kind, name = struct.unpack_from("<HH", data, position)
            position += 4
            if name >= 0x8000:
                position = _behind_name(data, position)
            values = 1
            if kind & 0x1000 or kind in _VARIABLE:
                (values,) = struct.unpack_from("<I", data, position)
                position += 4
            kind &= 0x0FFF
            for _ in range(min(values, _MOST_PROPERTIES)):
                if kind in _VARIABLE:
                    (size,) = struct.unpack_from("<I", data, position)
                    value = data[position + 4 : position + 4 + min(size, 1_000)]
                    position += 4 + size + -size % 4
                    if kind == 0x001F:
                        found.setdefault(
                            name, clean(value.decode("utf-16-le", "replace").split("\x00", 1)[0])[:255]
                        )
                    elif kind == 0x001E:
                        found.setdefault(name, _text(value))
                elif kind == _GUID:
                    position += 16
                elif kind in _FIXED:
                    position += _FIXED[kind]
                else:
                    return found
    except struct.error:
        pass
    return found


def _behind_name(data: bytes, position: int) -> int:
    """Where a named property's value begins: behind a GUID and a number or a text."""
    (kind,) = struct.unpack_from("<I", data, position + 16)
    if kind == 0:
        return position + 24
    size = int.from_bytes(data[position + 20 : position + 24], "little")
    return position + 24 + size + -size % 4
