"""`depesche mailbox show | set | test | poll`: the settings come from the connections, polling from here."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.management.base import CommandError

from depesche.mailroom.connections.access import NotConfigured
from depesche.mailroom.connections.mailbox_command import MailboxCommand
from depesche.mailroom.connections.queries import IncomingSettings
from depesche.mailroom.inbox import polling
from depesche.mailroom.mailboxes import MailboxError


class Command(MailboxCommand):
    """With `poll`."""

    def poll(self, boxes: Sequence[IncomingSettings]) -> None:
        if not boxes:
            raise CommandError("No mailbox is configured.")
        fetched = new = 0
        problems = []
        for one in boxes:
            try:
                polled = polling.poll_once(one)
            except polling.MailboxBusy:
                problem = "The worker reads this mailbox just now; it takes what is there."
            except (MailboxError, NotConfigured) as error:
                problem = str(error)
            else:
                fetched, new = fetched + polled.fetched, new + polled.stored
                continue
            problems.append(problem if len(boxes) == 1 else f"{one.title}: {problem}")
        if problems and len(problems) == len(boxes):
            raise CommandError(" ".join(problems))
        self.print_object({"fetched": fetched, "new": new})
        if problems:
            raise CommandError(" ".join(problems))
