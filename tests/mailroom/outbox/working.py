"""The worker as tests run it: in a thread, or until nothing is due."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone

from depesche.mailroom.outbox import queries
from depesche.mailroom.outbox.categories import Category
from depesche.mailroom.outbox.worker import Drained, drain, run_worker
from tests.mailroom.outbox.helpers import enqueue


def put(count: int = 1, category: Category = Category.NOTICE, **kinds: object) -> list[int]:
    """Mails that are due now; the recipients' ids."""
    return enqueue(count, category, timezone.now(), **kinds)


def states() -> dict[str, int]:
    """How many recipients are in each state."""
    return queries.stats().states


def work() -> Drained:
    """Work until nothing is due."""
    return drain(threading.Event())


@contextmanager
def worker() -> Iterator[threading.Event]:
    """A worker in a thread, as the demo runs it; the event stops it."""
    stop = threading.Event()
    thread = threading.Thread(target=run_worker, args=(stop,))
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()
