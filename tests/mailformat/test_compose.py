"""The composer: what is written parses with Python's own reader to what went in."""

from __future__ import annotations

import email
import email.policy
import email.utils
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from depesche.mailformat.addresses import Address
from depesche.mailformat.characters import one_line
from depesche.mailformat.charset import CHARSETS, Charset
from depesche.mailformat.compose import (
    Attachment,
    Content,
    Draft,
    HeaderError,
    ListId,
    compose,
    from_headers,
    message_id,
    needs_8bit,
    needs_smtputf8,
    personal_headers,
    to_seven_bit,
)
from depesche.mailformat.compose import safe_filename as safe
from tests.mailformat.repertoire import texts

WHEN = datetime(2026, 11, 23, 15, 4, 5, tzinfo=UTC)
JANE = Address("Jane Doe", "jane@example.org")
ANY_TEXT = st.text(st.characters(), max_size=300)
LINES = st.lists(ANY_TEXT, max_size=8).map("\n".join)
LONG_LINES = st.builds(
    lambda text, times: text * times, st.text(st.characters(), min_size=1, max_size=20), st.integers(50, 200)
)
BODIES = LINES | LONG_LINES
FILES = st.builds(
    Attachment,
    ANY_TEXT,
    st.sampled_from(
        ["application/pdf", "image/png", "text/plain", "text/csv; charset=iso-8859-1", "nonsense", ""]
    )
    | ANY_TEXT,
    st.binary(max_size=300),
    st.none() | st.just("logo@example.org"),
)
HEAD = from_headers(JANE) + personal_headers(to=[JANE], message_id="<1@example.org>")


def draft(**changes: object) -> Draft:
    values: dict[str, object] = {"subject": "A subject", "text": "A text\n", "date": WHEN, **changes}
    return Draft(**values)  # type: ignore[arg-type] - a test's shorthand


def parse(octets: bytes) -> EmailMessage:
    message = email.message_from_bytes(octets, policy=email.policy.SMTP)
    assert isinstance(message, EmailMessage)
    return message


def whole(content: Content) -> EmailMessage:
    assert_wire_form(HEAD + content.octets)
    return parse(HEAD + content.octets)


def assert_wire_form(octets: bytes) -> None:
    assert b"\0" not in octets
    assert octets.endswith(b"\r\n")
    lines = octets.split(b"\r\n")
    for line in lines:
        assert b"\r" not in line
        assert b"\n" not in line
        assert len(line) <= 998


def as_read(text: str) -> str:
    """What becomes of a text: lines that end in CRLF, no NUL, no lone surrogate."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return (text if text.endswith("\n") else text + "\n").replace("\n", "\r\n")


def text_of(part: EmailMessage) -> str:
    """The text by its own label, without the stdlib's guessing about line ends."""
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    charset = part.get_content_charset()
    assert charset is not None
    return payload.decode(charset)


def check(message: EmailMessage, what: Draft) -> None:
    """The mail says what the draft says."""
    assert str(message["Subject"]) == one_line(what.subject)
    parts = [
        part
        for part in message.walk()
        if not part.is_multipart() or part.get_content_type() == "message/rfc822"
    ]
    assert parts[0].get_content_type() == "text/plain"
    assert text_of(parts[0]) == as_read(what.text)
    rest = parts[1:]
    if what.html is not None:
        assert rest[0].get_content_type() == "text/html"
        assert text_of(rest[0]) == as_read(what.html)
        rest = rest[1:]
    inline = [file for file in what.attachments if file.content_id is not None and what.html is not None]
    files = inline + [file for file in what.attachments if file not in inline]
    assert len(rest) == len(files)
    for part, file in zip(rest, files, strict=True):
        assert part.get_payload(decode=True) == file.data
        # get_filename takes off quotation marks and angle brackets even from what was decoded.
        assert part.get_filename() == email.utils.unquote(safe(file.filename)).strip()
        assert part.get_content_disposition() == ("inline" if file in inline else "attachment")


