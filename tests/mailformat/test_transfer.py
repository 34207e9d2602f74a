"""Seven bits: the same mail for a server without 8BITMIME."""

from __future__ import annotations

import base64
import email
import email.policy
import quopri
from email.message import EmailMessage

import pytest
from django.core.mail import EmailMultiAlternatives
from hypothesis import example, given
from hypothesis import strategies as st

from depesche.mailformat.transfer import base64_lines, crlf, encode_text, has_long_line, to_seven_bit


def parse(octets: bytes) -> EmailMessage:
    message = email.message_from_bytes(octets, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def contents(message: EmailMessage) -> list[tuple[str, object]]:
    return [
        (part.get_content_type(), part.get_payload(decode=True))
        for part in message.walk()
        if not part.is_multipart()
    ]


TEXTS = st.text(max_size=400).map(lambda text: crlf(text.replace("\0", "").encode()))


@example(b" \r\n\t\r\n=\r\n.\r\nFrom x ")
@example("é".encode() * 700)
@example(b"x" * 3000)
@example(b"")
@given(TEXTS)
def test_texts_in_seven_bits(octets: bytes) -> None:
    encoding, coded = encode_text(octets)
    assert coded.isascii()
    assert not has_long_line(coded)
    decode = base64.b64decode if encoding == "base64" else quopri.decodestring
    assert decode(coded) == octets
    assert all(len(line) <= 76 for line in coded.split(b"\r\n"))
    assert crlf(coded) == coded


@given(st.binary(max_size=500))
def test_base64(octets: bytes) -> None:
    assert base64_lines(octets).replace(b"\r\n", b"\n") == base64.encodebytes(octets)


@pytest.mark.parametrize(
    ("octets", "answer"),
    [(b"x" * 998 + b"\r\n", False), (b"x" * 999 + b"\r\n", True), (b"x" * 998, False), (b"x" * 999, True)],
)
@pytest.mark.parametrize("before", [b"", b"short\r\n", b"short\r\n" * 300])
def test_long_lines(before: bytes, octets: bytes, answer: bool) -> None:
    assert has_long_line(before + octets) is answer
    assert has_long_line(before + octets + b"\r\nafter") is answer


def test_ascii_stays_octet_for_octet() -> None:
    octets = b"Subject: x\n\nbare line ends\n"
    assert to_seven_bit(octets) is octets


def test_a_mail_of_django() -> None:
    mail = EmailMultiAlternatives("Grüße", "Text: Grüße\n", "a@x.example", ["b@x.example"])
    mail.attach_alternative("<p>你好，世界</p>" * 20, "text/html")
    mail.attach("ü.bin", b"\x00\xff" * 200, "application/octet-stream")
    inner = EmailMultiAlternatives("innen", "innerer Text: ä\n", "a@x.example", ["b@x.example"])
    mail.attach("inner.eml", inner.message().as_bytes(), "message/rfc822")
    octets = mail.message().as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    eight = octets.replace(b"Content-Transfer-Encoding: quoted-printable", b"Content-Transfer-Encoding: 8bit")
    seven = to_seven_bit(octets)
    assert seven.isascii()
    assert contents(parse(seven)) == contents(parse(octets))
    assert to_seven_bit(eight).isascii()


def nested(depth: int, leaf: bytes) -> bytes:
    for level in range(depth):
        mark = b"b%d" % level
        leaf = (
            # Nobody may write 8 bits before and after the parts; somebody does.
            b'Content-Type: multipart/mixed;\r\n boundary="%s"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n'
            b"preamble \xc3\xa9\r\n--%s\r\n%s\r\n--%s\r\n\r\nplain\r\n--%s--\r\nepilogue \xff"
            % (mark, mark, leaf, mark, mark)
        )
    return leaf


@pytest.mark.parametrize("depth", [1, 2, 10, 39])
def test_nested_parts(depth: int) -> None:
    leaf = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße".encode()
    seven = to_seven_bit(nested(depth, leaf))
    assert seven.isascii()
    parts = [part for part in parse(seven).walk() if not part.is_multipart()]
    assert len(parts) == depth + 1
    assert parts[0].get_content() == "Grüße"
    assert parts[-1].get_content() == "plain"


def test_nested_too_deep_travels_as_a_file() -> None:
    octets = nested(60, b"\r\n\xc3\xa9")
    assert to_seven_bit(octets).isascii()


@pytest.mark.parametrize(
    ("octets", "kind", "payload"),
    [
        (
            b"Content-Type: image/x\r\nContent-Transfer-Encoding: binary\r\n\r\n\xff\x00",
            "image/x",
            b"\xff\x00",
        ),
        (b"Subject: x\r\n\r\ncaf\xc3\xa9\r\n", "text/plain", b"caf\xc3\xa9\r\n"),
        (b"\r\ncaf\xc3\xa9", "text/plain", b"caf\xc3\xa9"),
        (
            b"Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
            b"caf=C3=A9 \xc3\xa9\r\n",
            "text/plain",
            b"caf\xc3\xa9 \xc3\xa9\r\n",
        ),
        (b"Content-Type: multipart/mixed\r\n\r\n\xc3\xa9", "application/octet-stream", b"\xc3\xa9"),
        (
            b"Content-Type: multipart/mixed; boundary=x\r\n\r\n\xc3\xa9",
            "application/octet-stream",
            b"\xc3\xa9",
        ),
        (b"Content-Type: nonsense\r\n\r\n\xc3\xa9", "text/plain", b"\xc3\xa9"),
    ],
)
def test_single_parts(octets: bytes, kind: str, payload: bytes) -> None:
    seven = to_seven_bit(octets)
    assert seven.isascii()
    message = parse(seven)
    assert (message.get_content_type(), message.get_payload(decode=True)) == (kind, payload)


def test_raw_utf_8_in_header_fields() -> None:
    octets = (
        'From: "Jürgen Müller" <j@x.example>\r\nSubject: Größe und\r\n Gewicht\r\n'
        'Content-Disposition: attachment; filename="Übersicht neu.pdf"\r\n\r\nplain\r\n'
    ).encode()
    seven = to_seven_bit(octets)
    assert seven.isascii()
    message = parse(seven)
    assert str(message["Subject"]) == "Größe und Gewicht"
    assert message["From"].addresses[0].addr_spec == "j@x.example"
    assert "Jürgen" in str(message["From"])
    assert max(map(len, seven.split(b"\r\n"))) <= 78


@given(
    st.binary(max_size=300),
    st.sampled_from([b"multipart/mixed; boundary=b", b"text/plain", b"message/rfc822", b"image/x"]),
)
def test_any_octets_end_as_ascii(octets: bytes, kind: bytes) -> None:
    mail = b"Content-Type: " + kind + b"\r\n\r\n--b\r\n" + octets + b"\r\n--b\r\n\r\n\xc3\xa9\r\n--b--\r\n"
    assert to_seven_bit(mail).isascii()
    assert to_seven_bit(octets).isascii()
