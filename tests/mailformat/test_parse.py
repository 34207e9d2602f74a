"""Reading any octets as a mail: structure, charsets, files, and what is broken."""

from __future__ import annotations

import base64

import pytest

from depesche.mailformat.mime_tree import Limits
from depesche.mailformat.parse import ParsedMail, parse

HEAD = b"From: Jana Vogt <jana@kunde.example>\r\nTo: a@x.example, B <b@x.example>\r\nSubject: Test\r\n"


def mail(headers: bytes, body: bytes) -> ParsedMail:
    return parse(HEAD + headers + b"\r\n" + body)


def test_the_plain_facts() -> None:
    parsed = mail(
        b"Message-ID: <1@x.example>\r\nIn-Reply-To: <0@x.example>\r\n"
        b"References: <a@x.example>\r\n\t<0@x.example>\r\n"
        b"Date: Mon, 02 Mar 2026 09:12:44 +0100\r\nReturn-Path: <jana@kunde.example>\r\n"
        b"Delivered-To: a@x.example\r\n",
        b"Hallo\r\n",
    )
    assert [a.addr_spec for a in parsed.from_] == ["jana@kunde.example"]
    assert [a.addr_spec for a in parsed.to] == ["a@x.example", "b@x.example"]
    assert parsed.message_id == "<1@x.example>"
    assert parsed.in_reply_to == ("<0@x.example>",)
    assert parsed.references == ("<a@x.example>", "<0@x.example>")
    assert parsed.date is not None
    assert parsed.date.isoformat() == "2026-03-02T09:12:44+01:00"
    assert parsed.return_path == "jana@kunde.example"
    assert parsed.delivered_to == ("a@x.example",)
    assert parsed.text == "Hallo\n"
    assert parsed.html is None
    assert parsed.defects == ()


@pytest.mark.parametrize(
    ("label", "octets", "text"),
    [
        (b"utf-8", "Größe".encode(), "Größe"),
        (b"iso-8859-1", "Größe".encode("latin-1"), "Größe"),
        (b"iso-8859-1", "Größe".encode(), "Größe"),  # mislabelled
        (b"us-ascii", "Größe".encode("cp1252"), "Größe"),
        (b"", "Größe".encode(), "Größe"),
        (b"x-nobody-knows", "Größe".encode("cp1252"), "Größe"),
        (b"gb2312", "中文邮件镕".encode("gb18030"), "中文邮件镕"),
        (b"ks_c_5601-1987", "한국어 똠".encode("cp949"), "한국어 똠"),
        (b"iso-2022-jp", "日本語".encode("iso-2022-jp"), "日本語"),
        (b"us-ascii", "日本語".encode("iso-2022-jp"), "日本語"),
        (b"koi8-r", "Привет".encode("koi8-r"), "Привет"),
        (b"utf-16", "Grüße".encode("utf-16"), "Grüße"),
        (b"utf-8", b"a\x00b", "ab"),
        (b'"utf-8"', "ü".encode(), "ü"),
    ],
)
def test_charsets_as_they_are_meant(label: bytes, octets: bytes, text: str) -> None:
    parsed = mail(b"Content-Type: text/plain; charset=" + label + b"\r\n", octets)
    assert parsed.text == text


def test_alternatives_become_one_segment_with_both_forms() -> None:
    parsed = mail(
        b"Content-Type: multipart/alternative; boundary=x\r\n",
        b"--x\r\nContent-Type: text/plain\r\n\r\nText\r\n"
        b"--x\r\nContent-Type: text/html\r\n\r\n<p>Text</p>\r\n--x--\r\n",
    )
    assert len(parsed.body) == 1
    assert (parsed.text, parsed.html) == ("Text", "<p>Text</p>")
    assert parsed.attachments == ()


def test_text_picture_text_keeps_both_texts_and_the_picture() -> None:
    parsed = mail(
        b"Content-Type: multipart/mixed; boundary=x\r\n",
        b"--x\r\n\r\nOben\r\n--x\r\nContent-Type: image/png; name=a.png\r\nContent-Disposition: inline\r\n"
        b"Content-ID: <p1@x>\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.b64encode(b"PNG")
        + b"\r\n--x\r\n\r\nUnten\r\n--x--\r\n",
    )
    assert parsed.text == "Oben\nUnten"
    (picture,) = parsed.attachments
    assert (picture.filename, picture.data, picture.content_id, picture.inline) == (
        "a.png",
        b"PNG",
        "p1@x",
        True,
    )


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (b'attachment; filename="Bericht M\xc3\xa4rz.pdf"', "Bericht März.pdf"),
        (b"attachment; filename*=UTF-8''Bericht%20M%C3%A4rz.pdf", "Bericht März.pdf"),
        (b"attachment; filename*0*=iso-8859-1''Bericht%20; filename*1*=M%E4rz.pdf", "Bericht März.pdf"),
        (b'attachment; filename="=?utf-8?Q?Bericht_M=C3=A4rz=2Epdf?="', "Bericht März.pdf"),
        (b'attachment; filename="..\\\\..\\\\etc/passwd"', "passwd"),
        (b'attachment; filename="C:\\Eigene Dateien\\a.doc"', "a.doc"),
        (b'attachment; filename="=?utf-8?q?a=0D=0Ab.txt?="', "a b.txt"),
        (b"attachment", "attachment.pdf"),
    ],
)
def test_file_names(disposition: bytes, name: str) -> None:
    parsed = mail(
        b"Content-Type: multipart/mixed; boundary=x\r\n",
        b"--x\r\nContent-Type: application/pdf\r\nContent-Disposition: "
        + disposition
        + b"\r\n\r\nx\r\n--x--\r\n",
    )
    assert [attachment.filename for attachment in parsed.attachments] == [name]


