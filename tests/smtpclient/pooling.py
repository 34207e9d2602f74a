"""What tests of the pool share: many messages at once, each to a recipient of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from depesche.smtpclient import Pool, Result
from depesche.smtpclient.testing import FakeServer
from tests.smtpclient.connecting import MAIL, to


async def until(true: Callable[[], bool]) -> None:
    """Wait for a condition, not for a time."""
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.002)


def recipient(number: int) -> str:
    return f"r{number}@example.org"


async def submit(pool: Pool, count: int, *, first: int = 0) -> list[Result | BaseException]:
    futures = [pool.submit_nowait(to(recipient(number)), MAIL) for number in range(first, first + count)]
    async with asyncio.timeout(60):
        return await asyncio.gather(*futures, return_exceptions=True)


def accepted(results: list[Result | BaseException]) -> bool:
    return all(isinstance(result, Result) and result.accepted for result in results)


def once_each(server: FakeServer, count: int) -> bool:
    return sorted(m.recipients[0] for m in server.messages) == sorted(recipient(n) for n in range(count))
