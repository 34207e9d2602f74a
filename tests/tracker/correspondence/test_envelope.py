"""Subjects as people's mail programs write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.tracker.correspondence import envelope, language


@pytest.mark.parametrize(
    ("subject", "title", "reply"),
    [
        ("Door", "Door", False),
        ("Re: Door", "Door", True),
        ("AW: RE: Re[2]: Fwd: Door", "Door", True),
        ("WG: Tür", "Tür", True),
        ("Antwort:  Tür  klemmt", "Tür klemmt", True),
        ("Re:", "", True),
        ("Report: Door", "Report: Door", False),
        ("Reh: gesichtet", "Reh: gesichtet", False),
        ("", "", False),
    ],
)
def test_titles(subject: str, title: str, reply: bool) -> None:
    assert envelope.title_of(subject) == title
    assert envelope.is_reply(subject) is reply


@pytest.mark.parametrize(
    ("subject", "key"),
    [
        ("Re: [NW-482] New: Pump", "NW-482"),
        ("[nw-482] x", ""),
        ("NW-482", ""),
        ("[NW-]", ""),
        ("[A1-1][B-2]", "A1-1"),
    ],
)
def test_keys(subject: str, key: str) -> None:
    assert envelope.key_in_subject(subject) == key


@given(st.text(max_size=3000))
def test_any_text_is_read(text: str) -> None:
    assert envelope.title_of(text) is not None
    assert envelope.key_in_subject(text) is not None
    assert language.guess(text) in ("de", "en")


def test_a_long_row_of_prefixes_is_read_in_linear_time() -> None:
    assert envelope.title_of("Re: " * 50_000 + "x") == "x"
    assert envelope.title_of("Re " * 50_000) == " ".join(["Re"] * 50_000)
