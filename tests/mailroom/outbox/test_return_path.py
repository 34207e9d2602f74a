"""Reverse-paths that name their recipient: made, found, and not to be forged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.mailformat.addresses import Address
from depesche.mailroom.outbox.return_path import ReturnPaths, recipient_of

PATHS = ReturnPaths("tracker@example.org")


@given(st.integers(1, 2**63 - 1))
def test_found_again_whatever_the_case(number: int) -> None:
    made = PATHS.of(number)
    assert len(Address("", made).local) <= 64
    for written in (made, made.upper(), f"<{made}>", made.replace("tracker", "Tracker")):
        assert recipient_of(["somebody@example.net", written]) == number


@given(st.integers(1, 2**40), st.integers(0, 200), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_one_character_changed_is_nobodys(number: int, place: int, character: str) -> None:
    local, domain = PATHS.of(number).split("@")
    head, token = local.split("+b-")
    place %= len(token)
    changed = token[:place] + character + token[place + 1 :]
    found = recipient_of([f"{head}+b-{changed}@{domain}"])
    assert found == (number if changed == token else None)


@pytest.mark.parametrize("address", ["x" * 60 + "@example.org", '"a b"@example.org', "a+tag@example.org"])
def test_without_room_the_plain_address_stands(address: str) -> None:
    assert ReturnPaths(address).of(7) == address


def test_no_address_of_ours() -> None:
    assert recipient_of([]) is None
    assert recipient_of(["", "a@b", "tracker+b-@example.org", "tracker+b-" + "a" * 5000 + "@x"]) is None
