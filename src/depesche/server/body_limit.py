"""A request's body is bounded before anybody looks at it.

Django reads a body to its end, into a temporary file, before the first middleware runs: without a bound
anybody, signed in or not, could fill the disk of the server, and with it stop the mail.
"""

from __future__ import annotations

import collections.abc
from typing import Any, Final, cast

LARGEST_BODY: Final = 64 * 1024 * 1024
"""Octets: above the largest upload that a form takes (25 MB) and the largest mail, encoded."""

_REFUSAL: Final = b"413: this is larger than Depesche takes.\n"

Message = collections.abc.MutableMapping[str, Any]
Receive = collections.abc.Callable[[], collections.abc.Awaitable[Message]]
Send = collections.abc.Callable[[Message], collections.abc.Awaitable[None]]
Application = collections.abc.Callable[[Message, Receive, Send], collections.abc.Awaitable[None]]


class BodyLimit:
    """Answers 413 to a body that is announced as too large, or turns out to be, and reads no further."""

    def __init__(self, application: object, largest: int = LARGEST_BODY) -> None:
        self._application = cast("Application", application)
        self._largest = largest

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        if _announced(scope) > self._largest:
            await _refuse(send)
            return
        read = 0
        refused = False

        async def counted() -> Message:
            nonlocal read, refused
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._largest and not refused:
                refused = True
                await _refuse(send)
            # To the application it looks as if the browser had gone: it stops and answers nobody.
            return {"type": "http.disconnect"} if refused else message

        async def unless_refused(message: Message) -> None:
            if not refused:
                await send(message)

        await self._application(scope, counted, unless_refused)


def _announced(scope: Message) -> int:
    """Content-Length; 0 where it is missing or no number (chunked bodies are counted as they come)."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 20 else 0
    return 0


async def _refuse(send: Send) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(_REFUSAL)).encode()),
        (b"connection", b"close"),  # the rest of the body is not read
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": _REFUSAL})
