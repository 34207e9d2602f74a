"""The layout of a mail: text that is a text of its own, HTML that nobody breaks out of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from depesche.tracker.accounts import letter
from depesche.tracker.accounts.letter import Letter, Link, Row

WORDS = st.text(alphabet="abcdef ghi>-*1.\n\täöü", max_size=400)


@given(WORDS, st.integers(20, 80))
def test_wrapping_keeps_every_word_and_the_width(text: str, width: int) -> None:
    lines = letter.wrap(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    longest = max((len(word) for word in text.split()), default=0)
    assert all(len(line) <= max(width, longest + width // 2) for line in lines)


def full(**changed: object) -> Letter:
    hostile = "<b>\"'&{who} %(x)s"
    values: dict[str, object] = {
        "language": "en",
        "subject": hostile,
        "speaker": hostile,
        "deed": "{who} commented on NW-1",
        "who": hostile,
        "title": hostile,
        "title_url": "https://t.example/items/NW-1",
        "changes": [hostile],
        "words": "one\n\ntwo",
        "words_html": "<p>one</p><p>two</p>",
        "files": [Link("a.jpg", "https://t.example/files/1/a.jpg", "1.1 MB")],
        "table": [Row(Link("NW-2", "https://t.example/items/NW-2"), hostile, "late")],
        "button": Link("Open", "https://t.example/items/NW-1"),
        "answer": "Or answer.",
        "facts": [("State", "Open"), ("Responsible", hostile)],
        "why": "Because.",
        "stop": [Link("Stop", "https://t.example/" + "x" * 80)],
        "preheader": hostile,
    }
    return Letter(**(values | changed))  # type: ignore[arg-type]  # values of the right types


def test_html_shows_hostile_words_as_words() -> None:
    html = letter.html(full())
    assert "<b>" not in html
    assert html.count("&lt;b&gt;") == 8
    assert "<p>one</p><p>two</p>" in html
    assert "http://" not in html.replace("https://t.example", "")


def test_the_text_has_its_parts_in_order() -> None:
    text = letter.text(full())
    places = [
        text.index(part)
        for part in ("commented on", "  one", "Attached: a.jpg", "NW-2", "Open:", "State", "-- \n")
    ]
    assert places == sorted(places)
    assert "\n  https://t.example/files/1/a.jpg\n" in text
    assert text.endswith("Because.\nStop:\n  https://t.example/" + "x" * 80 + "\n")


def test_an_empty_letter_is_still_a_letter() -> None:
    bare = Letter(language="de", subject="s", speaker="S", deed="Hello")
    assert letter.text(bare) == "Hello\n"
    assert '<html lang="de">' in letter.html(bare)
