from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils.translation import override

from depesche.tracker.items.actions import add_comment
from depesche.tracker.items.models import ItemEvent
from depesche.tracker.notifications.models import Notice
from depesche.tracker.web.told import Told, ToldRow, summary, told_of
from tests.tracker.support import make_person
from tests.tracker.web.conftest import House


def row(state: str) -> ToldRow:
    return ToldRow("A", "", state, "", "")


@pytest.mark.parametrize(
    ("states", "english", "german"),
    [
        (["delivered"] * 4, "4 people told, all delivered", "4 Personen benachrichtigt, alle zugestellt"),
        (["accepted", "delivered"], "2 people told", "2 Personen benachrichtigt"),
        (
            ["accepted", "deferred", "bounced", "not_told", "cancelled"],
            "1 person told, 1 mail waits, 1 mail failed, 2 not told",
            "1 Person benachrichtigt, 1 Mail wartet, 1 Mail gescheitert, 2 nicht benachrichtigt",
        ),
        (["uncertain", "queued"], "2 mails wait", "2 Mails warten"),
        (["failed"] * 1200, "1,200 mails failed", "1.200 Mails gescheitert"),
    ],
)
def test_summary(states: list[str], english: str, german: str) -> None:
    rows = [row(state) for state in states]
    with override("en"):
        assert summary(rows) == english
    with override("de"):
        assert summary(rows) == german


def notice(event: ItemEvent, person: Any, **fields: Any) -> None:
    Notice.objects.create(event=event, person=person, **fields)
    ItemEvent.objects.filter(pk=event.pk).update(planned_at=event.at)


def told(event: ItemEvent, reader: Any) -> Told:
    return told_of([event.pk], reader)[event.pk]


def test_why_somebody_was_not_told_is_theirs_and_the_administrators(house: House) -> None:
    event = house.item.events.get()
    notice(event, house.sofia, reasons="watcher", not_told="only_account_mails")
    words = {who: told(event, who).rows[0].words for who in (house.sofia, house.jana, house.emre)}
    assert words[house.sofia]
    assert words[house.jana] == words[house.sofia]
    assert words[house.emre] == ""


def test_an_event_that_waits_says_so(house: House) -> None:
    event = house.item.events.get()
    assert told(event, house.emre).summary == "The mails are being written"


def test_many_people_stand_on_a_page_of_their_own(house: House, emre: Client) -> None:
    event = house.item.events.get()
    for number in range(26):
        notice(event, make_person(f"p{number}"), not_told="muted")
    group = told(event, house.emre)
    assert group.many
    assert group.rows == ()
    assert group.summary == "26 not told"
    text = emre.get(f"/items/NW-1/told/{event.pk}/").content.decode()
    assert "P25" in text
    assert f"/items/NW-1/told/{event.pk}/" in emre.get("/items/NW-1/").content.decode()


def test_an_event_of_another_item_is_not_there(house: House, emre: Client) -> None:
    assert emre.get("/items/NW-1/told/999999/").status_code == 404


def test_a_page_shows_only_so_many_people_and_the_latest_first(house: House) -> None:
    people = [make_person(f"p{number}") for number in range(20)]
    events = [house.item.events.get()]
    for number in range(9):
        comment = add_comment(house.item, author=house.emre, text=f"{number}")
        events.append(ItemEvent.objects.get(comment=comment))
    for event in events:
        for person in people:
            notice(event, person, not_told="muted")
    groups = told_of([event.pk for event in events], house.emre)
    assert [groups[event.pk].many for event in events] == [True] * 3 + [False] * 7
    assert all(groups[event.pk].summary == "20 not told" for event in events)
