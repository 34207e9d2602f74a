from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from depesche.mailroom.connections import validation


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("", ""),
        ("  smtp.Example.ORG. ", "smtp.example.org"),
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("[IPv6:2001:DB8::25]", "2001:db8::25"),
        ("mail_1.example.org", "mail_1.example.org"),
        ("post.müller.example", "post.xn--mller-kva.example"),
    ],
)
def test_hosts_are_taken_as_people_type_them(typed: str, stored: str) -> None:
    assert validation.host(typed) == stored


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("smtp://mail.example.org", "without smtp://"),
        ("https://mail.example.org/x", "without https://"),
        ("mail.example.org:587", "port 587 in its own field"),
        ("[::1]:25", "port 25 in its own field"),
        ("mail.example.org/inbox", "without a path"),
        ("tracker@example.org", "e-mail address"),
        ("mail example org", "no spaces"),
        ("mail\texample", "no spaces"),
        ("300.1.1.1", "IP address"),
        ("-mail.example.org", "no server name"),
        ("mail..example.org", "no server name"),
        ("mail\r\nRCPT TO:<x>", "no"),
        ("a" * 64 + ".example", "no server name"),
        ("é" * 300, "no server name"),
    ],
)
def test_a_host_that_is_none_is_refused_with_a_remedy(typed: str, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        validation.host(typed)


@given(st.text(max_size=300))
def test_whatever_is_accepted_as_host_is_one_plain_word(text: str) -> None:
    try:
        stored = validation.host(text)
    except ValidationError:
        return
    assert stored == "" or (stored.isascii() and stored.isprintable() and " " not in stored)
    assert validation.host(stored) == stored


@pytest.mark.parametrize("typed", ["0", "65536", "25.0", "-1", "２５", "abc", "99999999999999999999", "1e3"])
def test_ports_are_whole_numbers_in_range(typed: str) -> None:
    with pytest.raises(ValidationError, match="from 1 to 65535"):
        validation.port(typed)


def test_an_empty_port_is_none() -> None:
    assert validation.port(" ") is None
    assert validation.port(" 587 ") == 587


@pytest.mark.parametrize(
    "typed", ["tracker", "a@b@c", "a@b\nBcc: x@y", "a b@c", "@x", "x@", "<a@b>", "A <a@b.c>", "a,b@c.d"]
)
def test_a_system_address_is_one_plain_address(typed: str) -> None:
    with pytest.raises(ValidationError):
        validation.address(typed)


def test_passwords_lose_only_the_line_end_of_a_pipe() -> None:
    assert validation.password(" p w \n") == " p w "
    for typed in ("a\nb", "a\0b", "x" * 1001):
        with pytest.raises(ValidationError):
            validation.password(typed)
