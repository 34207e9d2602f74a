"""`outbox …` and `worker --drain` at the command line: words, JSON and exit codes."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from depesche.mailroom.outbox import queries, queue
from depesche.mailroom.outbox.queue import Recorded
from depesche.mailroom.outbox.states import State
from tests.mailroom.outbox.servers import configure, running
from tests.mailroom.outbox.working import put
from tests.support.ports import free_port

pytestmark = pytest.mark.django_db(transaction=True)


def run(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def lines(*words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*words, "--json").splitlines()]


def fail(count: int) -> None:
    claimed = queue.claim("x", count, timezone.now())
    results = [Recorded(one.id, one.attempt, State.FAILED, 550, "550 no", "rcpt") for one in claimed]
    queue.record("x", results, timezone.now())


def test_list() -> None:
    ids = put(3)
    fail(1)
    rows = lines("outbox", "list")
    assert [row["id"] for row in rows] == ids
    wanted = {
        "id",
        "message_id",
        "recipient",
        "category",
        "state",
        "attempts",
        "next_attempt_at",
        "reply",
        "item",
    }
    assert wanted <= set(rows[0])
    assert (rows[0]["state"], rows[0]["reply"], rows[0]["next_attempt_at"]) == ("failed", "550 no", None)
    assert rows[1]["next_attempt_at"] is not None
    assert [row["id"] for row in lines("outbox", "list", "--state", "queued")] == ids[1:]
    assert [row["id"] for row in lines("outbox", "list", "--limit", "2")] == ids[:2]
    assert rows[2]["recipient"] in run("outbox", "list")


def test_show() -> None:
    (one,) = put(1)
    fail(1)
    (shown,) = lines("outbox", "show", str(one))
    assert (shown["id"], shown["state"], shown["item"]) == (one, "failed", "NW-1")
    assert [(a["number"], a["outcome"], a["reply"]) for a in shown["tries"]] == [(1, "failed", "550 no")]
    assert "550 no" in run("outbox", "show", str(one))
    with pytest.raises(CommandError, match="no recipient 999999999"):
        run("outbox", "show", "999999999")


def test_retry_and_cancel() -> None:
    ids = put(4)
    fail(2)
    assert lines("outbox", "retry", str(ids[0])) == [{"changed": 1}]
    assert "1 queued again" in run("outbox", "retry", "--all-failed")
    assert lines("outbox", "cancel", str(ids[2]), str(ids[3])) == [{"changed": 2}]
    with pytest.raises(CommandError, match="state does not permit"):
        run("outbox", "cancel", str(ids[2]))
    with pytest.raises(CommandError, match="no recipient 999999999"):
        run("outbox", "retry", str(ids[0]), "999999999")
    with pytest.raises(CommandError, match="Name the ids"):
        run("outbox", "retry")


def test_stats() -> None:
    put(3)
    fail(1)
    (stats,) = lines("outbox", "stats")
    assert stats["states"] == {"queued": 2, "failed": 1}
    assert stats["remaining"] == 2
    assert "2 to go" in run("outbox", "stats")


def test_drain() -> None:
    put(5)
    with running() as server:
        configure(server.port)
        assert "5 accepted." in run("worker", "--drain")
        assert lines("worker", "--drain") == [{"accepted": 0, "reason": ""}]


def test_a_drain_that_cannot_go_on_says_why() -> None:
    put(1)
    with pytest.raises(CommandError) as without_server:
        run("worker", "--drain")
    assert str(without_server.value)
    configure(free_port())
    with pytest.raises(CommandError) as refused:
        run("worker", "--drain")
    assert str(refused.value)
    assert refused.value.returncode == 1
    assert queries.stats().states == {"queued": 1}
