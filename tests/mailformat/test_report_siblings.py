"""Reports in the manner of every server are read alike; mail that only speaks of delivery is none."""

from __future__ import annotations

import base64
from collections.abc import Callable
from html import escape

import pytest

from depesche.mailformat.classify import Kind
from depesche.mailformat.reading import read
from tests.mailformat.siblings.no_reports import NO_REPORTS
from tests.mailformat.siblings.reports import MESSAGE_ID, SERVERS, Report, reports
from tests.mailformat.siblings.standard_reports import standard_reports


def _wrong(report: Report, raw: bytes) -> str:
    """What is read wrongly; empty where all is right."""
    reading = read(raw)
    if reading.kind is not Kind.REPORT:
        return f"{reading.kind}: {reading.reason}"
    expected = sorted((address.lower(), report.action, report.status_class) for address in report.recipients)
    found = sorted(
        ((entry.recipient or "").lower(), entry.action.value, (entry.status or "")[:1])
        for entry in reading.reports
    )
    if found != expected:
        return f"{found}"
    return "" if all(entry.original_message_id == MESSAGE_ID for entry in reading.reports) else "another mail"


def _in_base64(raw: bytes) -> bytes:
    head, _, body = raw.partition(b"\n\n")
    if b"multipart" in head:
        return raw
    return head + b"\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(body)


def _as_page(raw: bytes) -> bytes:
    head, _, body = raw.partition(b"\n\n")
    if b"multipart" in head:
        return raw
    page = escape(body.decode()).replace("\n", "<br>\n")
    return head.replace(b"text/plain", b"text/html") + f"\n\n<html><body><p>{page}</p></body></html>".encode()


WAYS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda raw: raw,
    "crlf": lambda raw: raw.replace(b"\n", b"\r\n"),
    "the reverse-path got lost": lambda raw: raw.replace(b"Return-Path: <>\n", b""),
    "base64": _in_base64,
    "a page": _as_page,
}


@pytest.mark.parametrize("way", WAYS)
def test_the_words_of_every_server(way: str) -> None:
    assert len(SERVERS) >= 50
    wrong = {report.name: said for report in reports() if (said := _wrong(report, WAYS[way](report.raw)))}
    assert not wrong


def test_the_standard_however_it_arrives() -> None:
    wrong = {report.name: said for report in standard_reports() if (said := _wrong(report, report.raw))}
    assert not wrong


def _quoted(raw: bytes) -> bytes:
    text = raw.decode().partition("\n\n")[2]
    quote = "\n".join(f"> {line}" for line in text.split("\n"))
    return (
        "From: Max <max@firma.example>\nTo: tracker@firma.example\nSubject: Fwd: Undelivered Mail "
        "Returned to Sender\n\n"
        f"Das kam zurück, was tun?\n\n{quote}"
    ).encode()


def _attached(raw: bytes) -> bytes:
    head = (
        "From: Max <max@firma.example>\nTo: tracker@firma.example\nSubject: Undelivered Mail Returned "
        "to Sender\n"
        'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="ZZ"\n\n--ZZ\n'
        "Content-Type: text/plain; charset=utf-8\n\nDas kam zurück, was tun?\n\n--ZZ\nContent-Type: "
        "message/rfc822\n\n"
    )
    return head.encode() + raw + b"\n--ZZ--\n"


@pytest.mark.parametrize("passed_on", [_quoted, _attached], ids=["quoted", "attached"])
def test_a_report_that_a_person_passes_on_is_no_report(passed_on: Callable[[bytes], bytes]) -> None:
    for report in reports():
        reading = read(passed_on(report.raw))
        assert reading.kind is Kind.PERSONAL, report.name
        assert reading.reports == (), report.name


@pytest.mark.parametrize(("sender", "headers", "subject", "body"), NO_REPORTS)
@pytest.mark.parametrize("path", ["", "Return-Path: <somebody@kunde.example>\n"], ids=["no-path", "path"])
def test_mail_that_speaks_of_delivery(sender: str, headers: str, subject: str, body: str, path: str) -> None:
    raw = (
        f"{path}From: {sender}\nTo: tracker+web-42@firma.example\nSubject: {subject}\n"
        f"{headers}MIME-Version: 1.0\n"
        f"Content-Type: text/plain; charset=utf-8\n\n{body}"
    )
    reading = read(raw.encode())
    assert reading.reports == ()
    assert reading.kind is not Kind.REPORT
