"""Answers in the manner of every program in every language are read alike; what people write stays."""

from __future__ import annotations

import re

import pytest

from depesche.mailformat.classify import Kind
from depesche.mailformat.reading import read
from depesche.mailformat.reply_text import cut_text
from tests.mailformat.siblings.languages import LANGUAGES, Language
from tests.mailformat.siblings.pages import answered_below, pages
from tests.mailformat.siblings.peculiar import peculiar
from tests.mailformat.siblings.programs import MAKERS, Sibling
from tests.mailformat.siblings.sentences import FRAMES, LETTERS, SENTENCES
from tests.mailformat.siblings.shapes import SHAPES, TRANSPORTS

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


@pytest.mark.parametrize("language", [pytest.param(language, id=language.code) for language in LANGUAGES])
def test_wrapping_marks_and_disclaimers_change_nothing(language: Language) -> None:
    every = 1 if language.code in ("de", "en") else 6
    made = [sibling for make in SHAPES for sibling in make(language)][::every]
    wrong = {
        sibling.name: text
        for sibling in made
        if fold(text := cut_text(sibling.body, names=WRITER).text) != fold(sibling.text)
    }
    assert not wrong


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_way_a_mail_travels_changes_nothing(transport: str) -> None:
    wrong = {}
    for number, language in enumerate(LANGUAGES):
        for make in MAKERS:
            for sibling in list(make(language))[number % 7 :: 61]:
                reading = read(TRANSPORTS[transport](sibling.body))
                if fold(reading.text) != fold(sibling.text) or reading.kind is not Kind.PERSONAL:
                    wrong[sibling.name] = reading.text
    assert not wrong


@pytest.mark.parametrize("language", [pytest.param(language, id=language.code) for language in LANGUAGES])
def test_the_pages_of_every_program(language: Language) -> None:
    """Also where a gateway has stripped their classes, or renamed them as Outlook does."""
    every = 1 if language.code in ("de", "en") else 7
    head = (
        "From: Max Beispiel <max@firma.example>\nSubject: Re: x\nContent-Type: text/html; charset=utf-8\n\n"
    )
    wrong = {}
    for sibling in [*pages(language), *answered_below(language)][::every]:
        stripped = re.sub(r"""\s(?:class|id|style|name)=(?:"[^"]*"|'[^']*')""", "", sibling.body)
        renamed = re.sub(r"""(class|id)=(["'])""", r"\1=\2x_", sibling.body)
        for body in (sibling.body, stripped, renamed):
            text = read((head + body).encode()).text
            if fold(text) != fold(sibling.text):
                wrong[sibling.name] = text
    assert not wrong


@pytest.mark.parametrize("sibling", [pytest.param(sibling, id=sibling.name) for sibling in peculiar()])
def test_programs_with_a_way_of_their_own(sibling: Sibling) -> None:
    assert fold(cut_text(sibling.body, names=WRITER).text) == fold(sibling.text)


def test_a_prompt_is_no_quote() -> None:
    session = "The session was:\n\nmysql> select 1;\nmysql> select 2;\nmysql> quit\n\nIs that right?"
    assert cut_text(session).text == session


OWN_PAGES = {
    "a quotation": (
        "<p>Der Vertrag sagt:</p><blockquote>Der Mieter zahlt.</blockquote><p>Also zahlt er.</p>",
        ("Vertrag", "Mieter", "Also"),
    ),
    "a quotation at the end": (
        "<p>Der Vertrag sagt:</p><blockquote>Der Mieter zahlt.</blockquote>",
        ("Vertrag", "Mieter"),
    ),
    "an indented paragraph": (
        "<p>Punkte:</p><blockquote style='margin-left:40px;border:none'>eingerückt</blockquote><p>Ende.</p>",
        ("Punkte", "eingerückt", "Ende"),
    ),
    "a bar": (
        "<p>Zitat:</p><div style='border-left:3px solid #ccc;padding-left:8px'>Er zahlt.</div><p>Ende.</p>",
        ("Zitat", "Er zahlt", "Ende"),
    ),
    "a table": (
        "<table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2</td></tr></table>",
        ("a | b", "1 | 2"),
    ),
    "code": ("<p>So:</p><pre>if a &gt; b:\n    print(a)</pre><p>Geht das?</p>", ("if a > b:", "Geht")),
    "a rule": ("<p>Erster Teil.</p><hr><p>Zweiter Teil.</p>", ("Erster", "Zweiter")),
    "a letter in a signature": (
        "<div class='gmail_signature'>Alles klar, Montag passt.</div>",
        ("Alles klar",),
    ),
    "a journey": (
        "<p>Von: Berlin<br>An: Paris<br>Datum: 3. März</p><p>Bitte buchen.</p>",
        ("Berlin", "buchen"),
    ),
}
BELOW_PAGES = {
    "nothing": "",
    "gmail": "<div class='gmail_quote'><div class='gmail_attr'>Am Di., 3. März 2026 um 10:11 Uhr schrieb "
    "Jana &lt;jana@kunde.example&gt;:<br></div><blockquote class='gmail_quote'>Altes</blockquote></div>",
    "owa": "<div id='appendonsend'></div><hr><div id='divRplyFwdMsg'><b>Von:</b> Jana<br><b>Gesendet:</b> "
    "Dienstag, 3. März 2026 10:11<br><b>An:</b> Max<br><b>Betreff:</b> x</div><div>Altes</div>",
}


@pytest.mark.parametrize("below", BELOW_PAGES)
@pytest.mark.parametrize("name", OWN_PAGES)
def test_what_a_person_set_in_html_stays(name: str, below: str) -> None:
    body, words = OWN_PAGES[name]
    head = "From: Max <max@firma.example>\nSubject: Re: x\nContent-Type: text/html; charset=utf-8\n\n"
    text = read(f"{head}<html><body>{body}{BELOW_PAGES[below]}</body></html>".encode()).text
    assert all(word in text for word in words)
    assert "Altes" not in text