@settings(max_examples=80)
@example("x", "a" * 2000, "é" * 2000, ())
@example("x", "From me\n.\n..\n--=_mixed_n\n", "--=_alternative_n--", ())
@given(ANY_TEXT, BODIES, st.none() | BODIES, st.lists(FILES, max_size=3).map(tuple))
def test_what_goes_in_comes_out(
    subject: str, text: str, html: str | None, attachments: tuple[Attachment, ...]
) -> None:
    what = draft(subject=subject, text=text, html=html, attachments=attachments)
    content = compose(what, boundary="n")
    check(whole(content), what)
    assert content.needs_8bit == needs_8bit(content.octets)
    seven = to_seven_bit(HEAD + content.octets)
    assert seven.isascii()
    assert_wire_form(seven)
    check(parse(seven), what)
    if not content.needs_8bit:
        assert seven == HEAD + content.octets


@pytest.mark.parametrize("charset", CHARSETS, ids=lambda charset: charset.key)
@settings(max_examples=25)
@given(data=st.data())
def test_every_charset_carries_the_mail_or_gives_way(charset: Charset, data: st.DataObject) -> None:
    own = texts(charset)
    what = draft(
        subject=data.draw(own), text=data.draw(own), html=data.draw(st.none() | own), charset=charset.key
    )
    content = compose(what, boundary="n")
    message = whole(content)
    check(message, what)
    assert content.charset == (charset.key if not content.fell_back else "utf-8")
    text_part = next(part for part in message.walk() if not part.is_multipart())
    assert text_part.get_content_charset() == content.charset
    if charset.stateful and not content.fell_back:
        assert not content.needs_8bit
    check(parse(to_seven_bit(HEAD + content.octets)), what)


def test_a_mail_that_the_charset_cannot_carry_goes_out_in_utf_8() -> None:
    for changes in ({"subject": "10 €"}, {"text": "10 €"}, {"html": "10 €"}):
        content = compose(draft(charset="iso-8859-1", **changes), boundary="n")
        assert (content.charset, content.fell_back) == ("utf-8", True)
    content = compose(draft(subject="Grüße", text="Grüße", charset="iso-8859-1"), boundary="n")
    assert (content.charset, content.fell_back, content.needs_8bit) == ("iso-8859-1", False, True)
    assert b"=?ISO-8859-1?" in content.octets
    assert b"Gr\xfc\xdfe" in content.octets
    assert compose(draft(charset="none such"), boundary="n").fell_back


def test_the_shape_of_a_mail() -> None:
    picture = Attachment("logo.png", "image/png", b"\x89PNG", "logo")
    report = Attachment("report.pdf", "application/pdf", b"%PDF")

    def shape(part: EmailMessage) -> object:
        kind = part.get_content_type().removeprefix("multipart/")
        return (kind, *(shape(inner) for inner in part.iter_parts())) if part.is_multipart() else kind

    def shape_of(**changes: object) -> object:
        return shape(whole(compose(draft(**changes), boundary="n")))

    assert shape_of() == "text/plain"
    assert shape_of(html="x") == ("alternative", "text/plain", "text/html")
    assert shape_of(attachments=(report,)) == ("mixed", "text/plain", "application/pdf")
    assert shape_of(attachments=(picture,)) == ("mixed", "text/plain", "image/png")
    related = ("related", "text/html", "image/png")
    assert shape_of(html="x", attachments=(picture,)) == ("alternative", "text/plain", related)
    assert shape_of(html="x", attachments=(report, picture)) == (
        "mixed",
        ("alternative", "text/plain", related),
        "application/pdf",
    )


