"""Every mail of our corpus (tests/corpus, written by us) is read as a person would read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from depesche.mailformat.classify import Kind
from depesche.mailformat.reading import read

CORPUS = Path(__file__).resolve().parent.parent / "corpus"
CASES: list[dict[str, Any]] = [
    json.loads(line) for line in (CORPUS / "cases.jsonl").read_text("utf-8").splitlines() if line
]


def of_kind(kind: str) -> Any:
    return pytest.mark.parametrize("case", [pytest.param(c, id=c["id"]) for c in CASES if c["kind"] == kind])


def fold(text: str) -> str:
    return " ".join(text.split())


def raw(case: dict[str, Any]) -> bytes:
    return (CORPUS / case["file"]).read_bytes()


@of_kind("reply")
def test_the_new_words_of_an_answer(case: dict[str, Any]) -> None:
    reading = read(raw(case))
    assert fold(reading.text) == fold(case["expected_text"])
    assert reading.kind is Kind.PERSONAL


@of_kind("auto-reply")
def test_automatic_mail_never_passes_for_a_persons(case: dict[str, Any]) -> None:
    reading = read(raw(case))
    assert reading.kind in (Kind.AUTOMATIC, Kind.BULK)
    assert reading.reports == ()


@of_kind("bounce")
def test_a_report_names_recipient_action_and_status(case: dict[str, Any]) -> None:
    reading = read(raw(case))
    assert reading.kind is Kind.REPORT
    found = [(report.recipient, report.action.value, report.status) for report in reading.reports]
    assert found == [(entry["recipient"], entry["action"], entry["status"]) for entry in case["recipients"]]


@of_kind("feedback")
def test_a_complaint_names_who_complained(case: dict[str, Any]) -> None:
    reading = read(raw(case))
    assert reading.kind is Kind.REPORT
    assert reading.complaint is not None
    assert reading.complaint.recipients == ("jana.vogt@kunde.example",)
    assert reading.complaint.original_message_id == "<n9.web-42@firma.example>"


@of_kind("not-bounce")
def test_what_only_speaks_of_delivery_is_no_report(case: dict[str, Any]) -> None:
    reading = read(raw(case))
    assert reading.kind is not Kind.REPORT
    assert reading.reports == ()


@of_kind("malformed")
def test_broken_mail_is_read(case: dict[str, Any]) -> None:
    reading = read(raw(case))
    assert "\x00" not in reading.text + reading.cut + reading.mail.subject


def test_the_corpus_covers_languages_and_clients() -> None:
    replies = [case for case in CASES if case["kind"] == "reply"]
    assert len({case["lang"] for case in replies}) >= 20
    assert len(replies) >= 40
