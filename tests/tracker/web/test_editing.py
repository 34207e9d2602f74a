from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from depesche.tracker.web import editing

START: dict[str, Any] = {
    "title": "Pump",
    "description": "one\ntwo",
    "state": "open",
    "priority": 2,
    "responsible": None,
    "manager": None,
    "due": date(2026, 11, 19),
}
text = st.text(max_size=5)
values = st.fixed_dictionaries(
    {
        "title": text,
        "description": text,
        "state": st.sampled_from(["open", "done"]),
        "priority": st.integers(1, 4),
        "responsible": st.none(),
        "manager": st.none(),
        "due": st.none() | st.dates(),
    }
)


def test_only_what_the_person_changed_is_written() -> None:
    plan = editing.plan(editing.seen_of(START), START | {"state": "done"}, START | {"title": "New"})
    assert plan == editing.Plan({"title": "New"}, ())


def test_the_same_field_is_a_conflict_and_nothing_is_for_sure() -> None:
    plan = editing.plan(editing.seen_of(START), START | {"title": "Theirs"}, START | {"title": "Mine"})
    assert plan.conflicts == ("title",)


def test_both_did_the_same() -> None:
    plan = editing.plan(editing.seen_of(START), START | {"title": "Same"}, START | {"title": "Same"})
    assert plan == editing.Plan({}, ())


def test_line_ends_of_a_browser_are_no_change() -> None:
    wanted = START | {"description": "one\r\ntwo\r\n"}
    assert editing.plan(editing.seen_of(START), START, wanted) == editing.Plan({}, ())


@given(st.text(max_size=200))
def test_a_damaged_field_never_fails(seen: str) -> None:
    plan = editing.plan(seen, START, START | {"title": "New"})
    assert plan.changes == {"title": "New"} or plan.conflicts


@given(values, values, values)
def test_nothing_of_others_is_overwritten_unseen(saw: Any, now: Any, wanted: Any) -> None:
    plan = editing.plan(editing.seen_of(saw), now, wanted)
    same = editing.seen_of(saw) == editing.seen_of(now)
    if same:
        assert plan.conflicts == ()
    for name in plan.changes:
        one_field = {**START, name: saw[name]}
        other = {**START, name: now[name]}
        assert editing.seen_of(one_field) == editing.seen_of(other)
    assert not set(plan.changes) & set(plan.conflicts)


@given(values)
def test_saving_again_after_a_conflict_is_a_decision(wanted: Any) -> None:
    plan = editing.plan(editing.seen_of(START), START, wanted)
    assert plan.conflicts == ()