def test_the_fields_of_the_shared_part() -> None:
    what = draft(
        subject="[WS-7] Größe",
        in_reply_to="<a@x.example>",
        references=("<root@x.example>", "no id", "<a@x.example>"),
        auto_submitted="auto-generated",
        list_id=ListId("ws.x.example", "Our workspace"),
        precedence="bulk",
        headers=(("X-Depesche-Item", "WS-7"), ("X-Note", "Grüße")),
    )
    content = compose(what, boundary="n")
    message = parse(content.octets)
    assert message.items() == [
        ("Date", "Mon, 23 Nov 2026 15:04:05 +0000"),
        ("Subject", "[WS-7] Größe"),
        ("In-Reply-To", "<a@x.example>"),
        ("References", "<root@x.example> <a@x.example>"),
        ("Auto-Submitted", "auto-generated"),
        ("List-Id", "Our workspace <ws.x.example>"),
        ("Precedence", "bulk"),
        ("X-Depesche-Item", "WS-7"),
        ("X-Note", "Grüße"),
        ("MIME-Version", "1.0"),
        ("Content-Type", 'text/plain; charset="UTF-8"'),
        ("Content-Transfer-Encoding", "7bit"),
    ]
    assert content.octets.startswith(b"Date: Mon, 23 Nov 2026 15:04:05 +0000\r\nSubject: [WS-7] =?UTF-8?")
    # A bad id from outside never stops a mail.
    assert parse(
        compose(draft(in_reply_to="nonsense\r\nX: y", references=("<>",)), boundary="n").octets
    ).keys()[:3] == [
        "Date",
        "Subject",
        "MIME-Version",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": (("Bcc", "x@x.example"),)},
        {"headers": (("Content-Type", "text/html"),)},
        {"headers": (("X-A\r\nBcc", "x"),)},
        {"headers": (("", "x"),)},
        {"auto_submitted": "auto\r\nBcc: x"},
        {"precedence": "two words"},
        {"list_id": ListId("x>\r\nBcc: y")},
        {"date": datetime(2026, 1, 1)},  # noqa: DTZ001 - the mistake is meant
        {"attachments": (Attachment("a", "image/png", b"", "x>\r\nBcc: y"),)},
    ],
)
def test_mistakes_of_the_caller(changes: dict[str, object]) -> None:
    with pytest.raises(HeaderError):
        compose(draft(**changes), boundary="n")


@pytest.mark.parametrize("boundary", ["", "a b", "a\r\n", "x" * 41, "é", 'a"'])
def test_a_boundary_that_is_none(boundary: str) -> None:
    with pytest.raises(ValueError, match="boundary"):
        compose(draft(), boundary=boundary)


@given(
    st.sampled_from(["mixed", "mixed1", "mixed2", "alternative", "related", "related1"]),
    st.sampled_from(["", "--", "x", " "]),
)
def test_a_boundary_never_occurs_in_the_parts(kind: str, end: str) -> None:
    trap = f"--=_{kind}_n{end}"
    text = f"before\n{trap}\nBcc: x\n\nafter"
    files = (
        Attachment("a.eml", "message/rfc822", f"Subject: x\r\n\r\n{trap}\r\n".encode()),
        Attachment("a.png", "image/png", b"", "logo"),
    )
    what = draft(text=text, html=text, attachments=files)
    message = whole(compose(what, boundary="n"))
    mixed = list(message.iter_parts())
    assert [part.get_content_type() for part in mixed] == ["multipart/alternative", "message/rfc822"]
    plain, related = mixed[0].iter_parts()
    assert text_of(plain) == as_read(text)
    rich, picture = related.iter_parts()
    assert text_of(rich) == as_read(text)
    assert picture.get_content_type() == "image/png"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\report.pdf", "report.pdf"),
        ("a\r\nBcc: x.pdf", "a Bcc: x.pdf"),
        ("a\0b.pdf", "ab.pdf"),
        ("Übersicht.pdf", "Übersicht.pdf"),
        ('say "hi".txt', 'say "hi".txt'),
        ("gpj\u202e.exe", "gpj.exe"),
        ("", "attachment"),
        ("..", "attachment"),
        ("/", "attachment"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("=?utf-8?q?a=0Ab?=.txt", "=?utf-8?q?a=0Ab?=.txt"),
    ],
)
def test_file_names(name: str, kept: str) -> None:
    message = whole(compose(draft(attachments=(Attachment(name, "image/png", b"x"),)), boundary="n"))
    part = next(message.iter_attachments())
    assert part.get_filename() == kept
    assert part.get_content_type() == "image/png"


