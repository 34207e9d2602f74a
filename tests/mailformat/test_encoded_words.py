"""Encoded words: written for every reader, read from every writer."""

from __future__ import annotations

import email.header

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.mailformat.characters import one_line
from depesche.mailformat.charset import CHARSETS, UTF_8, Charset, carries
from depesche.mailformat.encoded_words import decode_words, encode_words
from tests.mailformat.repertoire import texts


def stdlib_reading(words: list[str]) -> str:
    """What Python's own, independent reader makes of them."""
    parts = email.header.decode_header("\n ".join(words))
    return "".join(
        part.decode(label or "ascii") if isinstance(part, bytes) else part for part, label in parts
    )


@pytest.mark.parametrize("charset", CHARSETS, ids=lambda charset: charset.key)
@settings(max_examples=30)
@given(data=st.data())
def test_every_word_stands_for_itself(charset: Charset, data: st.DataObject) -> None:
    text = data.draw(texts(charset, min_size=1, max_size=200))
    words = encode_words(text, charset, room=data.draw(st.integers(0, 80)))
    decoded = ""
    for word in words:
        assert len(word) <= 75
        assert word.isascii()
        assert " " not in word
        # Read alone: a character split over two words, or a shift state left open, would show here.
        (part, label), *rest = email.header.decode_header(word)
        assert not rest
        assert isinstance(part, bytes)
        assert label is not None
        decoded += part.decode(label)
    assert decoded == text
    assert stdlib_reading(words) == text
    if carries(charset, text):
        assert words[0].startswith(f"=?{charset.mime_name}?")
    else:
        assert words[0].startswith("=?UTF-8?")


@given(st.text(min_size=1, max_size=300))
def test_what_is_written_is_read_back(text: str) -> None:
    assert decode_words("\r\n ".join(encode_words(text, UTF_8))) == one_line(text)


def test_long_words_use_their_room() -> None:
    words = encode_words("ü" * 200, UTF_8)
    assert all(len(word) > 60 for word in words[:-1])
    assert encode_words("", UTF_8) == []


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?UTF-8?B?R3LDvMOfZQ==?= an =?iso-8859-1?Q?J=FCrgen?=", "Grüße an Jürgen"),
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?a?=\r\n\t=?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?a_?= =?iso-8859-1?q?b?=", "a b"),
        ("=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
        ("=?utf-8?b?w7?= =?utf-8?b?w=?=", None),  # nonsense, and harmless
        ("=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "ü"),  # split inside a character
        ("=?utf-8?b?R3LDvMOfZQ?=", "Grüße"),  # without padding
        ("=?utf-8?Q?two words?=", "two words"),
        ("=?utf-8*en?q?tag?=", "tag"),
        ("(=?utf-8?q?x?=)", "(x)"),
        ("=?utf-8?q?What??=", "What?"),
        ("=?utf-8?q?never closed", "=?utf-8?q?never closed"),
        ("=?utf-8?q?=?utf-8?q?inner?=", "=?utf-8?q?inner"),
        ("=?no-such?q?a=C3=BC?=", "aü"),
        ("=?zlib?b?eJwDAAAAAAE=?=", None),
        ("=?utf-8?q?hi=0ABcc:_v?=", "hi Bcc: v"),
        ("=?utf-8?q?a=00b=0D=0Ac?=", "ab c"),
        ("=?utf-8?q?a=E2=80=A8b?=", "a b"),
        ("=?utf-7?q?+AAo-x?=", "x"),
        ("=??q?x?=", "=??q?x?="),
        ("=?=?=?", "=?=?=?"),
        ("=?iso-8859-1?Q?Fr\xf6sche?=", "Frösche"),  # raw octets in a word, already read as text
        ("=?koi8-r?Q?Fr\xf6sche?=", None),
        ("=?utf-8?Q?Fr\udcc3\udcb6sche?=", "Frösche"),
        ("=?utf-8?Q?a\ud800b?=", "a?b"),
        ("", ""),
    ],
)
def test_reading(raw: str, text: str | None) -> None:
    read = decode_words(raw)
    assert text is None or read == text
    assert one_line(read) == read


@given(st.text(st.sampled_from("=?utf-8qQbB_ ACz0\r\n\tü\ud800é()*"), max_size=80))
def test_no_header_text_makes_the_reading_fail(raw: str) -> None:
    read = decode_words(raw)
    read.encode()
    assert not any(ord(char) < 32 for char in read)


@pytest.mark.parametrize(
    "piece", ["=?", "=?a?q?", "=?a?q?x?=", "=?utf-8?b?w?= ", "?=", "=?a?b?=?a?q?", "=?utf-8?q?=C3?="]
)
def test_reading_is_linear(piece: str) -> None:
    decode_words(piece * 50_000)