def test_a_hidden_line_break_never_leaves_a_header() -> None:
    parsed = parse(
        b"From: =?utf-8?q?a=0ABcc:_v@w.example?= <a@b.example>\nSubject: =?utf-8?q?x=0D=0ABcc:_v?=\n\n"
    )
    assert "\n" not in parsed.subject
    assert "\r" not in parsed.subject
    assert all("\n" not in address.display_name for address in parsed.from_)


def test_an_attached_message_is_a_file_not_a_letter() -> None:
    parsed = mail(
        b"Content-Type: multipart/mixed; boundary=x\r\n",
        b"--x\r\n\r\nSiehe Anlage\r\n--x\r\nContent-Type: message/rfc822\r\n\r\n"
        b"Subject: Alt\r\n\r\nDrin\r\n--x--\r\n",
    )
    assert parsed.text == "Siehe Anlage"
    (attachment,) = parsed.attachments
    assert (attachment.filename, attachment.content_type) == ("Alt.eml", "message/rfc822")
    assert attachment.data == b"Subject: Alt\n\nDrin"


def test_uuencoded_files_leave_the_text() -> None:
    parsed = mail(b"", b"Anbei.\n\nbegin 644 a.txt\n#0V%T\n`\nend\n\nGruss\n")
    assert parsed.text is not None
    assert "begin" not in parsed.text
    assert "Gruss" in parsed.text
    assert [(a.filename, a.data) for a in parsed.attachments] == [("a.txt", b"Cat")]


def test_flowed_text_is_one_line_a_paragraph() -> None:
    parsed = mail(
        b"Content-Type: text/plain; format=flowed\r\n", b"ein \r\nAbsatz\r\n> alt \r\n> er\r\n-- \r\nJ\r\n"
    )
    assert parsed.text == "ein Absatz\n> alt er\n-- \nJ\n"


@pytest.mark.parametrize(
    ("headers", "signed", "encrypted"),
    [
        (b"Content-Type: multipart/signed; boundary=x\r\n", True, False),
        (b"Content-Type: multipart/encrypted; boundary=x\r\n", False, True),
        (b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n", False, True),
        (b"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n", True, False),
        (b"Content-Type: text/plain\r\n", False, False),
    ],
)
def test_signed_and_encrypted(headers: bytes, signed: bool, encrypted: bool) -> None:
    parsed = mail(headers, b"--x\r\n\r\nText\r\n--x--\r\n")
    assert (parsed.is_signed, parsed.is_encrypted) == (signed, encrypted)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", ""),
        (b"Subject: x", ""),
        (b"\n\n\nSubject: x\n\nHallo", "Hallo"),
        (b"From jana Mon Mar  2 2026\nSubject: x\n\nHallo", "Hallo"),
        (b">From jana Mon Mar  2 2026\nSubject: x\n\nHallo", "Hallo"),
        (b"Subject: x\r\rHallo\rWelt\r", "Hallo\nWelt\n"),
        (b"Subject: x\r\r\n\r\r\nHallo\r\r\n", "Hallo\n"),
        (b"Subject: x\nkein Kopf\n", "kein Kopf\n"),
        (b"Content-Type: multipart/mixed\n\n--q\nContent-Type: text/plain\n\nHallo\n--q--\n", "Hallo"),
        (
            b"Content-Type: multipart/mixed; boundary=z\n\n--q\nContent-Type: text/plain\n\nHallo\n--q--\n",
            "Hallo",
        ),
        (b"Content-Type: multipart/mixed; boundary=q\n\n--q\nContent-Type: text/plain\n\nHallo", "Hallo"),
        (b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nSGFs!bG8g\nV2VsdA\n", "Hallo Welt"),
        (
            b"Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n=48allo=\n Welt",
            "Hallo Welt",
        ),
        (b"Content-Type: gibberish\n\nHallo", "Hallo"),
    ],
)
def test_broken_mail_is_read_as_meant(raw: bytes, text: str) -> None:
    assert (parse(raw).text or "") == text


def test_message_in_base64_is_looked_into() -> None:
    inner = base64.b64encode(b"Subject: Innen\n\nText\n")
    parsed = mail(
        b"Content-Type: multipart/mixed; boundary=x\r\n",
        b"--x\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + inner
        + b"\r\n--x--\r\n",
    )
    assert parsed.attachments[0].filename == "Innen.eml"
    assert parsed.attachments[0].data == b"Subject: Innen\n\nText\n"


def test_limits_are_named_as_defects() -> None:
    many = b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\na\n" * 50
    parsed = parse(many, limits=Limits(parts=10))
    assert "more parts than are read" in parsed.defects
    long = parse(b"Subject: x\n\n" + b"a" * 1000, limits=Limits(body_characters=100))
    assert long.text == "a" * 100
    assert "a body longer than is read" in long.defects
    cut = parse(b"Subject: x\n\n" + b"a" * 1000, limits=Limits(octets=50))
    assert "longer than is read" in cut.defects


def test_depth_is_limited_without_recursion() -> None:
    raw = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(5_000))
    parsed = parse(raw + b"Content-Type: text/plain\n\nTief\n")
    assert "nested deeper than is read" in parsed.defects
    shallow = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(900))
    assert parse(shallow + b"Content-Type: text/plain\n\nTief\n").text == "Tief\n"
