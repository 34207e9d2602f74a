"""Replies and their parser: whole or byte by byte, the same comes out; and hostile servers are bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.smtpclient import Persistence, Reply
from depesche.smtpclient.wire.extensions import parse_ehlo
from depesche.smtpclient.wire.reply_parser import MAX_LINE, MalformedReply, ReplyParser

CASES = [
    (b"250 ok\r\n", [Reply(250, ("ok",))]),
    (b"250\r\n", [Reply(250, ("",))]),
    (b"250 \r\n", [Reply(250, ("",))]),
    (b"250 ok\n", [Reply(250, ("ok",))]),
    (b"250-a\r\n250-b\r\n250 c\r\n", [Reply(250, ("a", "b", "c"))]),
    (b"250-a\r\n250\r\n", [Reply(250, ("a", ""))]),
    (b"250-\r\n250 x\r\n", [Reply(250, ("", "x"))]),
    (b"220 hi\r\n354 go\r\n250 ok\r\n", [Reply(220, ("hi",)), Reply(354, ("go",)), Reply(250, ("ok",))]),
    ("550 5.1.1 Empfänger unbekannt\r\n".encode(), [Reply(550, ("5.1.1 Empfänger unbekannt",))]),
    ("550 Empf\xe4nger\r\n".encode("latin-1"), [Reply(550, ("Empfänger",))]),
    (b"250 a\x1b[2Jb\r\n", [Reply(250, ("a\N{REPLACEMENT CHARACTER}[2Jb",))]),
]

MALFORMED = [
    b"hello\r\n",
    b"\r\n",
    b"25 ok\r\n",
    b"2500 ok\r\n",
    b"199 ok\r\n",
    b"600 ok\r\n",
    b"999 ok\r\n",
    "²50 ok\r\n".encode(),
    b"250_ok\r\n",
    b"250-a\r\n251 b\r\n",
    b"250-a\r\n354 b\r\n",
    b"250-a\r\nb\r\n",
    b"HTTP/1.1 400 Bad Request\r\n",
    b"250 " + b"x" * MAX_LINE + b"\r\n",
    b"x" * (MAX_LINE + 2),
    b"250-more\r\n" * 1000,
    (b"250-" + b"m" * 4000 + b"\r\n") * 20,
]


def parsed(octets: bytes, sizes: list[int]) -> list[Reply]:
    parser, replies, at = ReplyParser(), [], 0
    turn = 0
    while at < len(octets):
        size = sizes[turn % len(sizes)]
        replies += parser.feed(octets[at : at + size])
        at += size
        turn += 1
    if parser.failed is not None:
        raise parser.failed
    assert not parser.pending
    return replies


@pytest.mark.parametrize(("octets", "replies"), CASES)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
def test_cut_anywhere_the_same_replies_come_out(octets: bytes, replies: list[Reply], size: int) -> None:
    assert parsed(octets, [size]) == replies


@pytest.mark.parametrize("octets", MALFORMED)
@pytest.mark.parametrize("size", [1, 10_000])
def test_what_is_no_reply_is_refused(octets: bytes, size: int) -> None:
    with pytest.raises(MalformedReply):
        parsed(octets, [size])


@given(
    st.lists(
        st.tuples(
            st.integers(200, 599),
            st.lists(
                st.text(st.characters(codec="utf-8", exclude_categories=("C",))), min_size=1, max_size=4
            ),
        ),
        max_size=5,
    ),
    st.lists(st.integers(1, 40), min_size=1),
)
def test_any_replies_come_through(spoken: list[tuple[int, list[str]]], sizes: list[int]) -> None:
    octets = b""
    for code, lines in spoken:
        for number, line in enumerate(lines):
            separator = " " if number + 1 == len(lines) else "-"
            octets += f"{code}{separator}{line}\r\n".encode()
    expected = [Reply(code, tuple(lines)) for code, lines in spoken]
    assert [(r.code, r.lines) for r in parsed(octets, sizes)] == [(r.code, r.lines) for r in expected]


@given(st.binary(max_size=300))
def test_garbage_never_does_more_than_be_refused(octets: bytes) -> None:
    for reply in ReplyParser().feed(octets):
        assert 200 <= reply.code < 600
        assert str(reply).isprintable()


def test_what_came_before_a_mistake_counts() -> None:
    parser = ReplyParser()
    assert parser.feed(b"250 taken\r\nrubbish\r\n250 not believed\r\n") == [Reply(250, "taken")]
    assert parser.failed is not None
    assert parser.feed(b"250 ok\r\n") == []


@pytest.mark.parametrize(
    ("lines", "code", "enhanced", "text"),
    [
        (("5.1.1 no such user",), 550, "5.1.1", "no such user"),
        (("no code at all",), 550, None, "no code at all"),
        (("4.1.1 class does not agree",), 550, None, "class does not agree"),
        (("first", "5.7.1 second"), 550, "5.7.1", "first second"),
        (("5.7.1 a", "5.7.1 b"), 550, "5.7.1", "a b"),
        (("5.7.1",), 550, "5.7.1", ""),
        (("2.0.0",), 250, "2.0.0", ""),
        (("5.1.1000 too long",), 550, None, "5.1.1000 too long"),
        (("1.2.3.4 is an address",), 550, None, "1.2.3.4 is an address"),
        ((), 550, None, ""),
    ],
)
def test_enhanced_status_codes(lines: tuple[str, ...], code: int, enhanced: str | None, text: str) -> None:
    reply = Reply(code, lines)
    assert (str(reply.enhanced) if reply.enhanced else None) == enhanced
    assert reply.text == text


def test_persistence_and_words() -> None:
    assert Reply(450, ("later",)).persistence is Persistence.TRANSIENT
    assert Reply(550, ("never",)).persistence is Persistence.PERMANENT
    assert Reply(250, ("ok",)).persistence is None
    assert str(Reply(550, ("5.1.1 no such user", "5.1.1 here"))) == "550 5.1.1 no such user here"
    assert Reply(250, "one") == Reply(250, ("one",))
    assert hash(Reply(250, "one")) == hash(Reply.from_wire(250, (b"one",)))
    assert "hunter2" not in repr(Reply(535, ("bad password hunter2",)).scrubbed("hunter2"))


def test_capabilities() -> None:
    able = parse_ehlo(
        Reply(
            250,
            (
                "mx.example.org at your service",
                "SIZE 1000",
                "pipelining",
                "8BITMIME",
                "SMTPUTF8",
                "CHUNKING",
                "STARTTLS",
                "DSN",
                "ENHANCEDSTATUSCODES",
                "AUTH PLAIN LOGIN",
                "AUTH=LOGIN CRAM-MD5",
                "X-STRANGE one two",
                "",
            ),
        )
    )
    assert able.name == "mx.example.org"
    assert able.size == 1000
    assert able.pipelining
    assert able.chunking
    assert able.starttls
    assert able.eight_bit
    assert able.smtputf8
    assert able.dsn
    assert able.auth == ("PLAIN", "LOGIN", "CRAM-MD5")
    assert able.keywords["X-STRANGE"] == ("one", "two")


@pytest.mark.parametrize(
    ("line", "size", "announced"),
    [("SIZE", None, True), ("SIZE 0", None, True), ("SIZE many", None, True), ("HELP", None, False)],
)
def test_size_without_a_number_is_no_limit(line: str, size: int | None, announced: bool) -> None:
    able = parse_ehlo(Reply(250, ("x", line)))
    assert (able.size, able.announces_size) == (size, announced)
