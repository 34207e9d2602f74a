"""What goes into a session: envelopes, configurations, contents. Nothing in them can become a command."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.smtpclient import (
    ConnectionConfig,
    Encryption,
    Envelope,
    Limits,
    LocalRefusal,
    OAuthToken,
    Outcome,
    Password,
    Timeouts,
    Trust,
)
from depesche.smtpclient.config import ehlo_name
from depesche.smtpclient.wire import commands
from depesche.smtpclient.wire.content import SharedContent, content_of, dot_stuffed, normalised
from depesche.smtpclient.wire.extensions import Capabilities
from depesche.smtpclient.wire.plan import Plan, plan

BAD_ADDRESSES = [
    "a@b\r\nRCPT TO:<x@y>",
    "a@b\n",
    "a@b\r",
    "a@b\0",
    "a@b>",
    "<a@b",
    "a b@c",
    " a@b",
    "a@b ",
    "a\u2028@b",
    "a\u00a0b@c",
    "a\ud800@b",
    "a\u202e@b",
    '"a b" c@d',
    '"a b"@c d',
    '"a> b"@c',
    '"a\\> b"@c',
    '"a\r\nb"@c',
    '"a" "b"@c',
    '"a b@c',
    "ab",
    "@b",
    "a@",
    "a" * 250 + "@b.de",
]


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_an_envelope_refuses_what_could_leave_its_brackets(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        Envelope(address, ("c@d",))
    with pytest.raises(ValueError, match="address"):
        Envelope("a@b", ("c@d", address))


def test_envelopes() -> None:
    assert Envelope("", ("postmaster",)).recipients == ("postmaster",)
    assert Envelope('"john doe"@b.de', ('"a\\" b"@d.de',)).reverse_path == '"john doe"@b.de'
    assert not Envelope("a@b.de", ("c@d.de",)).smtputf8
    assert Envelope("a@b.de", ("ä@d.de",)).smtputf8
    with pytest.raises(ValueError, match="1 to 1000"):
        Envelope("a@b", ())
    with pytest.raises(ValueError, match="1 to 1000"):
        Envelope("a@b", ("c@d",) * 1001)
    with pytest.raises(TypeError):
        Envelope("a@b", "c@d")  # type: ignore[arg-type]  # the mistake that is tested
    with pytest.raises(ValueError, match="option"):
        Envelope("a@b", ("c@d",), options=("RET=HDRS\r\nQUIT",))


@given(st.text(), st.text())
def test_whatever_an_envelope_accepts_stays_one_line(reverse_path: str, recipient: str) -> None:
    try:
        envelope = Envelope(reverse_path, (recipient,))
    except ValueError:
        return
    for line in (commands.mail(envelope.reverse_path), commands.rcpt(envelope.recipients[0])):
        assert line.endswith(b">\r\n")
        assert line.count(b"\r") == line.count(b"\n") == 1
        assert line.count(b"<") == line.count(b">") == 1


@pytest.mark.parametrize("text", ["a\r\nb", "a\nb", "a\rb", "a\0b", "a\u2028b", "a\x85b"])
def test_the_last_guard_against_injection(text: str) -> None:
    with pytest.raises(ValueError, match="control"):
        commands.line(text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": ""},
        {"host": "a b"},
        {"host": "a\r\nb"},
        {"host": "-a.de"},
        {"host": "a..de"},
        {"host": "x" * 300},
        {"port": 0},
        {"port": 65536},
        {"local_hostname": "a b"},
        {"local_hostname": "a\r\nRSET"},
        {"local_hostname": "[nonsense]"},
    ],
)
def test_a_configuration_that_cannot_be_right_is_refused(wrong: dict[str, object]) -> None:
    right = ConnectionConfig("mx.example.org", 25)
    with pytest.raises(ValueError, match=r"\w"):
        dataclasses.replace(right, **wrong)  # type: ignore[arg-type]  # by name, from the table


def test_configurations() -> None:
    assert ConnectionConfig(" mail.müller.example. ", 25).host == "mail.xn--mller-kva.example"
    assert ConnectionConfig("[::1]", 25).host == "::1"
    assert ConnectionConfig("[IPv6:::1]", 25).host == "::1"
    one = ConnectionConfig("a.de", 465, Encryption.TLS, Password("me", "hunter2"))
    assert one.implicit_tls
    assert not dataclasses.replace(one, port=587).implicit_tls
    assert dataclasses.replace(one, port=4465, encryption=Encryption.SSL).implicit_tls
    assert not dataclasses.replace(one, encryption=Encryption.TLS_IF_AVAILABLE).implicit_tls
    assert "hunter2" not in repr(one)
    assert "secret" not in repr(OAuthToken("me", "secret"))
    assert hash(one) == hash(ConnectionConfig("a.de", 465, Encryption.TLS, Password("me", "hunter2")))
    assert one != dataclasses.replace(one, credentials=Password("me", "other"))


def test_small_values_check_themselves() -> None:
    with pytest.raises(ValueError, match="positive"):
        Timeouts(connect=0)
    assert Timeouts.diagnosis().greeting == 30.0
    with pytest.raises(ValueError, match="at least"):
        Limits(messages_per_connection=0)
    with pytest.raises(ValueError, match="positive"):
        Limits(max_idle=0)
    with pytest.raises(ValueError, match="64"):
        Trust(pins=("abc",))
    assert Trust(pins=(":".join(["AB"] * 32),)).pins == ("ab" * 32,)
    with pytest.raises(ValueError, match="NUL"):
        Password("a\0b", "c")
    with pytest.raises(ValueError, match="token"):
        OAuthToken("a", "b\r\n")
    with pytest.raises(ValueError, match="control"):
        OAuthToken("a\x01", "b")


@pytest.mark.parametrize(
    ("own", "address", "name"),
    [
        ("mx.example.org", "192.0.2.1", "mx.example.org"),
        ("[192.0.2.7]", "192.0.2.1", "[192.0.2.7]"),
    ],
)
def test_the_configured_name_is_said(own: str, address: str, name: str) -> None:
    assert ehlo_name(own, address) == name


@pytest.mark.parametrize(
    ("machine", "address", "name"),
    [
        ("tracker", "192.0.2.1", "[192.0.2.1]"),
        ("tracker", "2001:db8::1", "[IPv6:2001:db8::1]"),
        ("tracker", "::ffff:192.0.2.1", "[192.0.2.1]"),
        ("tracker", "fe80::1%eth0", "[IPv6:fe80::1]"),
        ("tracker.local", "192.0.2.1", "[192.0.2.1]"),
        ("bad name.example.org", "192.0.2.1", "[192.0.2.1]"),
        ("tracker.example.org", "192.0.2.1", "tracker.example.org"),
        ("tracker", "", "[127.0.0.1]"),
    ],
)
def test_without_one_the_name_is_sane(
    monkeypatch: pytest.MonkeyPatch, machine: str, address: str, name: str
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: machine)
    assert ehlo_name("", address) == name


CONTENTS = [
    (b"", b""),
    (b"a", b"a\r\n"),
    (b"a\r\n", b"a\r\n"),
    (b"a\nb", b"a\r\nb\r\n"),
    (b"a\rb\r\n", b"a\r\nb\r\n"),
    (b"a\r\r\nb", b"a\r\n\r\nb\r\n"),
    (b"a\n\rb", b"a\r\n\r\nb\r\n"),
    (b".", b"..\r\n"),
    (b".\r\n.\r\n", b"..\r\n..\r\n"),
    (b"a\r\n.\r\nMAIL FROM:<x@y>", b"a\r\n..\r\nMAIL FROM:<x@y>\r\n"),
    (b"a\n.\nb", b"a\r\n..\r\nb\r\n"),
    (b"a\r.\rb", b"a\r\n..\r\nb\r\n"),
    (b"a\n.\r\nb", b"a\r\n..\r\nb\r\n"),
    (b"..", b"...\r\n"),
    (b"a.\r\nb", b"a.\r\nb\r\n"),
]


@pytest.mark.parametrize(("given_", "wire"), CONTENTS)
def test_content_on_the_wire(given_: bytes, wire: bytes) -> None:
    assert dot_stuffed(normalised(given_)) == wire


OCTETS = st.lists(st.sampled_from([b"\r", b"\n", b".", b"a", b"\0", b"\xff", b"\r\n"])).map(b"".join)


@given(OCTETS)
def test_no_content_ends_early_or_changes(content: bytes) -> None:
    wire = dot_stuffed(normalised(content))
    lines = wire.split(b"\r\n")
    assert lines.pop() == b""
    assert b"." not in lines
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", wire)
    unstuffed = b"".join((line[1:] if line.startswith(b".") else line) + b"\r\n" for line in lines)
    assert unstuffed == normalised(content)
    assert normalised(unstuffed) == unstuffed


@given(OCTETS, OCTETS)
def test_content_in_two_parts_is_like_the_two_joined(own: bytes, shared: bytes) -> None:
    whole = normalised(own + shared)
    octets, is_ascii, stuffed = content_of(own, SharedContent(shared))
    assert octets in (whole, normalised(own + normalised(shared)))
    assert octets == whole or own.endswith(b"\r")  # there a line end reaches across
    assert is_ascii == octets.isascii()
    assert stuffed in (None, dot_stuffed(octets))


# ---- what is decided before the server is asked


def planned(content: bytes, *, envelope: Envelope | None = None, able: tuple[str, ...] = ()) -> Plan:
    keywords = {words[0]: tuple(words[1:]) for words in (text.split() for text in able)}
    return plan(
        envelope or Envelope("a@b.de", ("c@d.de",)),
        content,
        Capabilities(keywords),
        lambda octets: octets.decode("latin-1").encode("ascii", "backslashreplace"),
    )


def test_plain_plan() -> None:
    assert planned(b"x").mail == b"MAIL FROM:<a@b.de>\r\n"
    assert planned(b"x", able=("SIZE",)).mail == b"MAIL FROM:<a@b.de> SIZE=3\r\n"


def test_eight_bit_content_is_declared_or_converted() -> None:
    assert planned("ä".encode(), able=("8BITMIME",)).mail == b"MAIL FROM:<a@b.de> BODY=8BITMIME\r\n"
    assert planned(b"\xe4").content == b"\\xe4\r\n"
    assert planned(b"\xe4").mail == b"MAIL FROM:<a@b.de>\r\n"


def test_what_cannot_be_converted_is_refused_by_ourselves() -> None:
    def fails(content: bytes) -> bytes:
        raise ValueError("no MIME")

    for converter in (fails, lambda content: content):
        what = plan(Envelope("a@b.de", ("c@d.de",)), b"\xe4", Capabilities(), converter)
        assert [one.local for _, one in what.refused] == [LocalRefusal.NEEDS_EIGHT_BIT]
        assert not what.rcpts


def test_too_large() -> None:
    what = planned(b"x" * 100, able=("SIZE 50",), envelope=Envelope("a@b.de", ("c@d.de", "e@f.de")))
    assert not what.rcpts
    assert {one.local for _, one in what.refused} == {LocalRefusal.TOO_LARGE}
    assert {one.outcome for _, one in what.refused} == {Outcome.REFUSED}
    assert "102 bytes" in what.refused[0][1].detail


def test_international_domains_are_written_as_in_dns() -> None:
    envelope = Envelope("a@müller.example", ("b@bücher.example",))
    for able in ((), ("SMTPUTF8",)):
        what = planned(b"x", envelope=envelope, able=able)
        assert what.mail == b"MAIL FROM:<a@xn--mller-kva.example>\r\n"
        assert what.rcpts == [b"RCPT TO:<b@xn--bcher-kva.example>\r\n"]


def test_a_domain_with_a_sharp_s_is_not_another_domain() -> None:
    what = planned(b"x", envelope=Envelope("", ("a@straße.example",)))
    assert what.rcpts == [b"RCPT TO:<a@xn--strae-oqa.example>\r\n"]


def test_international_local_parts() -> None:
    envelope = Envelope("a@b.de", ("jörg@b.de", "c@d.de"))
    what = planned(b"x", envelope=envelope, able=("SMTPUTF8",))
    assert what.mail == b"MAIL FROM:<a@b.de> SMTPUTF8\r\n"
    assert what.rcpts[0] == "RCPT TO:<jörg@b.de>\r\n".encode()
    without = planned(b"x", envelope=envelope)
    assert without.rcpts == [b"RCPT TO:<c@d.de>\r\n"]
    assert list(without.positions) == [1]
    assert [(at, one.local) for at, one in without.refused] == [(0, LocalRefusal.NEEDS_SMTPUTF8)]
    assert not planned(b"x", envelope=Envelope("ä@b.de", ("c@d.de",))).rcpts


def test_options_go_where_they_are_understood() -> None:
    envelope = Envelope("a@b.de", ("c@d.de",), options=("RET=HDRS", "X=1"))
    assert planned(b"x", envelope=envelope).mail == b"MAIL FROM:<a@b.de> X=1\r\n"
    assert planned(b"x", envelope=envelope, able=("DSN",)).mail == b"MAIL FROM:<a@b.de> RET=HDRS X=1\r\n"
