"""The files in a winmail.dat are taken out, with their long names; what cannot be opened is kept as it is."""

from __future__ import annotations

import base64
import struct

from hypothesis import given
from hypothesis import strategies as st

from depesche.mailformat.parse import parse
from depesche.mailformat.tnef import tnef_files

CONTENT = b"%PDF-1.7 Angebot"


def attribute(level: int, name: int, kind: int, data: bytes) -> bytes:
    return struct.pack("<BHHI", level, name, kind, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def text_property(name: int, text: str) -> bytes:
    value = text.encode("utf-16-le") + b"\0\0"
    return struct.pack("<HHII", 0x001F, name, 1, len(value)) + value + b"\0" * (-len(value) % 4)


def named_property() -> bytes:
    """One with a GUID and a name in letters, as Outlook writes between the others."""
    name = "Keywords".encode("utf-16-le")
    head = struct.pack("<HH", 0x0003, 0x8001) + b"\1" * 16 + struct.pack("<II", 1, len(name))
    return head + name + b"\0" * (-len(name) % 4) + struct.pack("<I", 7)


def wrapper() -> bytes:
    properties = [
        struct.pack("<HHI", 0x0003, 0x0E20, len(CONTENT)),
        struct.pack("<HHI", 0x000B, 0x7FFE, 0),
        named_property(),
        struct.pack("<HHQ", 0x0040, 0x3007, 1),
        text_property(0x370E, "application/pdf"),
        text_property(0x3707, "Angebot für Müller.pdf"),
    ]
    return (
        struct.pack("<IH", 0x223E9F78, 1)
        + attribute(1, 0x9006, 0x0008, struct.pack("<I", 0x10000))
        + attribute(2, 0x9002, 0x0006, b"\1\0" + b"\0" * 12)
        + attribute(2, 0x8010, 0x0001, b"ANGEBO~1.PDF\0")
        + attribute(2, 0x800F, 0x0006, CONTENT)
        + attribute(2, 0x9005, 0x0006, struct.pack("<I", len(properties)) + b"".join(properties))
        + attribute(2, 0x9002, 0x0006, b"\1\0" + b"\0" * 12)
        + attribute(2, 0x8010, 0x0001, b"notiz.txt\0")
        + attribute(2, 0x800F, 0x0006, b"Hallo")
    )


def mail(data: bytes) -> bytes:
    return (
        b"From: jana@kunde.example\nSubject: Angebot\nMIME-Version: 1.0\n"
        b'Content-Type: multipart/mixed; boundary="b"\n\n'
        b"--b\nContent-Type: text/plain; charset=utf-8\n\nAnbei.\n\n--b\n"
        b"Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(data)
        + b"--b--\n"
    )


def test_the_files_take_the_place_of_their_wrapper() -> None:
    files = parse(mail(wrapper())).attachments
    assert [(file.filename, file.content_type, file.data) for file in files] == [
        ("Angebot für Müller.pdf", "application/pdf", CONTENT),
        ("notiz.txt", "application/octet-stream", b"Hallo"),
    ]


def test_a_torn_wrapper_stays_beside_what_was_in_it() -> None:
    files = parse(mail(wrapper()[:-3])).attachments
    assert [file.filename for file in files] == ["Angebot für Müller.pdf", "winmail.dat"]


def test_what_is_no_wrapper_stays_a_file() -> None:
    files = parse(mail(b"something else")).attachments
    assert [(file.filename, file.data) for file in files] == [("winmail.dat", b"something else")]


def test_a_name_with_a_path_loses_it() -> None:
    data = wrapper().replace(
        "Angebot für Müller.pdf".encode("utf-16-le"), "..\\..\\etc\\Mueller00.pdf".encode("utf-16-le")
    )
    assert parse(mail(data)).attachments[0].filename == "Mueller00.pdf"


@given(st.integers(0, 700), st.binary(max_size=40))
def test_any_octets_are_read(cut: int, more: bytes) -> None:
    tnef_files(wrapper()[:cut] + more)
    tnef_files(struct.pack("<IH", 0x223E9F78, 1) + more * 5)
