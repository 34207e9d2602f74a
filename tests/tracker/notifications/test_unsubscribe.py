"""The link at the end of a mail."""

from __future__ import annotations

import pytest

from depesche.tracker.items import actions as items
from depesche.tracker.items import queries
from depesche.tracker.notifications import unsubscribe
from depesche.tracker.threads import addresses as threads
from tests.tracker.support import make_person, make_workspace

pytestmark = pytest.mark.django_db


def test_a_link_mutes_one_item_for_one_person() -> None:
    jana, tomasz = make_person("jana"), make_person("tomasz")
    item = items.create_item(make_workspace("NW", jana, tomasz), author=jana, responsible=tomasz, title="x")
    token = threads.mute_token(item.pk, tomasz.pk)
    found = unsubscribe.read(token)
    assert found is not None
    assert (found.item, found.person) == (item, tomasz)
    assert queries.watching(item, tomasz) == ""
    assert unsubscribe.mute(token) == unsubscribe.mute(token) == found
    assert queries.watching(item, tomasz) == "muted"
    assert queries.watching(item, jana) == ""


@pytest.mark.parametrize("token", ["", "x", "aaaaaaaaaaaaaaaaaaaaaaaa"])
def test_a_forged_link_does_nothing(token: str) -> None:
    assert unsubscribe.read(token) is None
    assert unsubscribe.mute(token) is None


def test_a_link_to_what_is_gone() -> None:
    assert unsubscribe.read(threads.mute_token(99, 99)) is None
