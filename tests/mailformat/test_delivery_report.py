"""Reports of single points; whole reports of many servers are in test_corpus.py."""

from __future__ import annotations

import pytest

from depesche.mailformat.delivery_report import Action, delivery_reports, feedback_report, reported_message_id
from depesche.mailformat.parse import parse
from depesche.mailformat.report_fields import status_fields
from depesche.mailformat.report_values import address_in


def dsn(
    fields: str, *, human: str = "Sorry.", returned: str = "Message-ID: <n1@firma.example>\n\nx"
) -> bytes:
    return (
        "From: MAILER-DAEMON@mx.example\nReturn-Path: <>\nSubject: Undelivered\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        f"--b\n\n{human}\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; "
        f"mx.example\n\n{fields}\n"
        f"--b\nContent-Type: message/rfc822\n\n{returned}\n--b--\n"
    ).encode()


def test_the_standard() -> None:
    mail = parse(
        dsn(
            "Final-Recipient: rfc822; jana@kunde.example\nAction: failed\nStatus: 5.1.1\n"
            "Remote-MTA: dns; mx.kunde.example\nDiagnostic-Code: smtp; 550 5.1.1\n  unknown user\n"
        )
    )
    (report,) = delivery_reports(mail)
    assert report.recipient == "jana@kunde.example"
    assert report.action is Action.FAILED
    assert report.status == "5.1.1"
    assert report.diagnostic == "550 5.1.1 unknown user"
    assert report.remote_server == "mx.kunde.example"
    assert report.original_message_id == "<n1@firma.example>"
    assert report.permanent


def test_several_recipients_each_with_its_own_fate() -> None:
    mail = parse(
        dsn(
            "Final-Recipient: rfc822;a@x.example\nAction: delayed\nStatus: 4.2.2\n\n"
            "Final-Recipient: rfc822;b@x.example\nAction: delivered\nStatus: 2.1.5\n"
            "Final-Recipient: rfc822;c@x.example\nAction: expanded\nStatus: 2.0.0\n"
        )
    )
    found = [(report.recipient, report.action, report.permanent) for report in delivery_reports(mail)]
    assert found == [
        ("a@x.example", Action.DELAYED, False),
        ("b@x.example", Action.DELIVERED, False),
        ("c@x.example", Action.EXPANDED, False),
    ]


@pytest.mark.parametrize(
    ("fields", "recipient", "status"),
    [
        ("Final-Recipient: rfc822;a@x.example\nAction: failed\n", "a@x.example", "5.0.0"),
        (
            "Final-Recipient: rfc822;a@x.example\nAction: failed (bad)\nStatus: 5.2.2 (full)\n",
            "a@x.example",
            "5.2.2",
        ),
        ("Final-Recipient: RFC822; <a@x.example>\nAction: FAILED\nStatus: 5.0.0\n", "a@x.example", "5.0.0"),
        (
            "Final-Recipient: a@x.example\nAction: failed\nDiagnostic-Code: smtp; 452 busy\n",
            "a@x.example",
            "4.0.0",
        ),
        ("final-recipient:rfc822;a@x.example\naction:failed\nstatus:5.1.1\n", "a@x.example", "5.1.1"),
        ("Original-Recipient: rfc822;a@x.example\nAction: failed\nStatus: 5.1.1\n", "a@x.example", "5.1.1"),
        (
            "Final-Recipient: rfc822;a@x.example\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: "
            "smtp; 550 5.7.1 no\n",
            "a@x.example",
            "5.7.1",
        ),
    ],
)
def test_mangled_fields(fields: str, recipient: str, status: str) -> None:
    (report,) = delivery_reports(parse(dsn(fields)))
    assert (report.recipient, report.status) == (recipient, status)


def test_the_address_we_submitted_is_kept_beside_the_final_one() -> None:
    fields = (
        "Original-Recipient: rfc822;jana@x.example\nFinal-Recipient: rfc822;jv@y.example\nAction: failed\n"
    )
    (report,) = delivery_reports(parse(dsn(fields)))
    assert report.recipient == "jv@y.example"
    assert report.submitted_recipient == "jana@x.example"


