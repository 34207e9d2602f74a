"""What the rooms above say of themselves on the pages of the connections."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from depesche.mailroom.connections import figures
from depesche.mailroom.connections.diagnosis import arrival
from depesche.mailroom.inbox import intake, processing


@pytest.mark.usefixtures("outbox_backend")
def test_the_outbox_says_how_it_stands(admin_page: Any, saved: Any) -> None:
    mail.send_mail("Hello", "Text", "shop@nordlicht.example", ["a@b.example", "c@d.example"])
    stands = figures.outbox(timezone.now())
    assert stands is not None
    assert (stands.waiting, stands.deferred, stands.accepted_24h, stands.workers) == (2, 0, 0, 0)
    page = admin_page.get(reverse("connections:status")).content.decode()
    assert "2 waiting, 0 deferred" in page
    assert "No worker is running" in page


def test_the_inbox_knows_the_test_mail_again(db: Any) -> None:
    message_id = "<test.0123456789@nordlicht.example>"
    raw = f"From: a@b.example\r\nMessage-ID: {message_id}\r\nAuto-Submitted: auto-generated\r\n\r\nx\r\n"
    assert arrival._fetched_already is not None
    assert not arrival._fetched_already(message_id)
    stored = intake.store(raw.encode(), source="imap", now=timezone.now())
    processing.process(stored.id)
    assert arrival._fetched_already(message_id) == [raw.encode()]
    stands = figures.inbox(timezone.now())
    assert stands is not None
    assert (stands.taken_24h, stands.held) == (0, 0)
