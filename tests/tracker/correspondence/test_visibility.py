"""A mail to people outside carries their own thread and nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from depesche.tracker.correspondence.visibility import Word, may_know, thread_of

people = st.integers(1, 6)
words = st.lists(
    st.builds(
        Word,
        comment=st.integers(1, 1000),
        author=people,
        mailed_to=st.frozensets(people, max_size=3),
        files=st.frozensets(st.integers(1, 50), max_size=3),
    ),
    max_size=20,
)


@given(st.sets(people, max_size=4), words)
def test_nothing_but_what_each_of_them_has_had(outside: set[int], found: list[Word]) -> None:
    for word in thread_of(outside, found):
        for person in outside:
            assert word.author == person or person in word.mailed_to


@given(st.sets(people, min_size=1, max_size=4), words)
def test_nothing_of_their_thread_is_missing_and_the_order_stays(outside: set[int], found: list[Word]) -> None:
    shown = thread_of(outside, found)
    assert shown == [word for word in found if all(may_know(person, word) for person in outside)]


@given(st.sets(people, min_size=1, max_size=3), people, words)
def test_one_more_recipient_never_sees_more(outside: set[int], other: int, found: list[Word]) -> None:
    more = thread_of({*outside, other}, found)
    assert all(word in thread_of(outside, found) for word in more)


@given(words)
def test_nobody_is_shown_nothing(found: list[Word]) -> None:
    assert thread_of([], found) == []


@given(st.sets(people, min_size=1, max_size=3), words, words)
def test_what_colleagues_write_changes_nothing(
    outside: set[int], found: list[Word], internal: list[Word]
) -> None:
    colleagues = [Word(word.comment, author=99, mailed_to=frozenset()) for word in internal]
    assert thread_of(outside, [*found, *colleagues]) == thread_of(outside, found)