def test_file_names_for_readers_without_rfc_2231() -> None:
    octets = compose(draft(attachments=(Attachment("Ü.pdf", "application/pdf", b"x"),)), boundary="n").octets
    assert b"filename*=UTF-8''%C3%9C.pdf" in octets
    assert b'name="=?UTF-8?' in octets


@pytest.mark.parametrize(
    ("given_type", "data", "written", "charset"),
    [
        ("text/calendar; method=REQUEST; charset=utf-8", b"x", "text/calendar", "utf-8"),
        ("text/plain", "ü".encode(), "text/plain", "utf-8"),
        ("text/plain", b"\xfc", "text/plain", None),
        ("text/plain; charset=iso-8859-1", b"\xfc", "text/plain", "iso-8859-1"),
        ("IMAGE/PNG", b"x", "image/png", None),
        ("nonsense", b"x", "application/octet-stream", None),
        ("multipart/mixed; boundary=x", b"--x--", "application/octet-stream", None),
        ("message/partial; id=x", b"x", "application/octet-stream", None),
        ("image/png\r\nBcc: x", b"x", "image/png", None),
        ('image/png; x="\r\nBcc: y"', b"x", "image/png", None),
        ("message/rfc822", b"Subject: x\r\n\r\n" + b"x" * 2000, "application/octet-stream", None),
        ("message/rfc822", b"Subject: \0", "application/octet-stream", None),
    ],
)
def test_types_of_files(given_type: str, data: bytes, written: str, charset: str | None) -> None:
    content = compose(draft(attachments=(Attachment("a", given_type, data),)), boundary="n")
    part = next(whole(content).iter_attachments())
    assert part.get_content_type() == written
    assert part.get_payload(decode=True) == data
    assert part.get_content_charset() == charset
    assert part.keys() == ["Content-Type", "Content-Transfer-Encoding", "Content-Disposition"]
    if "method" in given_type:
        assert part.get_param("method") == "REQUEST"


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_an_attached_message_stays_a_message(newline: bytes) -> None:
    inner = newline.join(
        [b"Subject: inner", b"Content-Type: text/plain; charset=utf-8", b"", "Grüße".encode()]
    )
    content = compose(draft(attachments=(Attachment("a.eml", "message/rfc822", inner),)), boundary="n")
    assert content.needs_8bit
    seven = to_seven_bit(HEAD + content.octets)
    assert seven.isascii()
    for octets in (HEAD + content.octets, seven):
        part = next(parse(octets).iter_attachments())
        assert part.get_content_type() == "message/rfc822"
        assert part["Content-Transfer-Encoding"] in ("8bit", "7bit")
        message = part.get_content()
        assert message["Subject"] == "inner"
        assert message.get_content().rstrip() == "Grüße"


def test_the_personal_fields() -> None:
    octets = personal_headers(
        to=[Address("Jürgen", "j@x.example")],
        cc=[Address("", "k@x.example"), Address("Doe, Jane", "jane@x.example")],
        reply_to=Address("Tracker", "tracker+t7@x.example"),
        message_id="<1@x.example>",
        list_unsubscribe=(["https://x.example/u/1", "mailto:u@x.example"], True),
        in_reply_to="<0@x.example>",
        references=["<r@x.example>", "<0@x.example>"],
        extra=[("X-Reason", "you watch it")],
        charset="iso-8859-1",
    )
    assert octets == (
        b"To: =?ISO-8859-1?Q?J=FCrgen?= <j@x.example>\r\n"
        b'Cc: k@x.example, "Doe, Jane" <jane@x.example>\r\n'
        b"Reply-To: Tracker <tracker+t7@x.example>\r\n"
        b"Message-ID: <1@x.example>\r\n"
        b"In-Reply-To: <0@x.example>\r\n"
        b"References: <r@x.example> <0@x.example>\r\n"
        b"List-Unsubscribe: <https://x.example/u/1>, <mailto:u@x.example>\r\n"
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        b"X-Reason: you watch it\r\n"
    )


