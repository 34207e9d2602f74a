"""Who is told, and who is not and why."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from depesche.tracker.items.changes import Change
from depesche.tracker.notifications.recipients import (
    EventFacts,
    NotTold,
    PersonFacts,
    Reason,
    Told,
    Why,
    reasons_for,
    recipients_for,
)

ids = st.integers(1, 12)
roles = st.none() | ids
changes = st.builds(
    lambda field, old, new: Change(field=field, old=old, new=new),
    st.sampled_from(["responsible", "manager", "state", "title"]),
    roles,
    roles,
)
events = st.builds(
    EventFacts,
    actor=ids,
    author=ids,
    responsible=roles,
    manager=roles,
    watchers=st.lists(ids),
    consulted=st.lists(ids),
    muted=st.frozensets(ids),
    changes=st.lists(changes, max_size=3),
)
everybody = st.lists(
    st.builds(PersonFacts, ids, st.booleans(), st.booleans(), st.booleans()), unique_by=lambda p: p.id
)


def reader(person_id: int) -> PersonFacts:
    return PersonFacts(person_id, is_active=True, may_read=True, only_account_mails=False)


@given(events, everybody)
def test_each_person_once_and_only_with_a_reason(event: EventFacts, people: list[PersonFacts]) -> None:
    told, not_told = recipients_for(event, people)
    listed = [entry.person_id for entry in [*told, *not_told]]
    assert len(listed) == len(set(listed))
    known = {person.id for person in people}
    assert set(listed) == set(reasons_for(event)) & known
    assert all(entry.reasons for entry in [*told, *not_told])


@given(events, everybody)
def test_nobody_is_told_who_must_not_be(event: EventFacts, people: list[PersonFacts]) -> None:
    facts = {person.id: person for person in people}
    told, not_told = recipients_for(event, people)
    for entry in told:
        person = facts[entry.person_id]
        assert person.is_active
        assert person.may_read
        assert not person.only_account_mails
        assert entry.person_id != event.actor
        assert entry.person_id not in event.muted
    for silent in not_told:
        person = facts[silent.person_id]
        assert (
            not (person.is_active and person.may_read and not person.only_account_mails)
            or silent.person_id == event.actor
            or silent.person_id in event.muted
        )


def test_all_roles_and_the_one_who_did_it() -> None:
    event = EventFacts(actor=1, author=1, responsible=2, manager=3, watchers=[2, 4], consulted=[5])
    told, not_told = recipients_for(event, map(reader, range(1, 7)))
    assert told == [
        Told(2, (Reason.RESPONSIBLE, Reason.WATCHER)),
        Told(3, (Reason.MANAGER,)),
        Told(4, (Reason.WATCHER,)),
        Told(5, (Reason.CONSULTED,)),
    ]
    assert not_told == [NotTold(1, (Reason.AUTHOR,), Why.ACTOR)]


def test_who_lost_a_role_hears_of_it() -> None:
    changed: list[Change] = [
        {"field": "responsible", "old": 2, "new": 3},
        {"field": "manager", "old": 4, "new": None},
    ]
    event = EventFacts(actor=1, author=1, responsible=3, changes=changed)
    told, _ = recipients_for(event, map(reader, range(1, 5)))
    assert told == [
        Told(2, (Reason.WAS_RESPONSIBLE,)),
        Told(3, (Reason.RESPONSIBLE,)),
        Told(4, (Reason.WAS_MANAGER,)),
    ]


def test_the_strongest_objection_is_named() -> None:
    event = EventFacts(actor=1, author=2, muted=frozenset({2}))
    _, (silent,) = recipients_for(event, [PersonFacts(2, False, False, True)])
    assert silent.why is Why.INACTIVE
