"""Addresses: the strict type, the form field, and whatever arrives in a header."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.mailformat.addresses import (
    MAX_INCOMING,
    Address,
    AddressError,
    AddressFault,
    parse_address,
    parse_address_list,
    same_mailbox,
    split_tag,
    with_tag,
)

LOCALS = st.from_regex(r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(\.[a-z0-9]{1,10}){0,2}", fullmatch=True)
DOMAINS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?(\.[a-z0-9]{1,10}){0,3}", fullmatch=True)
ADDRESSES = st.builds(
    lambda name, local, domain: Address(name, f"{local}@{domain}"), st.text(max_size=40), LOCALS, DOMAINS
)


@pytest.mark.parametrize(
    ("text", "name", "addr_spec"),
    [
        ("jane@example.org", "", "jane@example.org"),
        ("  jane@example.org\n", "", "jane@example.org"),
        ("<jane@example.org>", "", "jane@example.org"),
        ("Jane Doe <jane@example.org>", "Jane Doe", "jane@example.org"),
        ('"Doe, Jane" <jane@example.org>', "Doe, Jane", "jane@example.org"),
        (r'"\"J\" \\ D" <jane@example.org>', '"J" \\ D', "jane@example.org"),
        ("Jürgen <j@münchen.example>", "Jürgen", "j@xn--mnchen-3ya.example"),
        ("j@straße.example", "", "j@xn--strae-oqa.example"),  # IDNA 2003 would name another domain
        ("j@例え。テスト", "", "j@xn--r8jz45g.xn--zckzah"),
        ("jürgen@example.org", "", "jürgen@example.org"),
        ('"jane"@example.org', "", "jane@example.org"),
        ('"jane doe"@example.org', "", '"jane doe"@example.org'),
        ("root@localhost", "", "root@localhost"),
        ("jane@[192.0.2.1]", "", "jane@[192.0.2.1]"),
        ("jane@[IPv6:2001:db8::1]", "", "jane@[IPv6:2001:db8::1]"),
        ("jane@my_host.example", "", "jane@my_host.example"),
    ],
)
def test_what_a_person_may_type(text: str, name: str, addr_spec: str) -> None:
    assert parse_address(text) == Address(name, addr_spec)
    assert parse_address(text).addr_spec == addr_spec


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", AddressFault.EMPTY),
        ("   ", AddressFault.EMPTY),
        ("jane", AddressFault.NO_AT),
        ("@example.org", AddressFault.NO_AT),
        ("jane@", AddressFault.NO_AT),
        ("jane@a@example.org", AddressFault.SEVERAL),
        ("jane@a.example, joe@b.example", AddressFault.SEVERAL),
        ("jane@a.example, Joe <joe@b.example>", AddressFault.SEVERAL),
        ("jane doe@example.org", AddressFault.LOCAL),
        ("jane..doe@example.org", AddressFault.LOCAL),
        (".jane@example.org", AddressFault.LOCAL),
        ("jane@example..org", AddressFault.DOMAIN),
        ("jane@-example.org", AddressFault.DOMAIN),
        ("jane@exam ple.org", AddressFault.DOMAIN),
        ("jane@[not an address]", AddressFault.DOMAIN),
        ("jane@" + "a" * 64 + ".example", AddressFault.DOMAIN),
        ("jane\r\n@example.org", AddressFault.CONTROL),
        ("jane@example.org\r\nRCPT TO:<x@example.org>", AddressFault.CONTROL),
        ("jane\0@example.org", AddressFault.CONTROL),
        ("jane\u2028@example.org", AddressFault.CONTROL),
        ("jane\udc80@example.org", AddressFault.CONTROL),
        ("Jane\x00 <jane@example.org>", AddressFault.CONTROL),
        ("jane@example.org> SIZE=1 <x", AddressFault.BRACKETS),
        ("jane@example.org>", AddressFault.BRACKETS),
        ("Doe, Jane <jane@example.org>", AddressFault.NAME),
        ("x" * 65 + "@example.org", AddressFault.LOCAL_LONG),
        ("ü" * 33 + "@example.org", AddressFault.LOCAL_LONG),
        ("x@" + ".".join(["a" * 49] * 6), AddressFault.LONG),
        ("x@" + "ü" * 300, AddressFault.LONG),
        ("x" * 60 + "@" + ".".join(["a" * 49] * 4), AddressFault.LONG),
        ("j" * 10_000 + "@example.org", AddressFault.LONG),
    ],
)
def test_what_is_refused_with_a_sentence(text: str, fault: AddressFault) -> None:
    with pytest.raises(AddressError) as refused:
        parse_address(text)
    assert refused.value.fault is fault
    assert str(refused.value).endswith(".")


@given(st.text())
def test_no_constructor_argument_yields_a_dangerous_address(text: str) -> None:
    for addr_spec in (text, f"{text}@example.org", f"jane@{text}", f'"{text}"@example.org'):
        try:
            address = Address(text, addr_spec)
        except AddressError:
            continue
        assert not any(char in "\r\n\0<>\u2028\u2029" for char in address.addr_spec)
        assert len(address.addr_spec.encode()) <= 254
        assert len(address.local.encode()) <= 64
        assert address.domain.isascii()


@given(st.text())
def test_a_display_name_is_cleaned_and_never_refused(name: str) -> None:
    cleaned = Address(name, "jane@example.org").display_name
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in cleaned)
    assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029") & set(cleaned)
    assert len(cleaned) <= 256
    cleaned.encode()
    assert Address(cleaned, "jane@example.org").display_name == cleaned


@given(ADDRESSES)
def test_what_is_shown_can_be_typed_again(address: Address) -> None:
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", []),
        ("undisclosed-recipients:;", []),
        ("Jane <jane@x.example>", [("Jane", "jane@x.example")]),
        ("jane@x.example (Jane (née) Doe)", [("Jane (née) Doe", "jane@x.example")]),
        ('"Doe, Jane" <j@x.example>, k@x.example', [("Doe, Jane", "j@x.example"), ("", "k@x.example")]),
        ("=?utf-8?Q?Doe,_Jane?= <j@x.example>", [("Doe, Jane", "j@x.example")]),
        ('"=?utf-8?q?M=C3=BCller?=" <j@x.example>', [("Müller", "j@x.example")]),
        ("=?utf-8?q?M=C3?= =?utf-8?q?=BCller?= <j@x.example>", [("Müller", "j@x.example")]),
        (
            "Group: a@x.example, B <b@x.example>;, c@x.example",
            [("", "a@x.example"), ("B", "b@x.example"), ("", "c@x.example")],
        ),
        ("<@relay.example,@r2.example:j@x.example>", [("", "j@x.example")]),
        ("Jane Doe jane@x.example", [("Jane Doe", "jane@x.example")]),
        ("jane @ x.example", [("", "jane@x.example")]),
        ("'jane@x.example' <jane@x.example>", [("jane@x.example", "jane@x.example")]),
        ("Jane@Home <jane@x.example>", [("Jane@Home", "jane@x.example")]),
        ("a@x.example; b@x.example", [("", "a@x.example"), ("", "b@x.example")]),
        ("<a@x.example> <b@x.example>", [("", "a@x.example"), ("", "b@x.example")]),
        ("<a@x.example, b@x.example>", [("", "a@x.example"), ("", "b@x.example")]),
        ("Jane <jane@x.example", [("Jane", "jane@x.example")]),
        ('"Jane <jane@x.example>', [("Jane", "jane@x.example")]),
        ("jane@x.example.", [("", "jane@x.example")]),
        ("<mailto:jane@x.example>", [("", "jane@x.example")]),
        ("jane..doe@docomo.example", [("", '"jane..doe"@docomo.example')]),
        ('"jane doe"@x.example', [("", '"jane doe"@x.example')]),
        ("J <jane@[192.0.2.1]>", [("J", "jane@[192.0.2.1]")]),
        ("not an address", []),
        ("<>", []),
        (",,;:,", []),
        ("jane@\r\n x.example", [("", "jane@x.example")]),
        # Structure comes before decoding: nothing encoded becomes an address or a separator.
        ("=?utf-8?q?boss=40x=2Eexample=3E=2C_?= <evil@y.example>", [("boss@x.example>,", "evil@y.example")]),
        ("=?utf-8?q?hi=0ABcc:_v?= <j@x.example>", [("hi Bcc: v", "j@x.example")]),
        ("=?utf-8?q?a=00b=E2=80=AEc?= <j@x.example>", [("abc", "j@x.example")]),
        ("=?utf-8?q?jane=40x.example?=", []),
    ],
)
def test_incoming_headers(header: str, expected: list[tuple[str, str]]) -> None:
    assert [(found.display_name, found.addr_spec) for found in parse_address_list(header)] == expected


@given(st.lists(ADDRESSES, max_size=5))
def test_lists_are_read_back(addresses: list[Address]) -> None:
    written = ", ".join(
        '"{}" <{}>'.format(a.display_name.replace("\\", "\\\\").replace('"', '\\"'), a.addr_spec)
        for a in addresses
    )
    found = parse_address_list(written)
    assert [a.addr_spec for a in found] == [a.addr_spec for a in addresses]
    for read, meant in zip(found, addresses, strict=True):
        if "=?" not in meant.display_name and "'" not in meant.display_name:
            # The reading takes spaces together, as a phrase has it.
            assert read.display_name.split() == meant.display_name.split()


@given(st.text(alphabet=st.sampled_from("ab@.,;:<>()[]\"\\=?q_' \r\n\tü\udc80\0"), max_size=60))
def test_no_header_makes_the_reading_fail(header: str) -> None:
    for found in parse_address_list(header):
        assert parse_address(found.addr_spec).addr_spec == found.addr_spec


@pytest.mark.parametrize(
    "piece",
    ['"\\', "(", "<", '"', "=?", "=?a?q?", "[", "a@", ",", "<a@b", '"a"@b(', "=?a?q?x?=", ":", "a ", "\\"],
)
def test_hostile_headers_are_read_in_linear_time(piece: str) -> None:
    # A quadratic reading of 200,000 characters would take hours, and the suite's time limit would tell.
    parse_address_list(piece * MAX_INCOMING)


def test_same_mailbox_without_regard_to_case() -> None:
    assert same_mailbox(Address("A", "Jane@Example.ORG"), Address("B", "jane@example.org"))
    assert same_mailbox(Address("", "j@MÜNCHEN.example"), Address("", "j@münchen.example"))
    assert same_mailbox(Address("", '"jane"@x.example'), Address("", "jane@x.example"))
    assert not same_mailbox(Address("", "jane@x.example"), Address("", "jane@y.example"))


@given(ADDRESSES, st.text(alphabet=string.ascii_lowercase + "234567", min_size=1, max_size=20))
def test_tags_go_on_and_come_off(address: Address, tag: str) -> None:
    if len(address.local) + 1 + len(tag) > 64:
        with pytest.raises(AddressError):
            with_tag(address, tag)
        return
    tagged = with_tag(address, tag)
    assert tagged.local == f"{address.local}+{tag}"
    assert split_tag(tagged) == (address, tag)


def test_tags_at_the_limit_of_64_octets() -> None:
    assert with_tag(Address("", "tracker@x.example"), "t" * 56).local == "tracker+" + "t" * 56
    with pytest.raises(AddressError):
        with_tag(Address("", "tracker@x.example"), "t" * 57)


@pytest.mark.parametrize("tag", ["", "a b", "a+b", "a@b", "a\r\n", ".a", "a.", "a..b", "ä", '"'])
def test_a_tag_that_is_none(tag: str) -> None:
    with pytest.raises(AddressError):
        with_tag(Address("", "tracker@x.example"), tag)


@pytest.mark.parametrize("addr_spec", ["jane@x.example", "+tag@x.example", "jane+@x.example"])
def test_an_address_without_a_tag(addr_spec: str) -> None:
    assert split_tag(Address("J", addr_spec)) == (Address("J", addr_spec), None)


def test_a_quoted_local_part_keeps_its_quotes_around_the_tag() -> None:
    address = Address("", '"our tracker"@x.example')
    assert with_tag(address, "t7").addr_spec == '"our tracker+t7"@x.example'
    assert split_tag(with_tag(address, "t7")) == (address, "t7")
