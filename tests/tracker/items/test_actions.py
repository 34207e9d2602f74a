"""Items: one transaction a change, one event a change, constant cost."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from depesche.tracker.accounts.models import Person
from depesche.tracker.items import actions, queries
from depesche.tracker.items.attachments import NewAttachment
from depesche.tracker.items.models import Item, ItemEvent, Watcher
from tests.tracker.support import make_person, make_workspace

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def jana() -> Person:
    return make_person("jana")


@pytest.fixture
def tomasz() -> Person:
    return make_person("tomasz")


@pytest.fixture
def item(jana: Person, tomasz: Person) -> Item:
    workspace = make_workspace("NW", jana, tomasz)
    return actions.create_item(workspace, author=jana, title="Pump P-7", now=NOW)


def test_numbers_follow_each_other_in_a_workspace(jana: Person) -> None:
    workspace = make_workspace("NW", jana)
    other = make_workspace("AB", jana)
    keys = [actions.create_item(w, author=jana, title="x").key for w in (workspace, workspace, other)]
    assert keys == ["NW-1", "NW-2", "AB-1"]


def test_creation_writes_one_event_and_all_parts(jana: Person, tomasz: Person) -> None:
    item = actions.create_item(
        make_workspace("NW", jana, tomasz),
        author=jana,
        title="  Coolant\r\nBcc: evil@example.org  pump ",
        responsible=tomasz,
        watchers=[tomasz],
        due=date(2026, 12, 1),
        attachments=[NewAttachment("../../etc/passwd", "text/plain; charset=x", b"root")],
        now=NOW,
    )
    assert item.title == "Coolant Bcc: evil@example.org pump"
    event = ItemEvent.objects.get()
    assert (event.kind, event.actor, event.item, event.at) == ("created", jana, item, NOW)
    file = item.attachments.get()
    assert (file.filename, file.content_type, bytes(file.data)) == ("passwd", "text/plain", b"root")


def test_only_members_take_part(item: Item) -> None:
    stranger = make_person("stranger")
    with pytest.raises(ValidationError, match="not a member"):
        actions.add_comment(item, author=stranger, text="hello")
    with pytest.raises(ValidationError, match="not a member"):
        actions.change_item(item, actor=item.author, responsible=stranger)
    with pytest.raises(ValidationError, match="not a member"):
        actions.watch(item, stranger)
    assert ItemEvent.objects.count() == 1


@pytest.mark.parametrize(
    "fields",
    [{"title": " \n"}, {"title": "x" * 251}, {"state": "gone"}, {"priority": 9}, {"nonsense": 1}],
)
def test_wrong_values_change_nothing(item: Item, fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        actions.change_item(item, actor=item.author, **fields)
    assert ItemEvent.objects.count() == 1


def test_a_change_says_old_and_new(item: Item, tomasz: Person) -> None:
    event = actions.change_item(
        item, actor=tomasz, state="closed", responsible=tomasz, due=date(2026, 12, 24), now=NOW
    )
    assert event is not None
    assert event.changes == [
        {"field": "state", "old": "open", "new": "closed"},
        {"field": "responsible", "old": None, "new": tomasz.pk},
        {"field": "due", "old": None, "new": "2026-12-24"},
    ]
    assert actions.change_item(item, actor=tomasz, state="closed") is None
    last = queries.thread(item)[-1]
    assert [(c.label, c.old, c.new) for c in last.changes] == [
        ("State", "Open", "Closed"),
        ("Responsible", "–", tomasz.name),
        ("Due", "–", "Thursday, 24 December 2026"),
    ]


def test_changes_that_nobody_was_told_yet_become_one(item: Item, jana: Person) -> None:
    first = actions.change_item(item, actor=jana, state="in_progress", now=NOW)
    second = actions.change_item(item, actor=jana, state="closed", priority=4, now=NOW + timedelta(seconds=1))
    assert first is not None
    assert second is not None
    assert first.pk == second.pk
    assert second.changes == [
        {"field": "state", "old": "open", "new": "closed"},
        {"field": "priority", "old": 2, "new": 4},
    ]
    assert actions.change_item(item, actor=jana, state="open", priority=2, now=NOW) is None
    assert ItemEvent.objects.filter(kind="changed").count() == 0


def test_a_repeated_change_waits_and_another_does_not(item: Item, jana: Person, tomasz: Person) -> None:
    told = actions.change_item(item, actor=jana, state="closed", now=NOW)
    assert told is not None
    assert told.due_at == NOW
    ItemEvent.objects.update(planning_at=NOW, planned_at=NOW)

    repeated = actions.change_item(item, actor=jana, state="open", now=NOW + timedelta(minutes=1))
    assert repeated is not None
    assert repeated.pk != told.pk
    assert repeated.due_at == NOW + actions.REPEATED_WITHIN
    ItemEvent.objects.filter(pk=repeated.pk).delete()

    other_field = actions.change_item(item, actor=jana, priority=4, now=NOW + timedelta(minutes=1))
    assert other_field is not None
    assert other_field.due_at == NOW + timedelta(minutes=1)
    by_another = actions.change_item(item, actor=tomasz, state="done", now=NOW + timedelta(minutes=2))
    assert by_another is not None
    assert by_another.due_at == NOW + timedelta(minutes=2)


def test_who_becomes_responsible_hears_of_it_at_once(item: Item, jana: Person, tomasz: Person) -> None:
    actions.change_item(item, actor=jana, responsible=jana, now=NOW)
    ItemEvent.objects.update(planning_at=NOW, planned_at=NOW)
    later = NOW + timedelta(minutes=1)
    event = actions.change_item(item, actor=jana, responsible=tomasz, now=later)
    assert event is not None
    assert event.due_at == later


def test_a_long_ago_change_is_no_repetition(item: Item, jana: Person) -> None:
    actions.change_item(item, actor=jana, state="closed", now=NOW)
    ItemEvent.objects.update(planning_at=NOW, planned_at=NOW)
    later = NOW + timedelta(minutes=6)
    event = actions.change_item(item, actor=jana, state="open", now=later)
    assert event is not None
    assert event.due_at == later


def test_a_comment_can_change_the_item_in_the_same_breath(item: Item, tomasz: Person) -> None:
    comment = actions.add_comment(item, author=tomasz, text="Done.", fields={"state": "done"})
    event = ItemEvent.objects.get(kind="commented")
    assert event.comment == comment
    assert event.changes == [{"field": "state", "old": "open", "new": "done"}]
    assert Item.objects.get().state == "done"


def test_the_same_received_mail_makes_one_comment_and_one_item(item: Item, jana: Person) -> None:
    one = actions.add_comment(item, author=jana, text="by mail", via="mail", received=7)
    again = actions.add_comment(item, author=jana, text="by mail", via="mail", received=7)
    assert one.pk == again.pk
    first = actions.create_item(item.workspace, author=jana, title="by mail", via="mail", received=8)
    second = actions.create_item(item.workspace, author=jana, title="by mail", via="mail", received=8)
    assert first.pk == second.pk
    assert ItemEvent.objects.count() == 3


def test_a_comment_costs_the_same_with_many_watchers(item: Item, jana: Person) -> None:
    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            actions.add_comment(item, author=jana, text="hello")
        return len(captured)

    few = cost()
    people = [Person(email=f"w{n}@example.org", name=f"W {n}") for n in range(300)]
    Person.objects.bulk_create(people)
    Watcher.objects.bulk_create(Watcher(item=item, person=person) for person in people)
    assert cost() == few


def test_texts_are_stored_whatever_they_hold(item: Item, jana: Person) -> None:
    comment = actions.add_comment(item, author=jana, text="a\x00b\ud800c\r\nd", cut="x\x00\udfff")
    comment.refresh_from_db()
    assert comment.text == "ab�c\nd"
    assert comment.cut == "x�"
    with pytest.raises(ValidationError):
        actions.add_comment(item, author=jana, text=" \n ")


def test_attachment_limits(item: Item, jana: Person) -> None:
    many = [NewAttachment(f"{n}.txt", "text/plain", b"x") for n in range(21)]
    with pytest.raises(ValidationError, match="At most 20 files"):
        actions.add_comment(item, author=jana, text="", attachments=many)
    actions.add_comment(item, author=jana, text="", attachments=many[:20])


def test_muting_and_watching(item: Item, tomasz: Person) -> None:
    actions.watch(item, tomasz)
    assert queries.watching(item, tomasz) == "informed"
    actions.mute(item, tomasz)
    assert queries.watching(item, tomasz) == "muted"
    actions.unwatch(item, tomasz)
    assert queries.watching(item, tomasz) == "muted"
    actions.unmute(item, tomasz)
    assert queries.watching(item, tomasz) == ""


def test_the_first_workspace_takes_items_by_mail_until_another_does(jana: Person) -> None:
    first = actions.create_workspace("Nordlicht plant", members=[jana])
    second = actions.create_workspace("Nordlicht park")
    assert (first.key, second.key) == ("NP", "NP2")
    assert queries.default_workspace() == first
    actions.make_default(second)
    assert queries.default_workspace() == second
    with pytest.raises(ValidationError, match="of this name"):
        actions.create_workspace("nordlicht PLANT")
