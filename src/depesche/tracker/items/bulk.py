"""Sample data of a given size, fast: rows in bulk, and events that count as told, so that no mail is
written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import Final

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from depesche.tracker.accounts.models import Person, VerifiedAddress
from depesche.tracker.items import actions
from depesche.tracker.items.models import Item, ItemEvent, Membership, Via, Watcher, Workspace

WORKSPACE: Final = "Sample data"
_BATCH: Final = 1000


def demo_data(
    *,
    people: int,
    items: int,
    watchers: int,
    password: str | None,
    now: datetime,
    progress: Callable[[int], None] = lambda _done: None,
) -> tuple[int, int]:
    """`people` person1@example.org … (those who are there already stay as they are), `items` new items of
    which each has `watchers` watchers beside its author. Returns the first and the last item's id, (0, 0)
    without items.

    The author of the first item is person1, of the second person2, and so on around; the watchers are the
    people that follow. So a comment by its author makes exactly `watchers` mails, unless everybody watches,
    the author too.
    """
    if people < 1 and items:
        raise ValidationError(_("Items need at least one person."))
    if watchers > people:
        raise ValidationError(_("%(watchers)d watchers need as many people.") % {"watchers": watchers})
    with transaction.atomic():
        crowd = _people(people, password, now)
        workspace = Workspace.objects.filter(name=WORKSPACE).first()
        if workspace is None:
            workspace = actions.create_workspace(WORKSPACE, key="DEMO")
        Membership.objects.bulk_create(
            (Membership(workspace=workspace, person_id=pk) for pk in crowd),
            ignore_conflicts=True,
            batch_size=_BATCH,
        )
    first = last = done = 0
    numbers = iter(range(items))
    while some := list(islice(numbers, _BATCH)):
        with transaction.atomic():
            made = _items(workspace, some, crowd, watchers, now)
        first, last = first or made[0].pk, made[-1].pk
        done += len(made)
        progress(done)
    return first, last


def _people(count: int, password: str | None, now: datetime) -> list[int]:
    """Their ids, in the order of their numbers."""
    emails = [f"person{number}@example.org" for number in range(1, count + 1)]
    hashed = make_password(password)
    Person.objects.bulk_create(
        (
            Person(
                email=email,
                name=f"Person {number}",
                language="de" if number % 3 == 0 else "en",
                password=hashed,
                created_at=now,
            )
            for number, email in enumerate(emails, 1)
        ),
        ignore_conflicts=True,
        batch_size=_BATCH,
    )
    ids: dict[str, int] = {}
    for start in range(0, count, _BATCH):
        some = emails[start : start + _BATCH]
        ids.update(Person.objects.filter(email__in=some).values_list("email", "pk"))
    VerifiedAddress.objects.bulk_create(
        (VerifiedAddress(person_id=pk, address=email, verified_at=now) for email, pk in ids.items()),
        ignore_conflicts=True,
        batch_size=_BATCH,
    )
    return [ids[email] for email in emails]


def _items(
    workspace: Workspace, numbers: list[int], crowd: list[int], watchers: int, now: datetime
) -> list[Item]:
    Workspace.objects.filter(pk=workspace.pk).update(next_number=F("next_number") + len(numbers))
    start = Workspace.objects.values_list("next_number", flat=True).get(pk=workspace.pk) - len(numbers)
    made = Item.objects.bulk_create(
        Item(
            workspace=workspace,
            number=start + offset,
            title=f"Sample item {start + offset}",
            description="Made to measure with.",
            author_id=crowd[number % len(crowd)],
            created_at=now,
            updated_at=now,
        )
        for offset, number in enumerate(numbers)
    )
    ItemEvent.objects.bulk_create(
        ItemEvent(
            item=item,
            kind=ItemEvent.Kind.CREATED,
            actor_id=item.author_id,
            via=Via.COMMAND,
            at=now,
            due_at=now,
            planning_at=now,
            planned_at=now,
        )
        for item in made
    )
    rows = _watchers(made, numbers, crowd, watchers)
    while some := list(islice(rows, 10 * _BATCH)):
        Watcher.objects.bulk_create(some, batch_size=_BATCH)
    return made


def _watchers(items: list[Item], numbers: list[int], crowd: list[int], watchers: int) -> Iterator[Watcher]:
    for item, number in zip(items, numbers, strict=True):
        for ahead in range(1, watchers + 1):
            yield Watcher(item=item, person_id=crowd[(number + ahead) % len(crowd)])
