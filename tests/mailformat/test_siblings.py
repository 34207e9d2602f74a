"""Answers in the manner of every program in every language are read alike; what people write stays."""

from __future__ import annotations

import pytest

from depesche.mailformat.reply_text import cut_text
from tests.mailformat.siblings.languages import LANGUAGES, Language
from tests.mailformat.siblings.programs import MAKERS
from tests.mailformat.siblings.sentences import FRAMES, LETTERS, SENTENCES

WRITER = ("max", "beispiel")


def fold(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("language", [pytest.param(language, id=language.code) for language in LANGUAGES])
def test_the_answer_and_nothing_else(language: Language) -> None:
    wrong = {
        sibling.name: text
        for make in MAKERS
        for sibling in make(language)
        if fold(text := cut_text(sibling.body, names=WRITER).text) != fold(sibling.text)
    }
    assert not wrong


@pytest.mark.parametrize("frame", [pytest.param(frame, id=name) for name, frame in FRAMES.items()])
def test_what_a_person_wrote_is_never_lost(frame: tuple[str, ...]) -> None:
    """However much a sentence resembles what programs write, and wherever it stands."""
    lost = {}
    for sentence in (*SENTENCES, *LETTERS):
        body = "".join(sentence if part == "{}" else part for part in frame)
        text = fold(cut_text(body, names=WRITER).text)
        own = [sentence, *(part for part in frame if part.startswith("Das "))]
        if not all(fold(part) in text for part in own):
            lost[sentence] = text
    assert not lost
