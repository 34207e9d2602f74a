"""The transition table, and its picture in docs/states/outbox.md."""

from __future__ import annotations

from pathlib import Path

from depesche.mailroom.outbox.states import FINAL, TRANSITIONS, State, diagram, permitted, sources_of

PAGE = Path(__file__).parents[3] / "docs" / "states" / "outbox.md"


def page() -> str:
    """The whole page, as it is to be."""
    return f"""# States of an outbox recipient

Made of the table in `src/depesche/mailroom/outbox/states.py`; a test compares the two.
To write it anew: `python -m tests.mailroom.outbox.test_states`.

```mermaid
{diagram()}
```

`in_flight → queued` or `held`: the lease was lost (the attempt is noted as abandoned), or the attempt was
given back because the connection was at fault. `uncertain`: the connection was lost after the content was
handed over and before the reply was read. `delivered`, `delayed`, `bounced`: only by a delivery report.
"""


def test_the_page_shows_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(State)


def test_every_state_can_be_reached() -> None:
    assert set().union(*TRANSITIONS.values()) | {State.QUEUED} == set(State)


def test_paths() -> None:
    assert permitted(State.QUEUED, State.IN_FLIGHT, State.ACCEPTED, State.DELAYED, State.BOUNCED)
    assert not permitted(State.QUEUED, State.ACCEPTED)
    assert not permitted(State.FAILED, State.IN_FLIGHT)
    assert sources_of(State.CANCELLED) == {State.QUEUED, State.DEFERRED, State.UNCERTAIN, State.HELD}
    assert {State.DELIVERED, State.BOUNCED, State.CANCELLED} == FINAL


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