def test_a_diagnostic_only_in_words_completes_the_fields() -> None:
    human = (
        "I could not deliver it:\n\na@x.example: 552 5.2.2 mailbox full\n\nBelow is a copy of the message:\n"
    )
    (report,) = delivery_reports(
        parse(dsn("Final-Recipient: rfc822;a@x.example\nAction: failed\nStatus: 5.0.0\n", human=human))
    )
    assert report.status == "5.2.2"
    assert "mailbox full" in report.diagnostic


def test_a_recipient_without_address_is_found_in_words_or_in_the_returned_mail() -> None:
    fields = "Final-Recipient: x-unknown; (hidden)\nAction: failed\nStatus: 5.1.1\n"
    (named,) = delivery_reports(parse(dsn(fields, human="<a@x.example>: unknown")))
    assert named.recipient == "a@x.example"
    (returned,) = delivery_reports(parse(dsn(fields, returned="To: b@x.example\nMessage-ID: <n@x>\n\nx")))
    assert returned.recipient == "b@x.example"
    (nobody,) = delivery_reports(parse(dsn(fields)))
    assert nobody.recipient is None


def test_groups_of_fields() -> None:
    text = "Aa: 1\nBb: 2\n  3\n\n\nCc: 4\nno field here\nDd:5"
    assert status_fields(text) == [{"aa": "1", "bb": "2 3"}, {"cc": "4 no field here", "dd": "5"}]


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("rfc822; a@x.example", "a@x.example"),
        ("rfc822;<a@x.example>", "a@x.example"),
        ('rfc822; "quoted name"@x.example', '"quoted name"@x.example'),
        ("a@x.example", "a@x.example"),
        ("SMTP:a@x.example", "a@x.example"),
        ("rfc822; @relay.example:a@x.example", "a@x.example"),
        ("system;<>", None),
        ("", None),
    ],
)
def test_addresses_in_fields(value: str, address: str | None) -> None:
    assert address_in(value) == address


def test_the_reported_mail_is_found_where_only_headers_came_back() -> None:
    raw = dsn("Final-Recipient: rfc822;a@x.example\nAction: failed\n").replace(
        b"message/rfc822\n\nMessage-ID", b"text/rfc822-headers\n\nSubject: x\nMessage-ID"
    )
    assert reported_message_id(parse(raw)) == "<n1@firma.example>"


@pytest.mark.parametrize(
    "raw",
    [
        b"From: jana@kunde.example\nSubject: Re: x\nIn-Reply-To: <1@x>\n\nAn <a@x.example> kam nichts.\n",
        b"From: Jana <jana@kunde.example>\nSubject: Fwd: Undelivered Mail\nIn-Reply-To: <1@x>\n\nSee below\n",
        b"From: shop@kunde.example\nSubject: Order\n\nYour parcel could not be delivered to jana@x.example\n",
        b"Subject: x\n\nFinal answer: no\n",
        b"",
    ],
)
def test_what_only_speaks_of_delivery_is_no_report(raw: bytes) -> None:
    assert delivery_reports(parse(raw)) == ()


def test_amazons_notification_in_json() -> None:
    raw = (
        b"From: AWS <no-reply@sns.amazonaws.com>\nSubject: Notification\n\n"
        b'{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bouncedRecipients":'
        b'[{"emailAddress":"jana@kunde.example","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 no"}]},'
        b'"mail":{"commonHeaders":{"messageId":"<n1@firma.example>"}}}\n--\nfooter\n'
    )
    (report,) = delivery_reports(parse(raw))
    assert (report.recipient, report.status, report.original_message_id) == (
        "jana@kunde.example",
        "5.1.1",
        "<n1@firma.example>",
    )


def test_no_complaint_in_ordinary_mail() -> None:
    assert feedback_report(parse(b"From: a@b.example\n\nx")) is None
