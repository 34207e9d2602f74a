"""Which test provokes which cause. `docs/admin/causes.*.md` names it, and a cause without one is a failure.

A test that makes a server (or the network, or the settings) show a cause says so:

    @provokes("refused-alike")
    def test_…

A scene, for the eleven steps of a test, is one row of `scenes.SCENES`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Function = TypeVar("Function", bound=Callable[..., object])

PROVOKED: dict[str, str] = {}
"""Code of a cause -> the test, as pytest names it."""

MODULES = (
    "tests.mailroom.connections.test_causes",
    "tests.mailroom.connections.test_causes_of_pauses",
    "tests.mailroom.connections.oauth.test_causes",
    "tests.mailroom.connections.oauth.test_pages",
    "tests.mailroom.connections.test_mailbox_causes",
)
"""Where such tests stand: imported before the table is made."""


def provokes(*codes: str) -> Callable[[Function], Function]:
    """Says of a test which causes it provokes."""

    def note(function: Function) -> Function:
        file = function.__module__.replace(".", "/") + ".py"
        for code in codes:
            PROVOKED.setdefault(code, f"{file}::{function.__name__}")
        return function

    return note
