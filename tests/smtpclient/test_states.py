"""The transition table and the page made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from depesche.smtpclient.wire.states import (
    NEXT,
    TRANSITIONS,
    Command,
    Kind,
    State,
    diagram,
    kind_of,
)

PAGE = Path(__file__).parents[2] / "docs" / "states" / "smtp-session.md"


def test_the_page_is_what_the_table_says() -> None:
    """Write it anew with `print(diagram(), end="")`."""
    assert PAGE.read_text(encoding="utf-8") == diagram()


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("command", Command)
def test_421_closes_from_everywhere(state: State, command: Command) -> None:
    after = NEXT[state][command][Kind.CLOSE]
    assert after is (State.CLOSED if command is Command.QUIT else State.CLOSING)


def test_every_state_can_be_reached_and_left() -> None:
    after = {target for row in TRANSITIONS.values() for target in row.values()}
    assert after | {State.CONNECTED} == set(State)
    assert {state for state, _ in TRANSITIONS} | {State.CLOSED, State.HANDSHAKE} == set(State)


def test_content_is_only_ever_awaited_after_an_accepted_sender() -> None:
    for (state, command), row in TRANSITIONS.items():
        if State.CONTENT in row.values():
            assert (state, command) == (State.RECIPIENTS, Command.DATA)
        if State.EMPTY in row.values():
            assert (state, command) == (State.SENDER, Command.DATA)


def test_kinds() -> None:
    assert [kind_of(code) for code in (250, 354, 450, 550, 421)] == [
        Kind.DONE,
        Kind.MORE,
        Kind.LATER,
        Kind.NEVER,
        Kind.CLOSE,
    ]
