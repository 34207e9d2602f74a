"""What is read, by whom, and with how many queries."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from depesche.tracker.accounts import actions as accounts
from depesche.tracker.items import actions, queries
from depesche.tracker.items.attachments import NewAttachment
from depesche.tracker.items.queries import ItemFilter
from tests.tracker.support import make_person, make_workspace

pytestmark = pytest.mark.django_db


def test_who_is_no_member_sees_nothing() -> None:
    jana, eve, admin = make_person("jana"), make_person("eve"), make_person("admin", is_admin=True)
    item = actions.create_item(
        make_workspace("NW", jana),
        author=jana,
        title="Secret",
        attachments=[NewAttachment("a.txt", "text/plain", b"x")],
    )
    file_id = item.attachments.get().pk
    assert queries.readable_item(jana, "nw-1") == item
    for other in (eve, admin):
        assert queries.readable_item(other, "NW-1") is None
        assert list(queries.readable_items(other)) == []
        assert queries.attachment(other, file_id) is None
        assert list(queries.workspaces_of(other)) == []
    accounts.deactivate(jana)
    assert not queries.may_read(jana, item)
    assert list(queries.readable_items(jana)) == []
    assert queries.who_may_read(item, [jana.pk, eve.pk]) == set()


def test_a_list_costs_one_query_whatever_its_length() -> None:
    jana, tomasz = make_person("jana"), make_person("tomasz")
    workspace = make_workspace("NW", jana, tomasz)
    for number in range(12):
        item = actions.create_item(workspace, author=jana, responsible=tomasz, title=f"Item {number}")
        actions.add_comment(item, author=tomasz, text="first")
        actions.add_comment(item, author=jana, text="second")
    with CaptureQueriesContext(connection) as captured:
        rows = [
            (item.key, item.author.name, item.responsible and item.responsible.name, item.comment_count)
            for item in queries.readable_items(jana)
        ]
    assert len(captured) == 1
    assert len(rows) == 12
    assert {row[1:] for row in rows} == {("Jana", "Tomasz", 2)}


def test_a_thread_costs_the_same_whatever_its_length() -> None:
    jana = make_person("jana")
    item = actions.create_item(make_workspace("NW", jana), author=jana, title="Long")

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            for entry in queries.thread(item):
                _ = (entry.actor.name, entry.comment and entry.comment.author.name, list(entry.attachments))
        return len(captured)

    actions.add_comment(item, author=jana, text="one", attachments=[NewAttachment("a", "b", b"c")])
    few = cost()
    for number in range(15):
        actions.add_comment(item, author=jana, text=f"{number}")
    assert cost() == few
    assert [entry.kind for entry in queries.thread(item)][:2] == ["created", "commented"]


@pytest.mark.parametrize(
    ("wanted", "titles"),
    [
        (ItemFilter(text="öl"), {"Ölpumpe"}),
        (ItemFilter(text="pump vibr"), {"Coolant pump"}),
        (ItemFilter(text="nw-2"), {"Ölpumpe"}),
        (ItemFilter(text="2"), {"Ölpumpe"}),
        (ItemFilter(text="in a comment"), {"Door"}),
        (ItemFilter(state="closed"), {"Door"}),
        (ItemFilter(state="unfinished"), {"Coolant pump", "Ölpumpe"}),
        (ItemFilter(text="%"), set()),
    ],
)
def test_filter_and_search(wanted: ItemFilter, titles: set[str]) -> None:
    jana = make_person("jana")
    workspace = make_workspace("NW", jana)
    actions.create_item(workspace, author=jana, title="Coolant pump", description="It vibrates")
    actions.create_item(workspace, author=jana, title="Ölpumpe")
    door = actions.create_item(workspace, author=jana, title="Door")
    actions.add_comment(door, author=jana, text="Words in a Comment", fields={"state": "closed"})
    assert {item.title for item in queries.readable_items(jana, wanted)} == titles


def test_filter_by_people() -> None:
    jana, tomasz = make_person("jana"), make_person("tomasz")
    workspace = make_workspace("NW", jana, tomasz)
    mine = actions.create_item(workspace, author=jana, title="a", responsible=jana)
    watched = actions.create_item(workspace, author=jana, title="b", watchers=[tomasz])
    assert list(queries.readable_items(jana, ItemFilter(responsible=jana.pk))) == [mine]
    assert list(queries.readable_items(jana, ItemFilter(watched_by=tomasz.pk))) == [watched]
    actions.mute(watched, tomasz)
    assert list(queries.readable_items(jana, ItemFilter(watched_by=tomasz.pk))) == []


@pytest.mark.parametrize(
    "text", ["", "NW", "NW-", "-1", "NW-0", "NW-99999999999", "x" * 500, "١٢", "NW-1 --"]
)
def test_finding_nothing(text: str) -> None:
    assert queries.find_item(text) is None


def test_workspaces_are_found_by_key_before_name() -> None:
    named = actions.create_workspace("nw", key="AB")
    keyed = actions.create_workspace("Other", key="NW")
    assert queries.find_workspace("nw") == keyed
    assert queries.find_workspace("ab") == named
    assert queries.find_workspace("none") is None
