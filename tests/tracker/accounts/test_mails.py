"""Account mails in the real outbox: urgent, confidential, from the system, ending with their link."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from depesche.mailformat.parse import parse
from depesche.mailroom.outbox import queries as outbox
from depesche.tracker.accounts import actions
from depesche.tracker.accounts.models import Person
from tests.tracker.support import PASSWORD

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.contract,
    pytest.mark.usefixtures("outbox_backend"),
]


def test_the_welcome_mail_lands_in_the_outbox() -> None:
    person = actions.create_person("jana@example.org", "Jana Voß", language="de")
    (row,) = outbox.recipients()
    assert (row.category, row.recipient, row.subject) == ("account", "jana@example.org", "")
    detail = outbox.recipient(row.id)
    assert detail is not None
    assert (detail.sender, detail.sensitive) == ("system", True)
    assert detail.expires_at is not None
    assert detail.expires_at > timezone.now()
    raw = outbox.raw_mail(row.id)
    assert raw is not None
    mail = parse(raw)
    assert mail.subject == "Ihr Konto bei Depesche"
    assert mail.header("auto-submitted") == "auto-generated"
    assert not mail.has_header("x-depesche-category")
    assert "https://tracker.example.org/password/" in (mail.text or "")
    assert str(mail.to[0]) == f"{person.name} <jana@example.org>"


def test_a_person_who_cannot_be_stored_gets_no_mail() -> None:
    actions.create_person("jana@example.org", "Jana", password=PASSWORD)
    for email in ("JANA@example.org", "nonsense"):
        with pytest.raises(ValidationError):
            actions.create_person(email, "Jana")
    assert outbox.recipients() == []
    assert Person.objects.count() == 1


def test_deactivation_withdraws_what_still_waits() -> None:
    jana = actions.create_person("jana@example.org", "Jana")
    actions.create_person("ana@example.org", "Ana")
    actions.deactivate(jana)
    states = {row.recipient: row.state for row in outbox.recipients()}
    assert states == {"jana@example.org": "cancelled", "ana@example.org": "queued"}
