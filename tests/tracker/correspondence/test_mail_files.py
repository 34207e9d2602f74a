"""Which files of a mail are kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.tracker.correspondence.mail_files import LeftOut, sort
from depesche.tracker.correspondence.rules import Rules
from depesche.tracker.items.attachments import NewAttachment

MEGABYTE = 1024 * 1024


def file(name: str, size: int = 1) -> NewAttachment:
    return NewAttachment(name, "application/octet-stream", b"x" * size)


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("plan.pdf", True),
        ("exe", False),
        ("run.exe", False),
        ("run.pdf.EXE", False),
        ("run.exe.", False),
        ("run.exe ", False),
        ("..\\run.lnk", False),
        ("exe.txt", True),
    ],
)
def test_types_are_refused_however_they_are_written(name: str, taken: bool) -> None:
    found = sort([file(name)], Rules())
    assert bool(found.kept) is taken
    assert [why for _file, why in found.left_out] == ([] if taken else [LeftOut.TYPE])


def test_size_and_count() -> None:
    rules = Rules(max_files=2, max_megabytes=1)
    found = sort([file("a", MEGABYTE), file("b", MEGABYTE + 1), file("c"), file("d")], rules)
    assert [one.filename for one in found.kept] == ["a", "c"]
    assert [(one.filename, why) for one, why in found.left_out] == [
        ("b", LeftOut.SIZE),
        ("d", LeftOut.COUNT),
    ]
    assert sort([file("a")], Rules(max_files=0)).kept == ()


@given(st.lists(st.tuples(st.sampled_from(["a.txt", "b.exe", "c"]), st.integers(0, 3)), max_size=30))
def test_nothing_disappears(found: list[tuple[str, int]]) -> None:
    files = [file(name, size) for name, size in found]
    result = sort(files, Rules(max_files=5))
    assert len(result.kept) + len(result.left_out) == len(files)
    assert len(result.kept) <= 5
