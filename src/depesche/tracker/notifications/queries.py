"""Who would be told, and who was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from depesche.mailroom.outbox import queries as outbox
from depesche.mailroom.outbox.queries import RecipientRow
from depesche.tracker.accounts.models import Person
from depesche.tracker.items.models import Item, ItemEvent, Watcher
from depesche.tracker.notifications.audience import audience
from depesche.tracker.notifications.models import Notice

_NAMED: Final = 3
_COUNTED: Final = 200  # with more watchers the page names their number without looking at each


@dataclass(frozen=True)
class NoticeRow:
    """One person and one event. `mail` None and `not_told` "": the mail is no longer kept."""

    person: Person
    reasons: Sequence[str]
    not_told: str
    mail: RecipientRow | None


def who_was_told(event_ids: Iterable[int]) -> dict[int, list[NoticeRow]]:
    """Per event those told and those not, by name, with what became of the mails; two queries."""
    notices = list(
        Notice.objects.filter(event_id__in=list(event_ids))
        .select_related("person")
        .order_by("person__name", "id")
    )
    mails = outbox.by_ids(notice.recipient for notice in notices if notice.recipient is not None)
    found: dict[int, list[NoticeRow]] = {}
    for notice in notices:
        row = NoticeRow(
            person=notice.person,
            reasons=[reason for reason in notice.reasons.split(",") if reason],
            not_told=notice.not_told,
            mail=mails.get(notice.recipient) if notice.recipient is not None else None,
        )
        found.setdefault(notice.event_id, []).append(row)
    return found


def unplanned(event_ids: Iterable[int]) -> Mapping[int, bool]:
    """For events whose notices are not all written yet: True where they wait a few minutes on purpose."""
    rows = ItemEvent.objects.filter(pk__in=list(event_ids), planned_at=None).values_list("pk", "at", "due_at")
    return {pk: due_at > at for pk, at, due_at in rows}


def will_be_told(item: Item, person: Person) -> str:
    """Before somebody writes a comment: who will hear of it, in one sentence."""
    watchers = Watcher.objects.filter(Q(item=item) & ~Q(kind=Watcher.Kind.MUTED)).count()
    if watchers > _COUNTED:
        return _("About %(number)d people will be told.") % {"number": watchers}
    people = audience(item, actor_id=person.pk)
    names = sorted((people.cards[told.person_id].name for told in people.told), key=str.casefold)
    if not names:
        return _("Nobody else will be told.")
    if len(names) <= _NAMED:
        return _("Will be told: %(names)s.") % {"names": ", ".join(names)}
    others = len(names) - _NAMED + 1
    return ngettext(
        "Will be told: %(names)s and %(number)d other.",
        "Will be told: %(names)s and %(number)d others.",
        others,
    ) % {"names": ", ".join(names[: _NAMED - 1]), "number": others}
