"""The login to the mailbox that some servers want before they relay (POP-before-SMTP, M11).

Strategy. One login per machine and window, whoever on the machine submits: a row says when it was, and a
short lease in it lets one process log in while the others wait for it. The mailbox is left with QUIT before
SMTP begins. A POP3 mailbox that is locked just now (the poller reads it) is tried again for a while.
"""

from __future__ import annotations

import re
import time
from datetime import timedelta

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from depesche.mailroom.connections import access, queries
from depesche.mailroom.mailboxes import MailboxError, login_only
from depesche.mailroom.outbox import identity
from depesche.mailroom.outbox.models import MailboxLogin

WINDOW = timedelta(minutes=10)
MARGIN = timedelta(seconds=30)  # a transaction that begins at the end of the window must still be let through
_LEASE = timedelta(seconds=60)
_TRIES = 4
_BETWEEN_TRIES = 3.0
_LOOK = 0.1
_LOCKED = re.compile(r"in-use|(?<![bcn])lock|busy", re.IGNORECASE)  # but not "blocked"


def log_in(*, again_after: float | None = None) -> float:
    """See to it that this machine has logged in within the window; for how many seconds that holds.

    `again_after`: seconds since the login that proved not to be enough; one that is older is repeated. Raises
    MailboxError or access.NotConfigured. Blocks; to be called in a thread of its own.
    """
    try:
        return _log_in(again_after)
    finally:
        connection.close()


def _log_in(again_after: float | None) -> float:
    machine = identity.machine() or "this"
    MailboxLogin.objects.get_or_create(machine=machine)
    row = MailboxLogin.objects.filter(machine=machine)
    oldest = timezone.now() - (timedelta(seconds=again_after) if again_after is not None else WINDOW - MARGIN)
    while True:
        now = timezone.now()
        last = row.get().logged_in_at
        if last is not None and last > oldest:
            return (last + WINDOW - MARGIN - now).total_seconds()
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        if row.filter(free).update(lease_until=now + _LEASE):
            break
        time.sleep(_LOOK)
    try:
        _open_and_leave()
        row.update(logged_in_at=timezone.now())
    finally:
        row.update(lease_until=None)
    return (WINDOW - MARGIN).total_seconds()


def _open_and_leave() -> None:
    config = access.mailbox_config(queries.incoming())
    for attempt in range(_TRIES):
        try:
            return login_only(config)
        except MailboxError as error:
            if config.protocol != "pop3" or not _is_locked(error) or attempt + 1 == _TRIES:
                raise
        time.sleep(_BETWEEN_TRIES)
    return None


def _is_locked(error: MailboxError) -> bool:
    """Whether the server says that another session has the mailbox (RFC 1939, RFC 2449 IN-USE)."""
    return _LOCKED.search(str(error)) is not None
