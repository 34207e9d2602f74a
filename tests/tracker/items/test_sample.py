"""Sample data: believable, and made to measure."""

from __future__ import annotations

import threading

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from depesche.mailroom.outbox import queries as outbox
from depesche.tracker.accounts.models import Person
from depesche.tracker.items import actions, bulk, queries, sample
from depesche.tracker.items.models import Item, ItemEvent, Watcher
from depesche.tracker.notifications.planner import PlanNotices

pytestmark = pytest.mark.django_db


def test_the_sample_has_two_workspaces_and_two_languages() -> None:
    people = sample.create(password="a long enough pass phrase")
    assert {person.language for person in people.values()} == {"de", "en"}
    assert queries.all_workspaces().count() == 2
    assert Item.objects.count() == 12
    example = queries.readable_item(Person.objects.get(email=sample.ADMINISTRATOR), sample.EXAMPLE)
    assert example is not None
    assert example.title.startswith("Coolant pump P-7")
    assert example.state == "in_progress"
    assert len(queries.thread(example)) == 4
    made = actions.create_item(example.workspace, author=people["mei"], title="next")
    assert made.key == "NW-485"


def test_bulk_data_has_the_size_that_was_asked_for() -> None:
    now = timezone.now()
    first, last = bulk.demo_data(people=8, items=5, watchers=7, password=None, now=now)
    assert (Person.objects.count(), Item.objects.count(), Watcher.objects.count()) == (8, 5, 35)
    assert last - first == 4
    assert ItemEvent.objects.filter(planned_at=None).count() == 0
    bulk.demo_data(people=10, items=1, watchers=0, password=None, now=now)
    assert (Person.objects.count(), Item.objects.count()) == (10, 6)
    item = queries.find_item(str(first))
    assert item is not None
    assert item.author.email == "person1@example.org"
    actions.add_comment(item, author=item.author, text="hello")
    assert PlanNotices().run(timezone.now(), threading.Event()) == 1
    assert len(outbox.recipients()) == 7


def test_everybody_may_watch() -> None:
    bulk.demo_data(people=4, items=3, watchers=4, password=None, now=timezone.now())
    assert Watcher.objects.count() == 12


@pytest.mark.parametrize("size", [(0, 1, 0), (3, 1, 4)])
def test_bulk_data_that_cannot_be(size: tuple[int, int, int]) -> None:
    people, items, watchers = size
    with pytest.raises(ValidationError):
        bulk.demo_data(people=people, items=items, watchers=watchers, password=None, now=timezone.now())
