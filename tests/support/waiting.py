"""Wait for a condition, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

PATIENCE = 30.0
"""Seconds after which a condition that should hold soon is taken to fail: generous, machines may be busy."""


def wait_until(condition: Callable[[], Result], what: str, *, timeout: float = PATIENCE) -> Result:
    """The first true value of `condition`, asked again and again.

    Raises AssertionError naming `what`, with the last value, when it does not come within `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    pause = 0.002
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:g} s in vain for {what}; last seen: {value!r}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
