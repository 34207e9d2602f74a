"""Header fields: no input breaks out, everything is read back, lines are folded."""

from __future__ import annotations

import email
import email.header
import email.policy
import email.utils
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from depesche.mailformat import headers
from depesche.mailformat.addresses import Address
from depesche.mailformat.characters import one_line
from depesche.mailformat.charset import CHARSETS, UTF_8, Charset
from depesche.mailformat.headers import Field, HeaderError
from tests.mailformat.repertoire import texts

ANY_TEXT = st.text(st.characters(), max_size=200)
# Words as people write them, with the lengths that make folding happen.
PROSE = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30), max_size=40
).map(" ".join)
ATTACKS = [
    "x\r\nBcc: victim@example.org",
    "x\nBcc: victim@example.org",
    "x\rBcc: victim@example.org",
    "x\r\n\r\n<html>body",
    "x\0Bcc: v",
    "x\u2028Bcc: v",
    "x\u2029Bcc: v",
    "x\x85Bcc: v",
    "x\x0bBcc: v\x0cBcc: w\x1cBcc: y",
    "=?utf-8?q?hi=0ABcc:_v?=",
    "=?utf-8?q?hi=0D=0ABcc:_v?= =?utf-8?b?DQpCY2M6IHY=?=",
    "=?utf-8?q?unclosed",
    "\ud800\udc80 lone \udfff",
    "\ud83d\ude00 a pair",
    "\u202egro.elpmaxe@live",
    '"quoted" \\ (comment) <angle> , ; :',
    "a" * 5_000,
    "ü" * 5_000,
    "a " * 5_000,
    " " * 5_000 + "x",
    "a" + " " * 2_000 + "b",
    "=?" * 1_000,
    "\r\n\t " * 500,
    "👨‍👩‍👧‍👦" * 100,
    "é" + "\u0301" * 500,
]


def with_examples(test):  # type: ignore[no-untyped-def]  # any test function
    for attack in ATTACKS:
        test = example(attack)(test)
    return test


def read(field: Field) -> email.message.EmailMessage:
    """The field as Python's own reader sees it, in a mail with a field before and after it."""
    octets = headers.block([Field("X-Before: 1\r\n"), field, Field("X-After: 2\r\n")])
    message = email.message_from_bytes(octets + b"\r\nbody\r\n", policy=email.policy.default)
    assert isinstance(message, email.message.EmailMessage)
    expected = ["X-Before", *([field.partition(":")[0]] if field else []), "X-After"]
    assert message.keys() == expected
    assert message.get_payload() == "body\r\n"
    return message


def stdlib_phrase(raw: str) -> str:
    """A display name as written, read by Python's old header decoder and by nothing of ours."""
    raw = re.sub(r"\r\n(?=[ \t])", "", raw).strip()
    if raw.startswith('"'):
        return re.sub(r"\\(.)", r"\1", raw[1:-1])
    parts = email.header.decode_header(raw)
    return "".join(part if isinstance(part, str) else part.decode(label or "ascii") for part, label in parts)


def as_stdlib_takes(filename: str) -> str:
    """get_filename takes off quotation marks and angle brackets even from what was decoded, and strips."""
    return email.utils.unquote(filename).strip()


def check_lines(field: Field) -> None:
    """At most 998, at most 78 where there is a place to fold, and no line of white space alone."""
    assert field.endswith("\r\n")
    for index, line in enumerate(field.removesuffix("\r\n").split("\r\n")):
        assert len(line.encode()) <= 998
        assert line.strip(" \t")
        content = line.partition(": ")[2] if index == 0 else line.strip(" ")
        if len(line) > 78:
            assert " " not in re.sub(r'"(?:[^"\\]|\\.)*"', "", content), "could have been folded"
        if "=?" in line and re.search(r"=\?\S+\?[QB]\?\S*\?=", line):
            assert len(line) <= 76 or " " not in content


@with_examples
@given(ANY_TEXT | PROSE)
def test_a_text_is_read_back(text: str) -> None:
    expected = one_line(text)
    if len(expected) > headers.MAX_TEXT:
        expected = one_line(expected[: headers.MAX_TEXT - 1]) + "…"
    for name in ("Subject", "X-A-Field-Whose-Name-Is-Rather-Long-And-Leaves-No-Room-For-An-Encoded-Word"):
        field = headers.unstructured(name, text)
        check_lines(field)
        assert str(read(field)[name]) == expected


