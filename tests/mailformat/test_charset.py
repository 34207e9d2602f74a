"""Charsets: which one a mail gets (M14), and what labels of others mean."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.mailformat.charset import CHARSETS, Charset, carries, choose, decode_octets, offered
from tests.mailformat.repertoire import texts

ANY_TEXT = st.text(st.characters())


def test_utf_8_comes_first_and_names_are_unique() -> None:
    assert CHARSETS[0].key == "utf-8"
    assert len({charset.key for charset in CHARSETS}) == len(CHARSETS)
    assert all(charset.key == charset.mime_name.lower() for charset in CHARSETS)
    assert {"iso-8859-1", "iso-8859-2", "iso-8859-15", "windows-1252", "iso-2022-jp"} <= {
        c.key for c in CHARSETS
    }
    assert {"gb18030", "big5", "koi8-r", "euc-kr", "shift_jis", "euc-jp"} <= {c.key for c in CHARSETS}


@pytest.mark.parametrize(
    ("wanted", "text", "chosen"),
    [
        ("utf-8", "Grüße 你好", "utf-8"),
        ("iso-8859-1", "Grüße", "iso-8859-1"),
        ("ISO-8859-1", "Grüße", "iso-8859-1"),
        ("iso-8859-1", "10 €", "utf-8"),
        ("iso-8859-15", "10 €", "iso-8859-15"),
        ("windows-1252", "„10 €“", "windows-1252"),
        ("iso-8859-1", "a\x85b", "utf-8"),  # mail programs read it as windows-1252
        ("iso-8859-2", "Žluťoučký kůň", "iso-8859-2"),
        ("koi8-r", "Привет", "koi8-r"),
        ("koi8-r", "Привіт", "utf-8"),
        ("koi8-u", "Привіт", "koi8-u"),
        ("iso-2022-jp", "こんにちは", "iso-2022-jp"),
        ("iso-2022-jp", "plain", "iso-2022-jp"),
        ("iso-2022-jp", "a\x1bb", "utf-8"),  # encodes, and cannot be decoded
        ("iso-2022-jp", "ﾊﾝｶｸ", "utf-8"),
        ("shift_jis", "日本語", "shift_jis"),
        ("shift_jis", "5 ¥", "utf-8"),  # comes back as a backslash
        ("shift_jis", "a‾b", "utf-8"),
        ("shift_jis", "10〜20", "utf-8"),  # mail programs read cp932, which has another wave there
        ("euc-jp", "日本語", "euc-jp"),
        ("gb18030", "你好 👋 Grüße", "gb18030"),
        ("gbk", "你好", "gbk"),
        ("gbk", "👋", "utf-8"),
        ("gbk", "盲枚", "utf-8"),  # its octets are UTF-8 too, and readers guess
        ("windows-1256", "×\xa0", "utf-8"),
        ("big5", "你好", "big5"),
        ("euc-kr", "안녕하세요", "euc-kr"),
        ("euc-kr", "똠방각하", "utf-8"),  # Python's make-up sequence is read by nobody else
        ("euc-kr", "ㅤㅏ", "utf-8"),
        ("no-such-charset", "Grüße", "utf-8"),
        ("utf-8", "lone \ud800", "utf-8"),
        ("iso-8859-1", "lone \ud800", "utf-8"),
    ],
)
def test_the_wanted_charset_or_utf_8(wanted: str, text: str, chosen: str) -> None:
    assert choose(wanted, [text]) == chosen
    assert choose(wanted, ["plain", text, ""]) == chosen


@pytest.mark.parametrize("charset", CHARSETS, ids=lambda charset: charset.key)
@settings(max_examples=30)
@given(data=st.data())
def test_what_a_charset_carries_arrives(charset: Charset, data: st.DataObject) -> None:
    text = data.draw(texts(charset) | ANY_TEXT)
    if carries(charset, text):
        octets = text.encode(charset.codec)
        assert octets.decode(charset.codec) == text
        assert decode_octets(octets, charset.mime_name) == text


@given(st.binary(), st.text(max_size=20) | st.sampled_from([c.key for c in CHARSETS]))
def test_any_octets_with_any_label_are_read(octets: bytes, label: str) -> None:
    decode_octets(octets, label).encode()
    decode_octets(octets, None).encode()


@pytest.mark.parametrize(
    "label",
    ["zlib", "bz2", "base64", "hex", "rot13", "uu", "quopri", "idna", "punycode", "undefined", "mbcs"],
)
def test_what_is_no_charset_is_never_called(label: str) -> None:
    assert decode_octets(b"xn--abc \xc3\xa4", label) == "xn--abc ä"


@pytest.mark.parametrize(
    ("octets", "label", "text"),
    [
        ("„x“".encode("cp1252"), "iso-8859-1", "„x“"),
        ("ä".encode(), "us-ascii", "ä"),
        ("ä".encode("latin-1"), "us-ascii", "ä"),
        ("ä".encode("latin-1"), "utf-8", "ä"),
        ("你".encode("gb18030"), "GB2312", "你"),
        ("똠".encode("cp949"), "ks_c_5601-1987", "똠"),
        ("①".encode("cp932"), "Shift_JIS", "①"),
        ("Привет".encode("cp1251"), '"windows-1251"', "Привет"),
        ("Привет".encode("cp1251"), "cp-1251", "Привет"),
        ("ä".encode("cp850"), "cp850", "ä"),
        ("ä".encode(), "utf-8; format=flowed", "ä"),
        ("ä".encode(), "x-nonsense", "ä"),
        (b"", "utf-8", ""),
    ],
)
def test_labels_are_read_as_they_are_meant(octets: bytes, label: str, text: str) -> None:
    assert decode_octets(octets, label) == text


def test_one_bad_octet_does_not_spoil_a_text() -> None:
    assert decode_octets("日本語".encode("euc_jp") + b"\xff", "euc-jp") == "日本語\ufffd"
    assert decode_octets(("ä" * 40).encode() + b"\xff", "utf-8") == "ä" * 40 + "\ufffd"


def test_offered() -> None:
    assert offered(" UTF-8 ") is CHARSETS[0]
    assert offered("ebcdic") is None
