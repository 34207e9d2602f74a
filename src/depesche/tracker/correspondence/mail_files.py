"""Which files of a mail are kept. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from depesche.tracker.correspondence.rules import Rules
from depesche.tracker.items import attachments as files
from depesche.tracker.items.attachments import NewAttachment


class LeftOut(Enum):
    """Why a file of a mail is not kept."""

    TYPE = "type"
    SIZE = "size"
    COUNT = "count"


@dataclass(frozen=True)
class Sorted:
    """The files that are kept, and the others with why."""

    kept: tuple[NewAttachment, ...]
    left_out: tuple[tuple[NewAttachment, LeftOut], ...]


def sort(found: Sequence[NewAttachment], rules: Rules) -> Sorted:
    """Each file is kept or left out, for the first reason that applies; the order of the mail decides who
    still has room."""
    kept: list[NewAttachment] = []
    left_out: list[tuple[NewAttachment, LeftOut]] = []
    total = 0
    for file in found:
        size = len(file.data)
        if ending(file.filename) in rules.refused_types:
            left_out.append((file, LeftOut.TYPE))
        elif size > min(rules.max_megabytes * 1024 * 1024, files.MAX_SIZE) or total + size > files.MAX_TOTAL:
            left_out.append((file, LeftOut.SIZE))
        elif len(kept) >= min(rules.max_files, files.MAX_COUNT):
            left_out.append((file, LeftOut.COUNT))
        else:
            kept.append(file)
            total += size
    return Sorted(tuple(kept), tuple(left_out))


def ending(filename: str) -> str:
    """`exe` of `Report.EXE `; what a system would run counts, whatever stands before it."""
    return files.safe_filename(filename).rpartition(".")[2].strip().lower()