def test_a_name_that_the_charset_cannot_carry_is_written_in_utf_8() -> None:
    octets = personal_headers(
        to=[Address("山田", "y@x.example")], message_id="<1@x.example>", charset="iso-8859-1"
    )
    assert octets.startswith(b"To: =?UTF-8?B?")


def test_nobody_is_named() -> None:
    assert personal_headers(to=[], message_id="<1@x.example>").startswith(b"To: undisclosed-recipients:;\r\n")
    assert personal_headers(to=[], cc=[JANE], message_id="<1@x.example>").startswith(b"Cc: ")


@pytest.mark.parametrize(
    "changes",
    [
        {"message_id": "1@x.example"},
        {"message_id": "<1@x.example>\r\nBcc: x"},
        {"list_unsubscribe": (["http://x.example"], True)},
        {"list_unsubscribe": (["https://x.example>\r\nBcc: y"], False)},
        {"list_unsubscribe": ([], False)},
        {"extra": [("From", "x")]},
    ],
)
def test_mistakes_in_personal_fields(changes: dict[str, object]) -> None:
    with pytest.raises(HeaderError):
        personal_headers(**{"to": [JANE], "message_id": "<1@x.example>", **changes})  # type: ignore[arg-type] - a shorthand


@given(ANY_TEXT, ANY_TEXT)
def test_no_name_breaks_out_of_the_personal_fields(name: str, other: str) -> None:
    octets = from_headers(
        Address(name, "a@x.example"), sender=Address(other, "s@x.example")
    ) + personal_headers(
        to=[Address(other, "j@x.example"), Address(name, "k@x.example")],
        reply_to=Address(name, "r@x.example"),
        message_id="<1@x.example>",
        extra=[("X-Any", other)],
    )
    assert_wire_form(octets)
    message = parse(octets + b"\r\nbody")
    assert message.keys() == ["From", "Sender", "To", "Reply-To", "Message-ID", "X-Any"]
    assert [one.addr_spec for one in message["To"].addresses] == ["j@x.example", "k@x.example"]
    assert message.get_payload() == "body"


def test_several_addresses_to_answer_to() -> None:
    octets = personal_headers(
        to=[JANE], reply_to=[JANE, Address("", "t@x.example")], message_id="<1@x.example>"
    )
    assert b"Reply-To: Jane Doe <jane@example.org>, t@x.example\r\n" in octets
    assert b"Reply-To" not in personal_headers(to=[JANE], reply_to=[], message_id="<1@x.example>")


def test_which_mails_need_smtputf8() -> None:
    content = compose(draft(subject="Grüße", text="Grüße"), boundary="n").octets
    assert not needs_smtputf8(HEAD + content)
    international = personal_headers(to=[Address("", "jürgen@x.example")], message_id="<1@x.example>")
    assert needs_smtputf8(from_headers(JANE) + international + content)
    assert not needs_smtputf8(to_seven_bit(from_headers(JANE) + international + content))


def test_from_and_sender() -> None:
    assert from_headers(JANE) == b"From: Jane Doe <jane@example.org>\r\n"
    assert (
        from_headers(JANE, sender=Address("", "jane@example.org")) == b"From: Jane Doe <jane@example.org>\r\n"
    )
    assert from_headers(JANE, sender=Address("Tracker", "t@x.example")).endswith(
        b"Sender: Tracker <t@x.example>\r\n"
    )


def test_message_ids() -> None:
    assert message_id("abc.7", "x.example") == "<abc.7@x.example>"
    assert message_id("a", "münchen.example") == "<a@xn--mnchen-3ya.example>"
    for nonce, domain in (
        ("", "x"),
        ("a b", "x"),
        ("a>", "x"),
        ("a\r\n", "x"),
        ("a", ""),
        ("a", "x\r\ny"),
        ("a" * 250, "x"),
    ):
        with pytest.raises(ValueError, match=r"."):
            message_id(nonce, domain)


def test_nothing_depends_on_the_day_or_on_chance() -> None:
    what = draft(html="x", attachments=(Attachment("a", "image/png", b"x"),))
    assert compose(what, boundary="n") == compose(what, boundary="n")
