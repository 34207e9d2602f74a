"""Reply addresses and Message-IDs under the settings in force."""

from __future__ import annotations

import pytest

from depesche.mailformat.addresses import Address
from depesche.mailformat.headers import is_message_id
from depesche.tracker.threads import addresses as threads
from depesche.tracker.threads.addresses import Thread, ThreadAddresses

SYSTEM = Address("Your Server", "tracker@example.org")


def made(system: Address | None = SYSTEM, *, answers: bool = True, tagged: bool = True) -> ThreadAddresses:
    return ThreadAddresses(system=system, answers_reach_us=answers, tagged=tagged)


def test_without_a_way_in_nothing_promises_an_answer() -> None:
    assert made(answers=False).reply_address(1, 2) is None
    assert made(None).reply_address(1, 2) is None


def test_the_tag_stands_only_where_tags_are_known_to_arrive() -> None:
    assert made(tagged=False).reply_address(482, 7) == SYSTEM
    tagged = made().reply_address(482, 7)
    assert tagged is not None
    assert tagged.display_name == "Your Server"
    assert tagged.local.startswith("tracker+")
    assert len(tagged.local) <= 64
    assert threads.find([tagged.addr_spec.upper()], []) == Thread(482, 7)


def test_a_long_local_part_leaves_no_room_for_the_tag() -> None:
    long = Address("", "x" * 50 + "@example.org")
    assert made(long).reply_address(482, 7) == long


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
    one, other = own.message_id(482, 7, "abc1"), own.message_id(482, 7, "abc2")
    assert one != other
    assert one.endswith(f"@{domain}>")
    assert is_message_id(one)
    assert threads.find([], ["<unknown@example.org>", one]) == Thread(482, 7)


@pytest.mark.parametrize(
    "base", ["http://127.0.0.1:8000", "http://[::1]:8000", "https://trackér.example", "http://"]
)
def test_every_base_address_gives_ids_that_can_be_written(settings: object, base: str) -> None:
    settings.DEPESCHE_BASE_URL = base  # type: ignore[attr-defined]  # pytest-django's fixture
    assert is_message_id(threads.root_id(5))
    assert is_message_id(made(None).message_id(5, 6, "x"))


def test_the_root_names_the_item_alone_and_persons_come_first() -> None:
    assert threads.find([], [threads.root_id(5)]) == Thread(5, None)
    own = made().message_id(5, 6, "x")
    assert threads.find([], [threads.root_id(5), own]) == Thread(5, 6)
    assert threads.root_id(5) == threads.root_id(5)


def test_a_link_to_mute_is_no_answer_and_the_other_way_round() -> None:
    token = threads.mute_token(482, 7)
    assert threads.read_mute_token(token) == Thread(482, 7)
    assert threads.find([f"tracker+{token}@example.org"], []) is None
    answer = made().reply_address(482, 7)
    assert answer is not None
    assert threads.read_mute_token(answer.local.partition("+")[2]) is None
    for wrong in ("", "x", "é" * 30, "a" * 1000):
        assert threads.read_mute_token(wrong) is None
