"""Opening a mailbox by its protocol."""

from __future__ import annotations

from collections.abc import Callable

from depesche.mailroom.mailboxes.config import Mailbox, MailboxConfig, Passed, nobody
from depesche.mailroom.mailboxes.imap import ImapMailbox
from depesche.mailroom.mailboxes.pop3 import Pop3Mailbox

_PROTOCOLS: dict[str, Callable[[MailboxConfig, Passed], Mailbox]] = {"imap": ImapMailbox, "pop3": Pop3Mailbox}


def open_mailbox(config: MailboxConfig, passed: Passed = nobody) -> Mailbox:
    """Connect, secure and log in; `passed` is told of each stage. Raises MailboxError; use the result as a
    context manager."""
    return _PROTOCOLS[config.protocol](config, passed)


def login_only(config: MailboxConfig) -> None:
    """Log in and out again, which lets some SMTP servers accept us (POP-before-SMTP). Raises MailboxError.

    Returns after QUIT: such servers note the login only then, and POP3 locks the mailbox until then.
    """
    with open_mailbox(config):
        pass