@pytest.mark.parametrize("charset", CHARSETS, ids=lambda charset: charset.key)
@settings(max_examples=30)
@given(data=st.data())
def test_a_text_in_every_charset(charset: Charset, data: st.DataObject) -> None:
    text = one_line(data.draw(texts(charset)))
    field = headers.unstructured("Subject", text, charset)
    check_lines(field)
    assert str(read(field)["Subject"]) == text


@with_examples
@given(ANY_TEXT | PROSE)
def test_a_display_name_is_read_back(name: str) -> None:
    people = [
        Address(name, "jane@example.org"),
        Address("", "joe@example.org"),
        Address(name, "x@" + "y" * 60),
    ]
    for several in (people[:1], people):
        field = headers.mailboxes("Reply-To", several)
        check_lines(field)
        found = read(field)["Reply-To"].addresses
        assert [one.addr_spec for one in found] == [one.addr_spec for one in several]
        # For the names, the older reader: the newer one puts a space between two words.
        written = str(email.message_from_string(field)["Reply-To"])
        for raw, meant in zip(
            re.findall(r'((?:"(?:[^"\\]|\\.)*"|[^",])*?)<?[^\s<]+@[^\s>]+>?(?:,|$)', written),
            several,
            strict=True,
        ):
            assert stdlib_phrase(raw) == meant.display_name


@pytest.mark.parametrize(
    ("address", "line"),
    [
        (Address("", "j@x.example"), "To: j@x.example"),
        (Address("Jane Doe", "j@x.example"), "To: Jane Doe <j@x.example>"),
        (Address("Doe, Jane", "j@x.example"), 'To: "Doe, Jane" <j@x.example>'),
        (Address('J "X" D\\', "j@x.example"), r'To: "J \"X\" D\\" <j@x.example>'),
        (Address("Jürgen", "j@x.example"), "To: =?UTF-8?Q?J=C3=BCrgen?= <j@x.example>"),
        (Address("=?x?q?y?=", "j@x.example"), "To: =?UTF-8?Q?=3D=3Fx=3Fq=3Fy=3F=3D?= <j@x.example>"),
        (Address("", "jürgen@x.example"), "To: jürgen@x.example"),
    ],
)
def test_how_a_mailbox_is_written(address: Address, line: str) -> None:
    assert (
        headers.mailboxes("To", [address], UTF_8)
        .replace("?B?", "?Q?")
        .startswith(line.partition("=?UTF-8")[0])
    )
    assert read(headers.mailboxes("To", [address]))["To"].addresses[
        0
    ].addr_spec == address.addr_spec.encode().decode("ascii", "surrogateescape")


def test_many_addresses() -> None:
    people = [Address(f"Person {n}", f"person{n}@example.org") for n in range(200)]
    field = headers.mailboxes("To", people)
    check_lines(field)
    assert len(read(field)["To"].addresses) == 200


@pytest.mark.parametrize("name", ["", "A B", "A:B", "Bé", "A\r\nB", "X" * 77, "A\0"])
def test_names_that_are_none(name: str) -> None:
    assert not headers.is_field_name(name)
    with pytest.raises(HeaderError):
        headers.unstructured(name, "x")


@pytest.mark.parametrize(
    "name",
    ["To", "BCC", "content-type", "Content-Anything", "Resent-To", "Received", "DKIM-Signature", "Subject"],
)
def test_names_with_a_place_of_their_own(name: str) -> None:
    assert not headers.is_extra_name(name)


def test_names_that_may_be_set() -> None:
    assert headers.is_extra_name("X-Priority")
    assert headers.is_extra_name("List-Archive")


@pytest.mark.parametrize(
    "attack", [*ATTACKS, "", "a@b", "<a b>", "<a>b>", "<a><b>", "<é@b>", "<" + "a" * 1000 + ">"]
)
def test_message_ids_are_checked(attack: str) -> None:
    assert not headers.is_message_id(attack)
    with pytest.raises(HeaderError):
        headers.message_ids("In-Reply-To", [attack])
    assert headers.references([attack]) == ""


