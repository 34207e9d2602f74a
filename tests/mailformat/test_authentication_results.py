"""Only the trusted server's words count, whoever else writes the header."""

from __future__ import annotations

import pytest

from depesche.mailformat.authentication_results import authentication_results, parse_results
from depesche.mailformat.parse import parse

GOOD = (
    "mx.firma.example; spf=pass (sender is ok) smtp.mailfrom=jana@kunde.example; "
    'dkim=pass (2048-bit key) header.d=kunde.example header.i=@kunde.example header.b="abc"; '
    "dmarc=pass (p=REJECT) header.from=kunde.example"
)
MICROSOFT = (
    "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=kunde.example; dkim=pass (signature was verified) "
    "header.d=kunde.example;dmarc=pass action=none header.from=kunde.example;compauth=pass reason=100"
)


def results(*values: str, trusted: str = "mx.firma.example") -> tuple[str, bool]:
    head = "".join(f"Authentication-Results: {value}\n" for value in values)
    verdicts = authentication_results(parse((head + "\nx").encode()), trusted)
    return verdicts.dmarc, verdicts.authenticates("kunde.example")


def test_the_trusted_servers_words() -> None:
    assert results(GOOD) == ("pass", True)


def test_details() -> None:
    name, verdicts = parse_results(GOOD)
    assert name == "mx.firma.example"
    assert [(v.method, v.result, v.domain) for v in verdicts] == [
        ("spf", "pass", "kunde.example"),
        ("dkim", "pass", "kunde.example"),
        ("dmarc", "pass", "kunde.example"),
    ]


def test_microsofts_header_is_read_when_it_is_the_trusted_one() -> None:
    assert results(MICROSOFT, trusted="-") == ("pass", True)
    assert results(MICROSOFT) == ("none", False)


@pytest.mark.parametrize("trusted", ["", "other.example", "firma.example", "x.mx.firma.example"])
def test_other_names_are_not_trusted(trusted: str) -> None:
    assert results(GOOD, trusted=trusted) == ("none", False)


def test_a_forged_header_below_is_not_read() -> None:
    fail = "mx.firma.example; dmarc=fail header.from=kunde.example"
    assert results(fail, GOOD) == ("fail", False)
    assert results("relay.example; none", GOOD, trusted="-") == ("none", False)


def test_dmarc_fail_outweighs_a_passing_signature() -> None:
    value = "mx.firma.example; dkim=pass header.d=kunde.example; dmarc=fail header.from=kunde.example"
    assert results(value) == ("fail", False)


@pytest.mark.parametrize(
    ("value", "authenticated"),
    [
        ("mx.firma.example; dkim=pass header.d=mail.kunde.example", True),
        ("mx.firma.example; spf=pass smtp.mailfrom=x@kunde.example", True),
        ("mx.firma.example; dkim=pass header.d=example", False),
        ("mx.firma.example; dkim=pass header.d=andere.example", False),
        ("mx.firma.example; dkim=fail header.d=kunde.example", False),
        ("mx.firma.example; none", False),
        ("mx.firma.example 1; dkim=pass header.i=@kunde.example", True),
        ('"mx.firma.example"; dkim=pass header.d="kunde.example"', True),
        ("mx.firma.example; spf=none (dkim=pass header.d=kunde.example)", False),
        ('mx.firma.example; spf=fail smtp.mailfrom="a\\"; dkim=pass header.d=kunde.example; x="', False),
        ("mx.firma.example; spf=fail (a\\) ; dkim=pass header.d=kunde.example", False),
        ('mx.firma.example; x="; dkim=pass header.d=kunde.example"', False),
    ],
)
def test_alignment_and_disguises(value: str, authenticated: bool) -> None:
    assert results(value)[1] is authenticated
