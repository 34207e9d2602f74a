"""One mail a day to everybody who is responsible for open items that are due soon or overdue.

A Reminder row and its mail are written in one transaction, unique for person and day: repeating a run, two
workers at a time or a kill -9 make neither a second mail nor a gap.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from depesche.mailformat.addresses import Address, AddressError
from depesche.mailroom.outbox import actions as outbox
from depesche.mailroom.outbox.actions import Category, NewMessage, SenderKind
from depesche.tracker.accounts import links
from depesche.tracker.accounts.letter import Letter, Link, Row
from depesche.tracker.accounts.models import Person
from depesche.tracker.items import changes as changing
from depesche.tracker.items.models import Item, Membership, Watcher
from depesche.tracker.items.queries import OPEN_STATES
from depesche.tracker.notifications import compose, due
from depesche.tracker.notifications.compose import MailSettings
from depesche.tracker.notifications.models import Reminder

FROM: Final = time(6)  # local time at which the day's reminders go out
_MOST_ITEMS: Final = 100  # in one mail


class SendReminders:
    """Worker task: the reminders of the day, once it is FROM.

    Items that were made since then wait for tomorrow: their authors know of them.
    """

    name = "reminders"
    pause = 60.0
    wakes_on_change = False

    def run(self, now: datetime, stop: threading.Event) -> int:
        since = datetime.combine(timezone.localdate(now), FROM, tzinfo=timezone.get_current_timezone())
        return remind(now=now, created_before=since, stop=stop) if now >= since else 0


def remind(
    *, now: datetime, created_before: datetime | None = None, stop: threading.Event | None = None
) -> int:
    """The reminders of the day of `now` that have not gone out yet; how many were written."""
    today = timezone.localdate(now)
    settings = MailSettings.now()
    written = 0
    for person, items in _by_person(_items(today, created_before), today):
        if stop is not None and stop.is_set():
            break
        # The mail itself goes out now, even where `now` was given for another day.
        written += _remind(person, items, today, settings=settings, now=timezone.now())
    return written


def _items(today: date, created_before: datetime | None) -> Iterable[Item]:
    reminded = Reminder.objects.filter(person=OuterRef("responsible"), day=today)
    member = Membership.objects.filter(workspace=OuterRef("workspace"), person=OuterRef("responsible"))
    muted = Watcher.objects.filter(
        item=OuterRef("pk"), person=OuterRef("responsible"), kind=Watcher.Kind.MUTED
    )
    rows = Item.objects.filter(
        ~Exists(reminded),
        ~Exists(muted),
        Exists(member),
        state__in=OPEN_STATES,
        due__lte=today + timedelta(days=due.LEAD_DAYS + 7),
        responsible__is_active=True,
        responsible__only_account_mails=False,
    )
    if created_before is not None:
        rows = rows.filter(created_at__lt=created_before)
    return rows.select_related("responsible", "workspace").order_by("responsible_id", "due", "id")


def _by_person(items: Iterable[Item], today: date) -> Iterable[tuple[Person, list[Item]]]:
    person: Person | None = None
    mine: list[Item] = []
    for item in items:
        if person is not None and item.responsible_id != person.pk:
            if mine:
                yield person, mine
            mine = []
        person = item.responsible
        if item.due is not None and due.is_in_reminder(item.due, today):
            mine.append(item)
    if person is not None and mine:
        yield person, mine


def _remind(
    person: Person, items: Sequence[Item], today: date, *, settings: MailSettings, now: datetime
) -> int:
    try:
        address = Address(person.name, person.email)
    except AddressError:
        return 0
    with translation.override(person.language):
        said = letter_for(person, items, today, server=settings.server)
    mail = compose.plain(said, settings=settings, now=now, auto_submitted="auto-generated")
    message = NewMessage(
        category=Category.REMINDER, content=mail.content, subject=mail.subject, sender=SenderKind.SYSTEM
    )
    recipient = compose.reminded(address=address, person_id=person.pk, settings=settings)
    try:
        with transaction.atomic():
            row = Reminder.objects.create(person=person, day=today)
            (row.recipient,) = outbox.enqueue(message, [recipient], now=now)
            row.save(update_fields=["recipient"])
    except IntegrityError:  # another worker, a moment before
        return 0
    return 1


def letter_for(person: Person, items: Sequence[Item], today: date, *, server: str) -> Letter:
    """The reminder, in the language in force: the most overdue first."""
    late = sum(due.days_late(item.due, today) > 0 for item in items if item.due is not None)
    count = len(items)
    soon = count - late
    counts = []
    if late:
        counts.append(ngettext("%(n)d item overdue", "%(n)d items overdue", late) % {"n": late})
    if soon:
        counts.append(ngettext("%(n)d item due soon", "%(n)d items due soon", soon) % {"n": soon})
    table = [
        Row(Link(item.key, links.page("item", item.key)), item.title, _when(item.due, today))
        for item in items[:_MOST_ITEMS]
        if item.due is not None
    ]
    left = count - len(table)
    more = ngettext("and %(n)d more item", "and %(n)d more items", left) % {"n": left} if left else ""
    return Letter(
        language=person.language,
        subject=_("Reminder: %(counts)s") % {"counts": ", ".join(counts)},
        speaker=server,
        deed=_("For {who}"),
        who=person.name,
        title=", ".join(counts),
        table=table,
        answer=more,
        button=Link(_("Open my work"), links.page("my-work")),
        why=_("You get this mail because you are responsible for these items. At most one such mail a day."),
        stop=[Link(_("Choose which mails you get"), links.page("me"))],
        preheader=", ".join(f"{row.link.label} {row.title}" for row in table[:5]),
    )


def _when(day: date | None, today: date) -> str:
    if day is None:
        return ""
    late = due.days_late(day, today)
    if late > 0:
        how = ngettext("%(n)d day late", "%(n)d days late", late) % {"n": late}
    elif late == 0:
        how = _("today")
    else:
        how = ngettext("in %(n)d day", "in %(n)d days", -late) % {"n": -late}
    return _("due %(date)s (%(how)s)") % {"date": changing.date_in_words(day), "how": how}
