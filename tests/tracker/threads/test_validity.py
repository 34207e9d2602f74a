"""Reply addresses run out, and can be revoked: of a person, of an item, of both, of all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.tracker.items import actions as items
from depesche.tracker.threads import actions, queries
from depesche.tracker.threads.tokens import Thread
from depesche.tracker.threads.validity import Validity, validity
from tests.tracker.support import make_person, make_workspace

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def made(ago: timedelta) -> Thread:
    return Thread(1, 2, int((NOW - ago).timestamp()))


@pytest.mark.parametrize(
    ("age", "revoked", "lifetime", "expected"),
    [
        (DAY, None, None, Validity.GOOD),
        (1000 * DAY, None, None, Validity.GOOD),
        (DAY, None, 2 * DAY, Validity.GOOD),
        (3 * DAY, None, 2 * DAY, Validity.EXPIRED),
        (2 * DAY, NOW - DAY, 9 * DAY, Validity.REVOKED),
        (DAY, NOW - DAY, 9 * DAY, Validity.REVOKED),
        (DAY, NOW - 2 * DAY, 9 * DAY, Validity.GOOD),
        (9 * DAY, NOW - DAY, 2 * DAY, Validity.REVOKED),
    ],
)
def test_what_a_token_is_worth(
    age: timedelta, revoked: datetime | None, lifetime: timedelta | None, expected: Validity
) -> None:
    assert validity(made(age), revoked_until=revoked, lifetime=lifetime, now=NOW) is expected


def test_a_token_that_does_not_say_when_it_was_made_proves_nothing() -> None:
    assert validity(Thread(1, 2), revoked_until=None, lifetime=None, now=NOW) is Validity.EXPIRED


@given(st.timedeltas(timedelta(0), 5000 * DAY), st.timedeltas(timedelta(0), 5000 * DAY))
def test_nothing_made_before_a_revocation_is_good(age: timedelta, since: timedelta) -> None:
    found = validity(made(age), revoked_until=NOW - since, lifetime=None, now=NOW)
    assert (found is Validity.GOOD) == (int((NOW - age).timestamp()) > int((NOW - since).timestamp()))


@pytest.mark.django_db
def test_a_revocation_concerns_what_it_names() -> None:
    jana, tomasz = make_person("jana"), make_person("tomasz")
    workspace = make_workspace("NW", jana, tomasz)
    one, other = (items.create_item(workspace, author=jana, title=title) for title in ("one", "other"))
    cases = {
        (one, jana): {(one, jana)},
        (one, None): {(one, jana), (one, tomasz)},
        (None, jana): {(one, jana), (other, jana)},
        (None, None): set(product((one, other), (jana, tomasz))),
    }
    for number, ((item, person), concerned) in enumerate(cases.items()):
        at = NOW + number * DAY
        actions.revoke(item=item, person=person, by="Jana", now=at)
        found = {
            (i, p)
            for i, p in product((one, other), (jana, tomasz))
            if queries.revoked_until(i.pk, p.pk) == at
        }
        assert found == concerned


@pytest.mark.django_db
def test_an_answer_to_a_mail_of_somebody_else_belongs_to_its_item() -> None:
    jana = make_person("jana")
    item = items.create_item(make_workspace("NW", jana), author=jana, title="one")
    actions.link("<first@client.example>", item)
    actions.link("<first@client.example>", item)
    actions.link(None, item)
    assert queries.linked_item(["<unknown@x>", "<first@client.example>"]) == item.pk
    assert queries.linked_item(["<unknown@x>"]) is None
