"""Nobody fills the disk with one request: bodies are bounded before Django writes them to a file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

from depesche.server.body_limit import BodyLimit


class Application:
    """Reads the whole body, as Django does, and answers 200 with its size."""

    def __init__(self) -> None:
        self.most = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            self.most += len(message["body"])
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(self.most).encode()})


def status_of(limit: BodyLimit, chunks: Iterable[bytes], headers: Mapping[bytes, bytes]) -> list[int]:
    waiting: Iterator[bytes] = iter(chunks)
    sent: list[int] = []

    async def receive() -> dict[str, Any]:
        chunk = next(waiting, None)
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            sent.append(message["status"])

    asyncio.run(limit({"type": "http", "headers": list(headers.items())}, receive, send))
    return sent


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_large_is_refused_and_not_read_to_its_end(announced: bool) -> None:
    application = Application()
    headers = {b"content-length": b"1000"} if announced else {}
    assert status_of(BodyLimit(application, 100), (b"x" * 10 for _ in range(100)), headers) == [413]
    assert application.most <= (0 if announced else 100)


@pytest.mark.parametrize("length", [b"", b"-1", b"x", b"9" * 40])
def test_a_length_that_lies_does_not_help(length: bytes) -> None:
    found = status_of(BodyLimit(Application(), 100), [b"x" * 60] * 5, {b"content-length": length})
    assert found == [413]


def test_what_fits_passes() -> None:
    application = Application()
    assert status_of(BodyLimit(application, 100), [b"x" * 50, b"y" * 50], {b"content-length": b"100"}) == [
        200
    ]
    assert application.most == 100
