"""Each cause, shown by a server (M16): told apart from all others, with the setting that sets it right."""

from __future__ import annotations

from typing import Any

import pytest

from depesche.mailroom.connections.diagnosis.causes import ENTRIES
from depesche.mailroom.connections.diagnosis.plan import plan_test
from depesche.mailroom.connections.diagnosis.running import run
from depesche.mailroom.connections.diagnosis.steps import Outcome
from depesche.mailroom.connections.queries import OutgoingSettings
from tests.mailroom.connections.provoking import PROVOKED
from tests.mailroom.connections.scenes import PERSON, SCENES, SYSTEM, Row
from tests.mailroom.connections.support import CANARY

_OF_THE_TEST = ("password", "to", "user_address", "stop")


@pytest.mark.parametrize("row", SCENES, ids=[f"{row.code}-{row.step}" for row in SCENES])
def test_a_server_shows_it(db: Any, row: Row) -> None:
    with row.scene() as found:
        told = {key: found.pop(key) for key in _OF_THE_TEST if key in found}
        settings = OutgoingSettings(
            **{"encryption": "none", "system_address": SYSTEM, "system_name": "Tracker", **found}
        )
        plan = plan_test(
            settings,
            to=told.get("to", PERSON),
            user_address=told.get("user_address", PERSON),
            password=told.get("password"),
            seconds=row.seconds,
        )
        steps = {step.name.value: step for step in run(plan, stop=told.get("stop"))}
    step = steps[row.step]
    assert step.cause is not None, [(name, one.outcome.value, one.fact) for name, one in steps.items()]
    assert step.cause.code == row.code
    port = str(found["port"])
    change = {key: port if value == "{port}" else value for key, value in (row.change or {}).items()}
    assert dict(step.cause.change or {}) == change
    assert step.cause.sentence
    assert step.cause.remedy
    if step.outcome is Outcome.FAILED and row.step not in ("mail-from-user", "arrival"):
        assert steps["content"].outcome is not Outcome.OK
    assert CANARY not in repr(steps)


for _row in SCENES:
    PROVOKED.setdefault(
        _row.code,
        f"tests/mailroom/connections/test_causes.py::test_a_server_shows_it[{_row.code}-{_row.step}]",
    )


def test_every_scene_is_about_a_cause() -> None:
    assert {row.code for row in SCENES} <= set(ENTRIES)
