from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest
from django.utils import timezone

from depesche.mailroom.connections.alarms import Level
from depesche.server import disk


@pytest.mark.parametrize(
    ("free", "levels"),
    [
        (0, [Level.CRITICAL]),
        (99 << 20, [Level.CRITICAL]),
        (101 << 20, [Level.WARNING]),
        (1 << 30, []),
    ],
)
def test_a_disk_that_runs_full_is_named(
    free: int, levels: list[Level], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=free))
    found = list(disk.alarms(timezone.now()))
    assert [one.level for one in found] == levels
    assert all(one.words.remedy and "MB" in one.words.why for one in found)
