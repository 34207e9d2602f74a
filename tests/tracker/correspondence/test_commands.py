"""Commands on the first lines of a mail, in two languages; everything else is text."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.tracker.correspondence.commands import Command, read


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("state: closed", "state", "closed"),
        ("State: In progress", "state", "in_progress"),
        ("Zustand: erledigt", "state", "done"),
        ("**Status:** Geschlossen", "state", "closed"),
        ("priority: high", "priority", 3),
        ("Priorität:   dringend", "priority", 4),
        ("due: 2026-12-01", "due", date(2026, 12, 1)),
        ("Fällig: 1.12.2026", "due", date(2026, 12, 1)),
        ("Termin: kein", "due", None),
        ("responsible: jane@example.org", "responsible", "jane@example.org"),
        ("Verantwortlich: Jane <jane@example.org>", "responsible", "jane@example.org"),
        ("responsible: [jane@example.org](mailto:jane@example.org)", "responsible", "jane@example.org"),
        ("Zuständig: niemand", "responsible", None),
    ],
)
def test_what_is_understood(line: str, field: str, value: object) -> None:
    found = read(f"{line}\n\nThe text.")
    assert [(one.field, one.value, one.understood) for one in found.found] == [(field, value, True)]
    assert found.text == "The text."


def test_several_lines_and_where_they_end() -> None:
    found = read("\nstate: done\ndue: 2026-12-01\nThanks.\nstate: open")
    assert [one.field for one in found.found] == ["state", "due"]
    assert found.text == "Thanks.\nstate: open"
    assert [one.field for one in read("state: done\n\nstate: open").found] == ["state"]


@pytest.mark.parametrize("line", ["state: very bad", "due: tomorrow", "due: 2026-13-01", "Priorität: egal"])
def test_what_means_nothing_is_said_so(line: str) -> None:
    (command,) = read(line).found
    assert not command.understood
    assert command.line == line


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello",
        "I think the state: closed is right.",
        "Note: closed",
        "state:",
        "state closed",
        "> state: done",
    ],
)
def test_what_is_no_command(text: str) -> None:
    assert read(text).found == ()
    assert read(text).text == text


@given(st.text(max_size=500))
def test_any_text_is_read(text: str) -> None:
    found = read(text)
    assert all(isinstance(one, Command) for one in found.found)
    if not found.found:
        assert found.text == text