@given(st.lists(st.from_regex(r"<[!-;=?-~]{1,120}>", fullmatch=True), min_size=1, max_size=60))
def test_references_are_folded_and_capped(ids: list[str]) -> None:
    field = headers.references(ids)
    check_lines(field)
    written = str(read(field)["References"]).split()
    unique = list(dict.fromkeys(ids))
    assert written[0] == unique[0]
    assert written[-1] == unique[-1]
    assert len(written) == min(len(unique), 21)


@pytest.mark.parametrize(
    "value", [*ATTACKS, "", "ftp://x", "https://x.example/ä", "https://x.example/>", "javascript:x"]
)
def test_urls_are_checked(value: str) -> None:
    with pytest.raises(HeaderError):
        headers.urls("List-Unsubscribe", [value])


def test_urls_are_folded() -> None:
    field = headers.urls("List-Unsubscribe", ["https://x.example/" + "a" * 60, "mailto:y@x.example"])
    check_lines(field)
    assert field.count("\r\n ") == 1


@pytest.mark.parametrize("value", [*ATTACKS, "", "two words", "é"])
def test_tokens_are_checked(value: str) -> None:
    if re.fullmatch(r"a+", value) is None or len(value) > 200:
        with pytest.raises(HeaderError):
            headers.token("Precedence", value)


@pytest.mark.parametrize(
    ("when", "written"),
    [
        (datetime(2026, 11, 23, 15, 4, 5, 999, UTC), "Mon, 23 Nov 2026 15:04:05 +0000"),
        (
            datetime(2026, 3, 1, 0, 0, 0, 0, timezone(timedelta(hours=5, minutes=45))),
            "Sun, 01 Mar 2026 00:00:00 +0545",
        ),
        (
            datetime(2026, 1, 2, 3, 4, 5, 0, timezone(-timedelta(hours=3, minutes=30))),
            "Fri, 02 Jan 2026 03:04:05 -0330",
        ),
        (
            datetime(1890, 1, 1, 0, 0, 0, 0, timezone(timedelta(minutes=53, seconds=28))),
            "Wed, 01 Jan 1890 00:00:00 +0053",
        ),
    ],
)
def test_dates(when: datetime, written: str) -> None:
    assert headers.date("Date", when) == f"Date: {written}\r\n"


def test_a_date_without_a_time_zone_is_a_mistake() -> None:
    with pytest.raises(HeaderError):
        headers.date("Date", datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake is meant


@with_examples
@example("\\")
@example('""')
@example("<a>")
@example('x"; charset=evil; y="')
@given(ANY_TEXT | PROSE)
def test_parameters_are_read_back(value: str) -> None:
    value = one_line(one_line(value)[:300])
    field = headers.parameterized("Content-Disposition", "attachment", [headers.parameter("filename", value)])
    check_lines(field)
    assert (read(field).get_filename() or "") == as_stdlib_takes(value)
    both = headers.parameterized(
        "Content-Type", "text/x-any", [headers.encoded_parameter("name", value), ["charset=UTF-8"]]
    )
    check_lines(both)
    assert read(both).get_content_charset() == "utf-8"


@with_examples
@given(ANY_TEXT)
def test_list_id(description: str) -> None:
    field = headers.list_id("ws.depesche.example.org", description)
    check_lines(field)
    value = str(read(field)["List-Id"])
    assert value.endswith("<ws.depesche.example.org>")


@pytest.mark.parametrize("identifier", ["", "nodots", "a..b", "a b.c", "a.b>\r\nX: y", "ä.b"])
def test_list_id_is_checked(identifier: str) -> None:
    with pytest.raises(HeaderError):
        headers.list_id(identifier)


@pytest.mark.parametrize(
    "raw", ["X: a\r\nb\r\n", "X: a\r\n\r\n", "X a\r\n", "X: a", "X: a\n", "X: a\0\r\n", "X: a\r\n \r\n"]
)
def test_the_last_check_of_a_block(raw: str) -> None:
    with pytest.raises(HeaderError):
        headers.block([Field(raw)])
