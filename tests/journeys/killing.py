"""Workers that are killed in the middle of their work, and what must be true afterwards."""

from __future__ import annotations

from collections import deque
from functools import partial

from depesche.smtpclient.testing.server import FakeServer
from tests.support.processes import Instance, Program
from tests.support.waiting import wait_until


def killed_again_and_again(
    instance: Instance, server: FakeServer, *, kills: int, between: int
) -> deque[Program]:
    """Two workers; each time that `between` more mails have arrived, the older one is killed and a new one
    begins. Those that live at the end."""
    workers: deque[Program] = deque(instance.start("worker") for _ in range(2))
    for _ in range(kills):
        wait_until(
            partial(_has, server, len(server.messages) + between), "mails between two kills", timeout=60
        )
        workers.popleft().kill()
        workers.append(instance.start("worker"))
    return workers


def _has(server: FakeServer, count: int) -> bool:
    return len(server.messages) >= count


def settled(instance: Instance, count: int) -> bool:
    """All accepted; what is uncertain goes again at once, as a person would want it."""
    states = instance.json("outbox", "stats")["states"]
    if doubtful := instance.json_lines("outbox", "list", "--state", "uncertain"):
        instance.run("outbox", "retry", *[str(row["id"]) for row in doubtful], status=None)
    return bool(states == {"accepted": count})
