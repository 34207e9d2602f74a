"""Mails as people write them, for the tests of what becomes of them."""

from __future__ import annotations

import threading
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from django.utils import timezone

from depesche.mailroom.inbox import intake, processing
from depesche.mailroom.inbox.handlers import Handled
from depesche.mailroom.outbox import queries as outbox
from depesche.mailroom.outbox.queries import RecipientRow
from depesche.tracker.accounts.models import Person
from depesche.tracker.items.models import Item
from depesche.tracker.notifications.planner import PlanNotices
from depesche.tracker.threads import addresses as threads

SYSTEM = "tracker@example.org"


def plan_all() -> None:
    task = PlanNotices()
    while task.run(timezone.now(), threading.Event()):
        pass


def mails(to: str = "") -> list[RecipientRow]:
    return [row for row in outbox.recipients(oldest_first=True) if row.recipient == to or not to]


def raw_of(row: RecipientRow) -> bytes:
    raw = outbox.raw_mail(row.id)
    assert raw is not None
    return raw


def reply_address(item: Item, person: Person) -> str:
    address = threads.addresses().reply_address(item.pk, person.pk, now=timezone.now())
    assert address is not None
    return address.addr_spec


def written(
    text: str = "I will do it tomorrow.\n",
    *,
    sender: str = "Tomasz <tomasz@example.org>",
    to: str = SYSTEM,
    subject: str = "Re: [NW-1] New: Coolant pump P-7",
    html: str = "",
    files: tuple[tuple[str, bytes], ...] = (),
    **headers: str,
) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    if "Message_ID" not in headers:
        mail["Message-ID"] = f"<{abs(hash((text, sender, to, subject, str(headers))))}@client.example>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    for name, data in files:
        mail.add_attachment(data, maintype="image", subtype="jpeg", filename=name)
    return mail.as_bytes()


def take(raw: bytes, **envelope: Any) -> Handled:
    stored = intake.store(raw, source="pipe", now=timezone.now(), **envelope)
    return processing.process(stored.id)
