"""What leaves the worker with signatures on it, verified by dkimpy."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from depesche.mailformat.addresses import Address
from depesche.mailformat.compose import Draft, compose, from_headers, personal_headers
from depesche.mailformat.dkim import dns_record
from depesche.mailroom.connections.signing.signer import Key, Signer, author_domain, keys_for
from depesche.smtpclient.wire.content import dot_stuffed, normalised
from tests.support.dkim_verifier import verdicts

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED25519 = ed25519.Ed25519PrivateKey.generate()
KEYS = (Key("example.org", "r", RSA), Key("example.org", "e", ED25519))
RECORDS = {"r._domainkey.example.org": dns_record(RSA), "e._domainkey.example.org": dns_record(ED25519)}
TEXTS = {
    "plain": "Hello\n",
    "8 bits": "Grüße aus Köln\n" * 30,
    "no end of line": "no line end",
    "dots": ".\n..\n.x\n\n.\n",
    "long lines": "x" * 5000 + "\n" + "ü" * 5000,
    "white space": "  two  spaces \t\n\n\n\n",
    "nothing": "",
    "other script": "日本語の本文\n" * 50,
}


AUTHOR = Address("Jürgen Müller", "j@example.org")


def parts(text: str) -> tuple[bytes, ...]:
    header = personal_headers(
        to=[Address("Größe", "kim@example.net")], message_id="<1@example.org>", in_reply_to="<0@example.org>"
    )
    return from_headers(AUTHOR), header, compose(Draft("Ü " * 60, text, NOW), boundary="n").octets


def as_received(octets: bytes) -> bytes:
    """What a server stores: stuffed, sent, the stuffing taken off."""
    wire = dot_stuffed(normalised(octets))
    return b"\r\n".join(line[1:] if line[:1] == b"." else line for line in wire.split(b"\r\n"))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_both_signatures_verify(text: str) -> None:
    octets = Signer(KEYS, home="example.org").joined(*parts(text), NOW)
    assert octets.isascii(), "a relay without 8BITMIME would change it"
    assert verdicts(as_received(octets), RECORDS) == [True, True]


@given(st.text(max_size=300))
def test_any_text_verifies(text: str) -> None:
    octets = Signer(KEYS[1:], home="example.org").joined(*parts(text), NOW)
    assert verdicts(as_received(octets), RECORDS) == [True]


def test_one_content_for_many_is_hashed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from depesche.mailroom.connections.signing import signer as module

    hashed = []
    real = module.body_digest
    monkeypatch.setattr(module, "body_digest", lambda body: hashed.append(1) or real(body))
    signer = Signer(KEYS[1:], home="example.org")
    block, _header, content = parts("Grüße")
    for number in range(5):
        header = personal_headers(to=[Address("", f"p{number}@example.net")], message_id=f"<{number}@e.org>")
        assert verdicts(as_received(signer.joined(block, header, content, NOW)), RECORDS) == [True]
    assert len(hashed) == 1


def test_a_changed_mail_does_not_verify() -> None:
    octets = Signer(KEYS, home="example.org").joined(*parts("Hello"), NOW)
    assert verdicts(octets.replace(b"Hello", b"Hallo"), RECORDS) == [False, False]


@pytest.mark.parametrize(
    ("author", "signed_by"),
    [
        ("j@example.org", "example.org"),
        ("j@sub.example.org", "example.org"),
        ("j@people.example.org", "people.example.org"),
        ("j@notexample.org", "home.example"),
        ("j@elsewhere.example", "home.example"),
    ],
)
def test_the_keys_are_those_of_the_author_else_of_the_system_address(author: str, signed_by: str) -> None:
    keys = [Key(name, "s", ED25519) for name in ("example.org", "people.example.org", "home.example")]
    block = from_headers(Address("Jane", author))
    assert [key.domain for key in keys_for(keys, author_domain(block), "home.example")] == [signed_by]


def test_an_international_domain_is_found_as_in_dns() -> None:
    assert author_domain(from_headers(Address("Jane", "j@bücher.example"))) == "xn--bcher-kva.example"
    assert author_domain("From: Ü <j@bücher.example>\r\n".encode()) == "xn--bcher-kva.example"
    assert author_domain(b"From: nobody\r\n") == ""


def test_no_key_that_fits_leaves_the_mail_alone() -> None:
    block, header, content = parts("Hello")
    signer = Signer([Key("elsewhere.example", "s", ED25519)], home="example.org")
    assert signer.joined(block, header, content, NOW) == block + header + content


def test_a_failure_to_sign_is_logged_and_loses_nothing(caplog: Any) -> None:
    broken: Any = object()
    block, header, content = parts("Hello")
    signer = Signer([Key("example.org", "s", broken)], home="example.org")
    with caplog.at_level(logging.ERROR):
        assert signer.joined(block, header, content, NOW) == block + header + content
    assert "unsigned" in caplog.text


def test_a_key_shows_nothing_of_itself() -> None:
    assert "private" not in repr(KEYS[0])
