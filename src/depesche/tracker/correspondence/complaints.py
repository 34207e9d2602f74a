"""Complaints (ARF, RFC 5965): a person, or their mail provider for them, called a mail of ours spam.

It ends what the complaint is about: the mails about that item, as the link at their end would; a mail about
no item (a reminder) ends everything but account mails. Whose mail it was is known by its Message-ID, never by
an address alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext_noop

from depesche.mailroom.inbox.handlers import Choice, Handled, IncomingMail, Sentence
from depesche.mailroom.inbox.models import Outcome
from depesche.mailroom.outbox import queries as outbox
from depesche.mailroom.outbox.queries import RecipientRow
from depesche.tracker.accounts import actions as people
from depesche.tracker.accounts import queries as accounts
from depesche.tracker.accounts.models import Person
from depesche.tracker.items import actions, queries

_NO_COMPLAINT: Final = frozenset({"not-spam", "auth-failure"})  # RFC 6650, RFC 6591


class ComplaintHandler:
    """Takes every complaint, so that none becomes a comment or an item."""

    def handle(self, mail: IncomingMail) -> Handled | None:
        complaint = mail.reading.complaint
        if complaint is None or mail.reading.reports:
            return None
        if complaint.feedback_type in _NO_COMPLAINT:
            return Handled(
                Outcome.REPORT, Sentence(gettext_noop("A report of a mail provider; no complaint."))
            )
        row = _complained_of(complaint.original_message_id)
        person = _person(row)
        if row is None or person is None:
            return Handled(
                Outcome.REPORT,
                Sentence(gettext_noop("A complaint about no mail of ours to somebody known here.")),
            )
        return _unsubscribed(row, person)

    def choices(self, proposal: Mapping[str, Any]) -> Sequence[Choice]:
        return ()

    def accept_held(
        self, mail: IncomingMail, proposal: Mapping[str, Any], *, choice: str = "", by: str = ""
    ) -> Handled:
        raise LookupError("A complaint is never held.")


def _complained_of(message_id: str | None) -> RecipientRow | None:
    if not message_id:
        return None
    wanted = message_id if message_id.startswith("<") else f"<{message_id}>"
    return next(iter(outbox.recipients(text=wanted, limit=1)), None)


def _person(row: RecipientRow | None) -> Person | None:
    return accounts.person(int(row.person)) if row is not None and row.person.isdecimal() else None


def _unsubscribed(row: RecipientRow, person: Person) -> Handled:
    item = queries.find_item(row.item) if row.item else None
    if item is None:
        people.change_person(person, only_account_mails=True)
        reason = Sentence(
            gettext_noop("%(name)s complained about a mail: no more mails but account mails."),
            name=person.name,
        )
        return Handled(Outcome.REPORT, reason)
    actions.mute(item, person)
    reason = Sentence(
        gettext_noop("%(name)s complained about a mail: no more mails about %(item)s."),
        name=person.name,
        item=item.key,
    )
    return Handled(Outcome.REPORT, reason, item=item.key)
