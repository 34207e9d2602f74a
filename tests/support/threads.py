"""The same work by several at once, as by several workers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connection


def at_once(work: Callable[[str], object], count: int = 4) -> None:
    """`work(name)` in so many threads, each with a database connection and a name of its own. Raises what
    one of them raised."""

    def run(name: str) -> None:
        try:
            work(name)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as threads:
        for one in [threads.submit(run, f"owner{number}") for number in range(count)]:
            one.result(60)
