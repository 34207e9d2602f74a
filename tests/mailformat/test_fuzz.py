"""A few seconds of the long run (`python -m tests.fuzz.mails`), and work that grows with the length at "
"every bait."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from types import FrameType

import pytest

from depesche.mailformat.reading import read
from tests.fuzz.mails import check, mutated, seeds


def test_mutated_mails_are_read() -> None:
    mails = seeds()[::5]
    chance = random.Random(190)
    for number in range(80):
        raw = mutated(chance, mails)[:60_000]
        assert not check(raw), number


def _lines_run(call: Callable[[], object]) -> int:
    """How many lines of our code run: the work, whatever else the machine does."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> object:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


BAITS = (
    *(
        "Von: ",
        "On Mon, 1 Jan 2024 10:00, Jane <a@b.example> ",
        "schrieb: ",
        "1.1. Jana <a@b.example> ",
        "> a\nb\n",
    ),
    *(
        "-- \n",
        "____\n",
        "From: a@b.example\nTo: c\n",
        "Sent from my ",
        "Mit freundlichen Grüßen\n",
        "Re: x\n\n",
    ),
    *(
        "| a\n",
        "JD> a\n",
        "This message is confidential. ",
        "+49 30 123456\n",
        "<a@b.example>: 550 5.1.1 x\n",
    ),
)
PLACES = {
    "letter": "From: a@b.example\nSubject: x\n\n{}",
    "page": "From: a@b.example\nContent-Type: text/html\n\n<p>{}",
    "report": "From: MAILER-DAEMON@x.example\nSubject: failure notice\n\nnot delivered to\n{}",
    "fields": "From: a@b.example\nContent-Type: message/delivery-status\n\nFinal-Recipient: {}",
    "subject": "From: a@b.example\nSubject: {}\n\nx",
}


@pytest.mark.parametrize("place", PLACES)
def test_the_work_grows_with_the_length_only(place: str) -> None:
    steep = {}
    for bait in BAITS:

        def work(size: int, bait: str = bait) -> int:
            text = (bait * (size // len(bait))).replace("\n", "\n " if place == "subject" else "\n")
            raw = PLACES[place].format(text).encode()
            return _lines_run(lambda: read(raw))

        once, twice = work(3_000), work(6_000)
        if twice > 2.4 * once:
            steep[bait] = (once, twice)
    assert not steep
