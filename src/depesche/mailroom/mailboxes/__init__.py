"""Access to the mailbox that belongs to the system address, over IMAP or POP3.

Used by the inbox (polling), by the diagnosis (arrival of the test mail) and by logins of the kind "connect
to the mailbox first". Synchronous: one thread a mailbox. No Django models.
"""

from depesche.mailroom.mailboxes.config import (
    Cursor,
    Fetched,
    Found,
    Mailbox,
    MailboxConfig,
    Passed,
    Position,
    Stop,
    WhenTaken,
)
from depesche.mailroom.mailboxes.errors import MailboxError, MailboxStage
from depesche.mailroom.mailboxes.opening import login_only, open_mailbox

__all__ = [
    "Cursor",
    "Fetched",
    "Found",
    "Mailbox",
    "MailboxConfig",
    "MailboxError",
    "MailboxStage",
    "Passed",
    "Position",
    "Stop",
    "WhenTaken",
    "login_only",
    "open_mailbox",
]
