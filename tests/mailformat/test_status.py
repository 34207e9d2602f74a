"""Enhanced status codes in servers' words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.mailformat.status import EnhancedStatus, Persistence, find_status, parse_status

CODES = st.builds(EnhancedStatus, st.sampled_from([2, 4, 5]), st.integers(0, 999), st.integers(0, 999))


@given(CODES)
def test_written_and_read(code: EnhancedStatus) -> None:
    assert parse_status(str(code)) == code
    assert find_status(f"550 the mailbox is gone ({code})") == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("5.1.1", "5.1.1"),
        (" 5.1.1 ", "5.1.1"),
        ("5.1.1 (bad destination mailbox address)", "5.1.1"),
        ("5.01.001", "5.1.1"),
        ("", None),
        ("3.1.1", None),
        ("5.1", None),
        ("5.1.1.1", None),
        ("5.1.1000", None),
        ("5.1.1 unknown", None),
    ],
)
def test_nothing_but_a_code(text: str, code: str | None) -> None:
    found = parse_status(text)
    assert (str(found) if found else None) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("550 5.1.1 <x@example.org>: Recipient address rejected", "5.1.1"),
        ("550-5.7.26 This mail has been blocked", "5.7.26"),
        ("452 4.2.2 The email account is over quota", "4.2.2"),
        ("host mx.example.org[192.0.2.5] said: 550 5.1.1 no such user", "5.1.1"),
        ("5.1.2.3 is no code, 4.4.1 is", "4.4.1"),
        ("Postfix 2.11.3 said: 554 5.7.1 relay access denied", "5.7.1"),
        ("smtp; 550 #5.1.0 Address rejected.", "5.1.0"),
        ("Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound'", "5.1.10"),
        ("dsn=5.2.2, status=bounced", "5.2.2"),
        ("mailbox full, 5.2.2.", "5.2.2"),
        ("version v4.9.2 of 192.4.5.2", None),
        ("no code here", None),
        ("", None),
    ],
)
def test_the_first_code_in_a_text(text: str, code: str | None) -> None:
    found = find_status(text)
    assert (str(found) if found else None) == code


def test_persistence() -> None:
    assert EnhancedStatus(4, 2, 2).persistence is Persistence.TRANSIENT
    assert EnhancedStatus(5, 1, 1).is_permanent
    assert EnhancedStatus(2, 0, 0).is_success
    assert not EnhancedStatus(5, 1, 1).is_transient


@pytest.mark.parametrize("parts", [(3, 0, 0), (5, -1, 0), (5, 0, 1000)])
def test_what_is_no_code(parts: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="enhanced status code"):
        EnhancedStatus(*parts)
