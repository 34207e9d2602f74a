"""Whether the test mail has arrived in the mailbox of the system address. Blocking: for a thread."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import connections

from depesche.mailroom.mailboxes import Cursor, MailboxConfig, open_mailbox

_PAUSE = 1.0  # seconds between two looks
_COPY = 5.0  # seconds after the mail that its copy to a tagged address may take
_HEAD = 64 * 1024  # octets of a mail in which its header stands
_MOST = 500  # mails of one look

# The beginnings of the mails with this Message-ID that the inbox has fetched: the poller may be quicker than
# the test.
_fetched_already: Callable[[str], list[bytes]] | None = None


@dataclass(frozen=True)
class Arrival:
    """Whether the mail was found, and whether one of its copies came to the tagged address."""

    arrived: bool = False
    tagged: bool = False


def ask(fetched: Callable[[str], list[bytes]]) -> None:
    """The inbox says here how to get the mails it has stored by Message-ID (in angle brackets)."""
    global _fetched_already  # noqa: PLW0603  one inbox, which registers itself once
    _fetched_already = fetched


def wait_for(
    config: MailboxConfig, message_id: str, *, tagged: str = "", seconds: float, stop: threading.Event
) -> Arrival:
    """Look until the mail is there, the time is over or `stop` is set. Nothing is marked or deleted.

    `tagged` is an address that got a copy; after the mail has arrived, it is waited for a little longer.
    Raises MailboxError when the mailbox cannot be looked into.
    """
    deadline = time.monotonic() + seconds
    found = Arrival()
    try:
        while not stop.is_set():
            for head in _heads(config, message_id, stop):
                is_copy = bool(tagged) and tagged.encode().lower() in head.lower()
                if not found.arrived:
                    deadline = min(deadline, time.monotonic() + _COPY)
                found = Arrival(arrived=True, tagged=found.tagged or is_copy)
            if found.arrived and (found.tagged or not tagged):
                return found
            if time.monotonic() + _PAUSE > deadline:
                return found
            stop.wait(_PAUSE)
        return found
    finally:
        connections.close_all()  # those of this thread


def _heads(config: MailboxConfig, message_id: str, stop: threading.Event) -> Iterator[bytes]:
    """The headers of every copy that is there just now."""
    if _fetched_already is not None:
        for raw in _fetched_already(message_id):
            yield _head(raw)
    wanted = message_id.encode("ascii")
    with open_mailbox(config) as mailbox:
        for number, mail in enumerate(mailbox.new_mails(Cursor())):
            head = _head(mail.raw)
            if wanted in head:
                yield head
            if stop.is_set() or number >= _MOST:
                break


def _head(raw: bytes) -> bytes:
    return re.split(rb"\r?\n\r?\n", raw[:_HEAD], maxsplit=1)[0]
