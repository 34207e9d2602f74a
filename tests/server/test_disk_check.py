from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest

from depesche.server import checkup
from depesche.server.checkup import Level


@pytest.mark.parametrize(("free", "levels"), [(0, [Level.ERROR]), (99 << 20, [Level.ERROR]), (1 << 30, [])])
def test_a_disk_that_runs_full_is_named(
    free: int, levels: list[Level], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=free))
    found = list(checkup._disk())
    assert [one.level for one in found] == levels
    assert all(one.remedy for one in found)
