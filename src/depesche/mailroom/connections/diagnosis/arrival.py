"""Whether the test mail has arrived in the mailbox of the system address. Blocking: for a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from django.db import connections

from depesche.mailroom.mailboxes import Cursor, MailboxConfig, open_mailbox

_PAUSE = 1.0  # seconds between two looks
_HEAD = 64 * 1024  # octets of a mail in which its Message-ID stands
_MOST = 500  # mails of one look

# Whether the inbox has already fetched a mail with this Message-ID; the poller may be quicker than the test.
_fetched_already: Callable[[str], bool] | None = None


def ask(fetched: Callable[[str], bool]) -> None:
    """The inbox says here how to ask whether it has stored a mail with a Message-ID (in angle brackets)."""
    global _fetched_already  # noqa: PLW0603  one inbox, which registers itself once
    _fetched_already = fetched


def wait_for(config: MailboxConfig, message_id: str, *, seconds: float, stop: threading.Event) -> bool:
    """Look until the mail is there (True), the time is over or `stop` is set (False). Nothing is marked or
    deleted.

    Raises MailboxError when the mailbox cannot be looked into.
    """
    deadline = time.monotonic() + seconds
    try:
        while not stop.is_set():
            if _fetched_already is not None and _fetched_already(message_id):
                return True
            if _is_there(config, message_id.encode("ascii"), stop):
                return True
            if time.monotonic() + _PAUSE > deadline:
                return False
            stop.wait(_PAUSE)
        return False
    finally:
        connections.close_all()  # those of this thread


def _is_there(config: MailboxConfig, message_id: bytes, stop: threading.Event) -> bool:
    with open_mailbox(config) as mailbox:
        for number, mail in enumerate(mailbox.new_mails(Cursor())):
            if message_id in mail.raw[:_HEAD]:
                return True
            if stop.is_set() or number >= _MOST:
                break
    return False
