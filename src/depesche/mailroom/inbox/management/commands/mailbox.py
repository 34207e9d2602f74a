"""`depesche mailbox show | set | test | poll`: the settings come from the connections, polling from here."""

from __future__ import annotations

from django.core.management.base import CommandError

from depesche.mailroom.connections.access import NotConfigured
from depesche.mailroom.connections.mailbox_command import MailboxCommand
from depesche.mailroom.inbox import polling
from depesche.mailroom.mailboxes import MailboxError


class Command(MailboxCommand):
    """With `poll`."""

    def poll(self) -> None:
        try:
            polled = polling.poll_once()
        except polling.MailboxBusy:
            raise CommandError("The worker reads this mailbox just now; it takes what is there.") from None
        except (MailboxError, NotConfigured) as error:
            raise CommandError(str(error)) from None
        self.print_object({"fetched": polled.fetched, "new": polled.stored})
