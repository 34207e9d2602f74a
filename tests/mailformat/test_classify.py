"""What sort of mail: certain signs decide alone, weak ones only together."""

from __future__ import annotations

from typing import Any

import pytest

from depesche.mailformat.classify import Kind, classify
from depesche.mailformat.parse import parse


def kind(headers: str, body: str = "Hallo\n", **arguments: Any) -> Kind:
    base = "From: Jana <jana@kunde.example>\nTo: tracker@firma.example\nMessage-ID: <1@kunde.example>\n"
    return classify(parse((base + headers + "\n" + body).encode()), **arguments).kind


@pytest.mark.parametrize(
    "headers",
    [
        "Auto-Submitted: auto-replied\n",
        "Auto-Submitted: auto-generated; owner-email=x\n",
        "Auto-Submitted: auto-notified\n",
        "Precedence: auto_reply\n",
        "X-Autoreply: yes\n",
        "X-Autorespond: x\n",
        "X-Autoresponder: x\n",
        "X-Auto-Reply: yes\n",
        "X-Vacation: yes\n",
        "X-Apple-Action: VACATION\n",
        "X-POST-MessageClass: 9; Autoresponder\n",
        "Return-Path: <>\n",
        "Delivered-To: Autoresponder\n",
        "Subject: Automatische Antwort: Frage\n",
        "Subject: Abwesenheitsnotiz: Frage\n",
        "Subject: Out of Office AutoReply: Question\n",
        "Subject: Réponse automatique : Question\n",
        "Subject: Respuesta automática: Pregunta\n",
        "Subject: Automatisch antwoord: Vraag\n",
        "Subject: Autosvar: Fråga\n",
        "Subject: Automatyczna odpowiedź: Pytanie\n",
        "Subject: Автоматический ответ: Вопрос\n",
        "Subject: 自动答复: 问题\n",
        "Subject: 自動応答: 質問\n",
        "Subject: Otomatik Yanıt: Soru\n",
    ],
)
def test_automatic(headers: str) -> None:
    assert kind(headers) is Kind.AUTOMATIC


@pytest.mark.parametrize(
    "headers",
    [
        "Precedence: bulk\n",
        "Precedence: list\n",
        "Precedence: junk\n",
        "List-Id: <x.example>\n",
        "Mailing-List: x\n",
        "List-Unsubscribe: <https://x.example>\n",
        "Feedback-ID: 1:2:3\n",
    ],
)
def test_bulk(headers: str) -> None:
    assert kind(headers) is Kind.BULK


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ("Subject: Re: [WEB-42] Login\n", "Ich bin bis Montag im Urlaub, danach prüfe ich es.\n"),
        ("Subject: AW: Automatische Antwort: Frage\n", "Danke, das passt.\n"),
        ("Subject: Re: Out of office\n", "Who covers for you?\n"),
        ("Auto-Submitted: no\n", "Hallo\n"),
        ("X-Auto-Response-Suppress: OOF\n", "Hallo\n"),
        ("X-Loop: x\n", "Hallo\n"),
        ("Return-Path: <jana@kunde.example>\n", "Hallo\n"),
        ("In-Reply-To: <n@firma.example>\nList-Unsubscribe: <https://x.example>\n", "Hallo\n"),
        ("Precedence: normal\n", "Hallo\n"),
        ("Subject: Frage zur automatischen Antwort\n", "Wie stelle ich sie ein?\n"),
    ],
)
def test_a_persons_mail_stays_one(headers: str, body: str) -> None:
    assert kind(headers, body) is Kind.PERSONAL


def test_weak_signs_decide_together() -> None:
    assert kind("X-Auto-Response-Suppress: All\n", "I am out of the office until Monday.\n") is Kind.AUTOMATIC


def test_our_own_mail_is_recognised_by_its_id() -> None:
    assert kind("", own_message_ids={"<1@kunde.example>"}) is Kind.AUTOMATIC
    assert kind("", own_message_ids={"<2@kunde.example>"}) is Kind.PERSONAL


def test_a_read_receipt_is_automatic_and_no_report() -> None:
    headers = "Content-Type: multipart/report; report-type=disposition-notification; boundary=x\n"
    body = (
        "--x\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; a@b.example\n--x--\n"
    )
    assert kind(headers, body) is Kind.AUTOMATIC
