"""Reply addresses and Message-IDs under the settings in force."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from depesche.mailformat.addresses import Address
from depesche.mailformat.headers import is_message_id
from depesche.tracker.threads import addresses as threads
from depesche.tracker.threads.addresses import Thread, ThreadAddresses

SYSTEM = Address("Your Server", "tracker@example.org")
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
MADE = int(NOW.timestamp())


def made(system: Address | None = SYSTEM, *, answers: bool = True, tagged: bool = True) -> ThreadAddresses:
    return ThreadAddresses(system=system, answers_reach_us=answers, tagged=tagged)


def test_without_a_way_in_nothing_promises_an_answer() -> None:
    assert made(answers=False).reply_address(1, 2, now=NOW) is None
    assert made(None).reply_address(1, 2, now=NOW) is None


def test_the_tag_stands_only_where_tags_are_known_to_arrive() -> None:
    assert made(tagged=False).reply_address(482, 7, now=NOW) == SYSTEM
    tagged = made().reply_address(482, 7, now=NOW)
    assert tagged is not None
    assert tagged.display_name == "Your Server"
    assert tagged.local.startswith("tracker+")
    assert len(tagged.local) <= 64
    assert threads.find([tagged.addr_spec.upper()], []) == Thread(482, 7, MADE)


def test_a_long_local_part_leaves_no_room_for_the_tag() -> None:
    long = Address("", "x" * 50 + "@example.org")
    assert made(long).reply_address(482, 7, now=NOW) == long


@pytest.mark.parametrize(
    ("system", "domain"),
    [
        (SYSTEM, "example.org"),
        (None, "tracker.example.org"),
        (Address("", "a@bücher.example"), "xn--bcher-kva.example"),
    ],
)
def test_message_ids_carry_the_token(system: Address | None, domain: str) -> None:
    own = made(system)
    one, other = own.message_id(482, 7, "abc1", now=NOW), own.message_id(482, 7, "abc2", now=NOW)
    assert one != other
    assert one.endswith(f"@{domain}>")
    assert is_message_id(one)
    assert threads.find([], ["<unknown@example.org>", one]) == Thread(482, 7, MADE)


@pytest.mark.parametrize(
    "base", ["http://127.0.0.1:8000", "http://[::1]:8000", "https://trackér.example", "http://"]
)
def test_every_base_address_gives_ids_that_can_be_written(settings: object, base: str) -> None:
    settings.DEPESCHE_BASE_URL = base  # type: ignore[attr-defined]  # pytest-django's fixture
    assert is_message_id(threads.root_id(5))
    assert is_message_id(made(None).message_id(5, 6, "x", now=NOW))


def test_the_root_names_the_item_alone_and_persons_come_first() -> None:
    assert threads.find([], [threads.root_id(5)]) == Thread(5, None)
    own = made().message_id(5, 6, "x", now=NOW)
    assert threads.find([], [threads.root_id(5), own]) == Thread(5, 6, MADE)
    assert threads.root_id(5) == threads.root_id(5)


def test_a_link_to_mute_is_no_answer_and_the_other_way_round() -> None:
    token = threads.mute_token(482, 7)
    assert threads.read_mute_token(token) == Thread(482, 7)
    assert threads.find([f"tracker+{token}@example.org"], []) is None
    answer = made().reply_address(482, 7, now=NOW)
    assert answer is not None
    assert threads.read_mute_token(answer.local.partition("+")[2]) is None
    for wrong in ("", "x", "é" * 30, "a" * 1000):
        assert threads.read_mute_token(wrong) is None


def test_a_key_that_was_replaced_is_still_believed(settings: Settings) -> None:
    settings.SECRET_KEY = "the old key"
    address = made().reply_address(482, 7, now=NOW)
    assert address is not None
    settings.SECRET_KEY = "the new key"
    assert threads.find([address.addr_spec], []) is None
    settings.SECRET_KEY_FALLBACKS = ["the old key"]
    assert threads.find([address.addr_spec], []) == Thread(482, 7, MADE)


@given(
    st.integers(1, 2**63 - 1),
    st.integers(1, 2**63 - 1),
    st.integers(1, 40),
    st.datetimes(timezones=st.just(UTC)),
)
def test_no_local_part_is_longer_than_64_octets(item: int, person: int, length: int, now: datetime) -> None:
    system = Address("", "x" * length + "@example.org")
    address = made(system).reply_address(item, person, now=now)
    assert address is not None
    assert len(address.local.encode()) <= 64
