from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def alone(settings: Any) -> None:
    """A worker that does nothing but submit, and asks nobody about rights."""
    settings.DEPESCHE_WORKER_TASKS = []
    settings.DEPESCHE_RIGHTS_CHECK = ""
