"""Tokens: what goes out comes back, and nothing else does."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.tracker.threads.tokens import BEGINNING, LONGEST, Thread, Tokens

KEY = Tokens(b"k" * 32)
ids = st.integers(min_value=1, max_value=2**63 - 1)
times = st.integers(min_value=BEGINNING, max_value=BEGINNING + 1000 * 366 * 24 * 3600)


@given(ids, st.none() | ids, st.none() | times, st.sampled_from([str, str.upper, str.title, str.swapcase]))
def test_a_token_comes_back_in_any_case(
    item: int, person: int | None, made_at: int | None, mangled: object
) -> None:
    token = KEY.make(item, person, made_at)
    assert len(token) <= LONGEST
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyz234567")
    thread = Thread(item, person, made_at)
    assert KEY.read(mangled(token)) == thread  # type: ignore[operator]  # one of the functions above
    assert KEY.find([f"Tracker+{token}@x.example"]) == [thread]
    assert KEY.find([f"<{token.upper()}.ab12@x.example>"]) == [thread]


@given(ids, ids, st.none() | times, st.data())
def test_one_other_character_makes_it_nobodys(
    item: int, person: int, made_at: int | None, data: st.DataObject
) -> None:
    token = KEY.make(item, person, made_at)
    at = data.draw(st.integers(0, len(token) - 1))
    char = data.draw(st.sampled_from(sorted(set("abcdefghijklmnopqrstuvwxyz234567") - {token[at]})))
    assert KEY.read(token[:at] + char + token[at + 1 :]) is None
    assert Tokens(b"other" * 8).read(token) is None


@given(st.text(max_size=80))
def test_any_text_is_read_without_a_fault(text: str) -> None:
    assert KEY.read(text) is None
    assert KEY.find([text]) == []


@given(st.lists(st.tuples(ids, st.none() | ids), max_size=5))
def test_all_tokens_of_a_mail_are_found_in_order(pairs: list[tuple[int, int | None]]) -> None:
    texts = [f"<{KEY.make(*pair)}.x@y>" for pair in pairs]
    assert KEY.find(texts) == list(dict.fromkeys(Thread(*pair) for pair in pairs))


@pytest.mark.parametrize(
    "text",
    [
        "tracker-{}@example.org",
        "<{}.abc@[192.0.2.1]>",
        "bounce={}=jana@relay.example",
        "SRS0=x=y=example.org=tracker+{}@relay.example",
        '"tracker+{}"@example.org',
        "<relay.prefix.{}@relay.example>",
    ],
)
def test_relays_may_write_around_it(text: str) -> None:
    assert KEY.find([text.format(KEY.make(482, 7))]) == [Thread(482, 7)]


def test_a_flood_of_candidates_is_bounded() -> None:
    noise = [f"<{'a' * 24}.{number}@x>" for number in range(100_000)]
    assert KEY.find([*noise, f"<{KEY.make(1, 2)}.x@y>"]) == []
    assert KEY.find([string.ascii_lowercase * 100_000]) == []
