from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from depesche.mailroom.outbox.states import State
from depesche.mailroom.pages.icons import SHAPES
from depesche.mailroom.pages.templatetags.depesche import (
    avatar,
    day_in_words,
    filesize,
    icon,
    in_words,
    initials,
    state_chip,
    state_word,
    together,
)
from depesche.mailroom.pages.words import WORDS

UTC = dt.UTC


def test_every_state_of_the_outbox_has_a_word() -> None:
    assert {str(state.value) for state in State} <= set(WORDS)


def test_every_word_has_a_sign_that_is_drawn() -> None:
    assert {word.icon for word in WORDS.values()} <= set(SHAPES)


@pytest.mark.parametrize(("state", "tone"), [("uncertain", "unsure"), ("held", "wait"), ("queued", "idle")])
def test_state_is_sign_word_and_colour(state: str, tone: str) -> None:
    with override("en"):
        html = state_word(state, "<now>")
    assert f'data-state="{tone}"' in html
    assert "<svg" in html
    assert state in html
    assert "&lt;now&gt;" in html


def test_states_in_german() -> None:
    with override("de"):
        assert "aufgeschoben" in state_word("deferred")
        assert 'class="chip"' in state_chip("accepted")
        assert "angenommen" in state_chip("accepted")


def test_unknown_state_is_shown_as_it_is() -> None:
    assert "a &lt;b&gt;" in state_word("a_<b>")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Emre Aydın", "EA"),
        ("Jana", "J"),
        ("jana.voss@example.org", "J"),
        ("Anna Maria von Berg", "AB"),
        ("", "?"),
        ("<script>", "?"),
        ("Łukasz Żak", "ŁŻ"),
    ],
)
def test_initials(name: str, expected: str) -> None:
    assert initials(name) == expected


@given(st.text(max_size=80))
def test_initials_never_fail_and_stay_short(name: str) -> None:
    assert 1 <= len(initials(name)) <= 2


def test_avatar_escapes_the_name() -> None:
    html = avatar(SimpleNamespace(name='<img onerror="x">'), label=True)
    assert "<img" not in html


def test_icon_with_and_without_a_label() -> None:
    assert 'aria-hidden="true"' in icon("ok")
    assert 'role="img" aria-label="a &quot;b&quot;"' in icon("ok", 'a "b"')
    with pytest.raises(KeyError):
        icon("nothing")


@pytest.mark.parametrize(
    ("moment", "english", "german"),
    [
        (dt.datetime(2026, 11, 17, 14, 2, tzinfo=UTC), "today, 14:02", "heute, 14:02"),
        (dt.datetime(2026, 11, 16, 9, 30, tzinfo=UTC), "yesterday, 09:30", "gestern, 09:30"),
        (dt.datetime(2026, 11, 18, 0, 0, tzinfo=UTC), "tomorrow, 00:00", "morgen, 00:00"),
        (dt.datetime(2026, 10, 3, 8, 41, tzinfo=UTC), "3 October, 08:41", "3. Oktober, 08:41"),
        (dt.datetime(2025, 10, 3, 8, 41, tzinfo=UTC), "3 October 2025, 08:41", "3. Oktober 2025, 08:41"),
    ],
)
def test_moments_as_people_say_them(moment: dt.datetime, english: str, german: str) -> None:
    today = dt.date(2026, 11, 17)
    with override("en"):
        assert in_words(moment, today=today) == english
    with override("de"):
        assert in_words(moment, today=today) == german


def test_days() -> None:
    with override("de"):
        assert day_in_words(dt.date(2026, 11, 19), today=dt.date(2026, 1, 1)) == "19. November"


@pytest.mark.parametrize(
    ("octets", "english", "german"),
    [
        (0, "0 bytes", "0 Bytes"),
        (999, "999 bytes", "999 Bytes"),
        (218_000, "218\u00a0KB", "218\u00a0KB"),
        (1_100_000, "1.1\u00a0MB", "1,1\u00a0MB"),
        (25_000_000, "25\u00a0MB", "25\u00a0MB"),
        (5_000_000_000, "5,000\u00a0MB", "5.000\u00a0MB"),
    ],
)
def test_sizes(octets: int, english: str, german: str) -> None:
    with override("en"):
        assert filesize(octets) == english
    with override("de"):
        assert filesize(octets) == german


def test_together_keeps_the_word_whole_and_escapes_the_rest() -> None:
    assert together("Ausgehende E-Mail-Verbindung") == (
        'Ausgehende <span class="nowrap">E-Mail</span>-Verbindung'
    )
    assert together("<b> no e-mailing") == "&lt;b&gt; no e-mailing"
