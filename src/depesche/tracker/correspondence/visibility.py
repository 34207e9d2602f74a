"""What of an item a mail to people outside may carry: their own thread, and nothing else. Pure.

An item is written by its members for its members. Who is mailed from it has a thread with it: the mails
written to them, and what they wrote. A mail to several carries only what each of them has had already.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """One comment (or the description of the item) as far as it matters here; ids throughout."""

    comment: int | None
    author: int
    mailed_to: frozenset[int] = frozenset()
    files: frozenset[int] = frozenset()


def may_know(person: int, word: Word) -> bool:
    """Whether it is part of the person's own thread: they wrote it, or it was written to them."""
    return word.author == person or person in word.mailed_to


def thread_of(people: Iterable[int], words: Sequence[Word]) -> list[Word]:
    """What all of these people have had, in the order given; for nobody, nothing."""
    outside = frozenset(people)
    if not outside:
        return []
    return [word for word in words if all(may_know(person, word) for person in outside)]
