"""Django's mail API: what is asked for arrives, and nothing internal does."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage as StdlibMessage
from email.mime.image import MIMEImage

import pytest
from django.core import mail
from django.core.mail import EmailMessage, EmailMultiAlternatives, send_mail
from django.db import transaction

from depesche.mailroom.outbox import queries
from depesche.mailroom.outbox.backend import OutboxBackend
from depesche.mailroom.outbox.models import OutboxMessage, OutboxRecipient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outbox_backend")]


def stored() -> StdlibMessage:
    row = queries.recipients()[0]
    raw = queries.raw_mail(row.id)
    assert raw is not None
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(parsed, StdlibMessage)
    return parsed


def text(part: object) -> str:
    assert isinstance(part, StdlibMessage)
    return str(part.get_content()).replace("\r\n", "\n")


def test_send_mail() -> None:
    assert send_mail("Grüße", "Hallo\nWelt", None, ["a@example.org", "Bea <b@example.org>"]) == 1
    rows = queries.recipients(oldest_first=True)
    assert [row.recipient for row in rows] == ["a@example.org", "b@example.org"]
    assert len({row.message_id for row in rows}) == 1
    assert rows[0].category == "mail"
    message = OutboxMessage.objects.get()
    assert (message.sender, message.author_address) == ("system", "")
    parsed = stored()
    assert parsed["Subject"] == "Grüße"
    assert parsed["To"] == "a@example.org, Bea <b@example.org>"
    assert parsed["Message-ID"] == rows[0].message_id
    assert text(parsed) == "Hallo\nWelt\n"
    assert parsed["From"] is None


@pytest.mark.filterwarnings(
    "ignore:MIMEBase attachments are deprecated"
)  # Django 6.1, which still takes them
def test_everything_at_once() -> None:
    message = EmailMultiAlternatives(
        "Report",
        "text",
        "Jana Voss <jana@example.org>",
        ["a@example.org"],
        bcc=["hidden@example.org"],
        cc=["c@example.org", "a@example.org"],
        reply_to=["r@example.org", "s@example.org"],
        headers={"Message-ID": "<mine@example.org>", "X-Colour": "grün", "In-Reply-To": "<x@y.example>"},
    )
    message.attach_alternative("<p>html</p>", "text/html")
    message.attach("päper.pdf", b"%PDF-1", "application/pdf")
    message.attach("notes.txt", "Zeile\n", "text/plain")
    picture = MIMEImage(b"\x89PNG", "png")
    picture.add_header("Content-ID", "<logo>")
    message.attach(picture)
    assert message.send() == 1
    assert set(OutboxRecipient.objects.values_list("address", flat=True)) == {
        "a@example.org",
        "c@example.org",
        "hidden@example.org",
    }
    row = OutboxMessage.objects.get()
    assert (row.sender, row.author_name, row.author_address) == ("given", "Jana Voss", "jana@example.org")
    parsed = stored()
    assert "hidden" not in str(parsed)
    assert parsed["Message-ID"] == "<mine@example.org>"
    assert parsed["Reply-To"] == "r@example.org, s@example.org"
    assert parsed["X-Colour"] == "grün"
    assert parsed["In-Reply-To"] == "<x@y.example>"
    assert text(parsed.get_body(("html",))) == "<p>html</p>\n"
    files = {part.get_filename(): part.get_content() for part in parsed.iter_attachments()}
    assert files["päper.pdf"] == b"%PDF-1"
    assert str(files["notes.txt"]).splitlines() == ["Zeile"]


def test_html_alone_gets_a_text() -> None:
    message = EmailMessage("x", "<p>Tom &amp; Jerry</p>", None, ["a@example.org"])
    message.content_subtype = "html"
    message.send()
    parsed = stored()
    assert text(parsed.get_body(("plain",))) == "Tom & Jerry\n"
    assert text(parsed.get_body(("html",))) == "<p>Tom &amp; Jerry</p>\n"


def test_internal_headers_stay_inside() -> None:
    EmailMessage(
        "Reset",
        "link",
        None,
        ["a@example.org"],
        headers={"X-Depesche-Category": "account", "X-Depesche-Expires": "2026-11-24T10:00:00+00:00"},
    ).send()
    message = OutboxMessage.objects.get()
    assert (message.category, message.sensitive, message.subject) == ("account", True, "")
    assert message.expires_at == datetime(2026, 11, 24, 10, tzinfo=UTC)
    assert OutboxRecipient.objects.get().priority == 2
    assert "depesche" not in str(stored()).lower().replace("@depesche.invalid", "")


def test_part_of_the_transaction() -> None:
    class Undone(Exception):
        pass

    def change() -> None:
        with transaction.atomic():
            send_mail("x", "y", None, ["a@example.org"])
            raise Undone

    with pytest.raises(Undone):
        change()
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize(
    "message",
    [
        EmailMessage("x", "y", None, ["not an address"]),
        EmailMessage("x", "y", None, ["a@example.org\r\nBcc: b@example.org"]),
        EmailMessage("x", "y", None, ["a@example.org"], headers={"X-Evil\r\nBcc": "b@example.org"}),
        EmailMessage("x", "y", None, ["a@example.org"], headers={"Message-ID": "<a>\r\nBcc: b@example.org"}),
    ],
)
def test_what_cannot_be_written_is_refused(message: EmailMessage) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the class is the promise, the words are mailformat's
        message.send()
    assert OutboxBackend(fail_silently=True).send_messages([message]) == 0
    assert not OutboxMessage.objects.exists()


def test_line_breaks_in_text_fields_never_make_a_header() -> None:
    EmailMessage(
        "x\r\nBcc: b@example.org", "y", None, ["a@example.org"], headers={"X-A": "1\nBcc: c@d"}
    ).send()
    assert stored()["Bcc"] is None
    assert OutboxRecipient.objects.count() == 1


def test_without_recipients_nothing_happens() -> None:
    assert EmailMessage("x", "y", None, []).send() == 0
    assert OutboxBackend().send_messages([]) == 0
    assert not hasattr(mail, "outbox") or mail.outbox == []
