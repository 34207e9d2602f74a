"""“I forgot my password”: the page only writes a row, the worker answers it.

So the page does the same work, and takes the same time, whether or not an address belongs to somebody: nobody
can learn from it who has an account.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from depesche.mailformat.addresses import Address, AddressError
from depesche.mailroom.outbox.actions import wake
from depesche.tracker.accounts import mails, queries
from depesche.tracker.accounts.models import ResetRequest

PER_ACCOUNT: Final = 3  # mails an hour
PER_IP: Final = 10
WINDOW: Final = timedelta(hours=1)
KEPT: Final = timedelta(days=1)  # IP addresses are kept no longer than the limits need
ANSWERED_WITHIN: Final = timedelta(
    hours=6
)  # an older request (the worker stood still) is not answered any more

_log = logging.getLogger(__name__)


def request(email: str, *, ip: str | None, now: datetime) -> None:
    """Somebody asks for a password link. Never says whether there is one to give."""
    try:
        key = Address("", email.strip()).key[:254]
    except AddressError:
        return
    recent = ResetRequest.objects.filter(at__gt=now - WINDOW)
    by_account = recent.filter(email=key).count()
    by_ip = recent.filter(ip=ip).count() if ip else 0
    if by_account >= PER_ACCOUNT or by_ip >= PER_IP:
        return
    ResetRequest.objects.filter(at__lt=now - KEPT).delete()
    ResetRequest.objects.create(email=key, ip=ip, at=now)
    wake()


class AnswerResetRequests:
    """Worker task: the mails that were asked for."""

    name = "password links"
    pause = 60.0
    wakes_on_change = True

    def run(self, now: datetime, stop: threading.Event) -> int:
        done = 0
        for row in ResetRequest.objects.filter(answered_at=None).order_by("id")[:100]:
            if stop.is_set():
                break
            done += _answer(row, now)
        return done


def _answer(row: ResetRequest, now: datetime) -> int:
    person = queries.person_by_address(row.email)
    with transaction.atomic():
        # Compare and set: of several workers one answers. The mail is written in the same transaction.
        if not ResetRequest.objects.filter(pk=row.pk, answered_at=None).update(answered_at=now):
            return 0
        if person is not None and person.is_active and not person.is_guest and row.at > now - ANSWERED_WITHIN:
            mails.password_link(person)
    return 1
