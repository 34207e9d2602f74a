"""DKIM signatures, verified by dkimpy."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from dkim.canonicalization import Relaxed
from hypothesis import given
from hypothesis import strategies as st

from depesche.mailformat.addresses import Address
from depesche.mailformat.compose import (
    Attachment,
    Draft,
    compose,
    from_headers,
    personal_headers,
    to_seven_bit,
)
from depesche.mailformat.dkim import SigningKey, dns_record, load_key, relaxed_body, sign
from tests.support.dkim_verifier import verdicts

NOW = datetime(2026, 11, 23, 15, 4, 5, tzinfo=UTC)
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED25519 = ed25519.Ed25519PrivateKey.generate()
JANE = Address("Jürgen Müller", "jane@example.org")


def mail(text: str = "Grüße,\n\n  two  spaces \t\n\n\n", *, seven_bit: bool = False) -> bytes:
    draft = Draft("Größe", text, NOW, html="<p>ä</p>", attachments=(Attachment("a", "image/png", b"x" * 99),))
    octets = (
        from_headers(JANE)
        + personal_headers(
            to=[JANE],
            message_id="<1@example.org>",
            list_unsubscribe=(["https://example.org/" + "u" * 70], True),
        )
        + compose(draft, boundary="n").octets
    )
    return to_seven_bit(octets) if seven_bit else octets


def verifies(octets: bytes, key: SigningKey) -> bool:
    return verdicts(octets, {"s1._domainkey.example.org": dns_record(key)}) == [True]


def signed(octets: bytes, key: SigningKey) -> bytes:
    return sign(octets, domain="Example.org", selector="s1", private_key=key, now=NOW) + octets


@pytest.mark.parametrize("key", [RSA, ED25519], ids=["rsa", "ed25519"])
@pytest.mark.parametrize("seven_bit", [False, True])
def test_a_signature_verifies(key: SigningKey, seven_bit: bool) -> None:
    octets = signed(mail(seven_bit=seven_bit), key)
    assert verifies(octets, key)
    field = octets.partition(b"From:")[0]
    assert all(len(line) <= 78 for line in field.split(b"\r\n"))
    assert field.isascii()


@pytest.mark.parametrize("key", [RSA, ED25519], ids=["rsa", "ed25519"])
@pytest.mark.parametrize(
    "change",
    [
        lambda octets: octets.replace(b"two", b"2"),
        lambda octets: octets.replace(b"jane@", b"joe@", 1),
        lambda octets: octets.replace(b"Subject: ", b"Subject: x"),
        lambda octets: octets.replace(b"https://example.org/u", b"https://evil.example/u"),
        lambda octets: b"From: evil@example.org\r\n" + octets,
        lambda octets: b"Subject: evil\r\n" + octets,
        lambda octets: b"Cc: evil@example.org\r\n" + octets,
        lambda octets: octets + b"more\r\n",
    ],
)
def test_a_change_is_found(key: SigningKey, change: Any) -> None:
    octets = signed(mail(), key)
    changed = change(octets)
    assert changed != octets
    assert not verifies(changed, key)


@pytest.mark.parametrize("key", [RSA, ED25519], ids=["rsa", "ed25519"])
def test_what_relays_do_to_white_space_is_forgiven(key: SigningKey) -> None:
    octets = signed(mail(), key)
    relayed = b"Received: by mx\r\n" + octets.replace(b"two  spaces \t\r\n", b"two spaces\r\n") + b"\r\n\r\n"
    assert relayed != octets
    assert verifies(relayed, key)


@given(
    st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"a", b"\xc3\xa9"]), max_size=30).map(
        lambda pieces: b"".join(pieces) + b"\r\n"
    )
)
def test_the_relaxed_body(body: bytes) -> None:
    # dkimpy makes one line of an empty relaxed body; RFC 6376 §3.4.4 says that it stays empty.
    assert relaxed_body(body) == (Relaxed.canonicalize_body(body) if body.strip() else b"")


@given(st.text(max_size=200))
def test_any_text_verifies(text: str) -> None:
    assert verifies(signed(mail(text), ED25519), ED25519)


def pem(key: Any) -> bytes:
    return bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def test_keys_are_read_from_pem() -> None:
    for key in (RSA, ED25519):
        assert dns_record(load_key(pem(key))) == dns_record(key)


@pytest.mark.parametrize(
    "text",
    [b"", b"secret nonsense", pem(ec.generate_private_key(ec.SECP256R1())), pem(RSA)[:-100]],
    ids=["empty", "nonsense", "elliptic", "cut"],
)
def test_keys_that_are_none(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"PEM|DKIM") as refused:
        load_key(text)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "octets"),
    [
        ({"selector": ""}, mail()),
        ({"selector": "a;b"}, mail()),
        ({"selector": "a\r\nX: y"}, mail()),
        ({"domain": "a b"}, mail()),
        ({"domain": "x\r\nX: y"}, mail()),
        ({"now": datetime(2026, 1, 1)}, mail()),  # noqa: DTZ001 - the mistake is meant
        ({}, b"Subject: x\r\n\r\nno From\r\n"),
    ],
)
def test_mistakes_of_the_caller(changes: dict[str, Any], octets: bytes) -> None:
    values: dict[str, Any] = {
        "domain": "example.org",
        "selector": "s1",
        "private_key": ED25519,
        "now": NOW,
        **changes,
    }
    with pytest.raises(ValueError, match=r"."):
        sign(octets, **values)
