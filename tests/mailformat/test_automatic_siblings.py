"""Automatic mail of many products in many languages; and no answer of a person is taken for one."""

from __future__ import annotations

import pytest

from depesche.mailformat.classify import Classification, Kind, classify
from depesche.mailformat.parse import parse
from tests.mailformat.siblings.automatic import HEADERS, PERSONAL, WORDED
from tests.mailformat.siblings.languages import LANGUAGES
from tests.mailformat.siblings.programs import MAKERS


def _classified(headers: str, subject: str, text: str, *, html: bool = False) -> Classification:
    kind = "html" if html else "plain"
    body = f"<html><body><p>{text}</p></body></html>" if html else text
    raw = (
        f"From: Jana Vogt <jana@kunde.example>\nTo: tracker+web-42@firma.example\nSubject: {subject}\n"
        f"{headers}"
        f"MIME-Version: 1.0\nContent-Type: text/{kind}; charset=utf-8\n\n{body}\n"
    )
    return classify(parse(raw.encode()))


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_that_only_programs_write(header: str) -> None:
    assert _classified(f"{header}\n", "Re: Termin", "Text.").kind in (Kind.AUTOMATIC, Kind.BULK)


@pytest.mark.parametrize(("subject", "text"), WORDED)
def test_absence_in_many_languages(subject: str, text: str) -> None:
    assert _classified("", subject, text).kind is Kind.AUTOMATIC
    assert _classified("", subject, text, html=True).kind is Kind.AUTOMATIC


@pytest.mark.parametrize(("headers", "subject", "text"), PERSONAL)
def test_people_who_write_about_such_things(headers: str, subject: str, text: str) -> None:
    found = _classified(headers, subject, text)
    assert found.kind is Kind.PERSONAL, found.reason


def test_no_answer_in_any_language_is_misjudged() -> None:
    for language in LANGUAGES:
        for make in MAKERS:
            for sibling in list(make(language))[::23]:
                found = _classified(
                    "In-Reply-To: <web-42.n9@firma.example>\n", "Re: [WEB-42] Termin", sibling.body
                )
                assert found.kind is Kind.PERSONAL, (sibling.name, found.reason)


_ANSWER = "BEGIN:VCALENDAR\nMETHOD:{method}\nBEGIN:VEVENT\nUID:1\nSUMMARY:Termin\nEND:VEVENT\nEND:VCALENDAR\n"


@pytest.mark.parametrize(
    ("method", "words", "kind"),
    [
        ("REPLY", "", Kind.AUTOMATIC),
        ("REPLY", "Jana Vogt has accepted this invitation.", Kind.AUTOMATIC),
        ("REPLY", "Gern, aber bitte im großen Raum.", Kind.PERSONAL),
        ("COUNTER", "", Kind.AUTOMATIC),
        ("REQUEST", "", Kind.PERSONAL),
    ],
)
def test_an_answer_of_a_calendar_without_a_word_is_automatic(method: str, words: str, kind: Kind) -> None:
    raw = (
        "From: Jana Vogt <jana@kunde.example>\nSubject: Zugesagt: Termin\nMIME-Version: 1.0\n"
        'Content-Type: multipart/alternative; boundary="b"\n\n--b\n'
        "Content-Type: text/plain; charset=utf-8\n\n"
        f"{words}\n--b\nContent-Type: text/calendar; method={method}\n\n"
        f"{_ANSWER.format(method=method)}\n--b--\n"
    )
    assert classify(parse(raw.encode())).kind is kind


def test_a_receipt_that_a_person_attaches_is_theirs() -> None:
    raw = (
        "From: Jana Vogt <jana@kunde.example>\nSubject: Beleg\nMIME-Version: 1.0\n"
        'Content-Type: multipart/mixed; boundary="a"\n\n--a\nContent-Type: text/plain\n\nSo sah es aus.\n'
        "--a\nContent-Type: message/rfc822\n\nFrom: x@kunde.example\nSubject: Read: x\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"\n\n'
        "--b\nContent-Type: message/disposition-notification\n\nDisposition: manual-action; "
        "displayed\n--b--\n--a--\n"
    )
    assert classify(parse(raw.encode())).kind is Kind.PERSONAL


def test_a_receipt_in_words_alone() -> None:
    text = (
        "Ihre Nachricht\n\n   An: Jana Vogt\n   Betreff: Termin\n   Gesendet: Dienstag, 3. März 2026 "
        "10:11\n\n"
        "wurde am Dienstag, 3. März 2026 10:12 gelesen."
    )
    assert _classified("", "Gelesen: Termin", text).kind is Kind.AUTOMATIC
