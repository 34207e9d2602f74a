"""From a name and a port to a connected socket: every address is tried, and every failure is kept.

Attempts start one after the other, 250 ms apart or as soon as one fails (RFC 8305, simplified), so that a
dead IPv6 route does not cost the whole timeout. Names are looked up in a thread of our own that nobody waits
for at exit: a name service that hangs must not hold up a shutdown.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import threading
from collections.abc import Sequence
from typing import Any

from depesche.smtpclient.errors import Cause, Stage, SubmissionError

_HEAD_START = 0.25

Address = tuple[int, int, int, str, Any]

_CAUSES = {
    errno.ECONNREFUSED: Cause.REFUSED,
    errno.ENETUNREACH: Cause.NO_ROUTE,
    errno.EHOSTUNREACH: Cause.NO_ROUTE,
    errno.EADDRNOTAVAIL: Cause.NO_ROUTE,
    errno.EACCES: Cause.NO_ROUTE,
    errno.EPERM: Cause.NO_ROUTE,
    errno.EAFNOSUPPORT: Cause.NO_ROUTE,
    errno.EINVAL: Cause.NO_ROUTE,
    errno.ETIMEDOUT: Cause.TIMEOUT,
}
# When several addresses failed differently, the most telling failure is the cause.
_TELLING = (Cause.REFUSED, Cause.TIMEOUT, Cause.NETWORK, Cause.NO_ROUTE)

_UNKNOWN_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


async def resolve(host: str, port: int, *, seconds: float) -> Sequence[Address]:
    """All addresses of the host, in the system's order. Raises SubmissionError (RESOLVE)."""
    with contextlib.suppress(OSError):  # an address needs no name service
        numeric = socket.AI_NUMERICHOST
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=numeric)
    try:
        async with asyncio.timeout(seconds):
            return await _look_up(host, port)
    except TimeoutError as error:
        raise SubmissionError(Stage.RESOLVE, Cause.NAME_LOOKUP_FAILED, detail=host) from error
    except socket.gaierror as error:
        known = error.errno in _UNKNOWN_NAME
        cause = Cause.NAME_NOT_FOUND if known else Cause.NAME_LOOKUP_FAILED
        raise SubmissionError(Stage.RESOLVE, cause, detail=host) from error
    except (OSError, UnicodeError) as error:
        raise SubmissionError(Stage.RESOLVE, Cause.NAME_LOOKUP_FAILED, detail=host) from error


async def _look_up(host: str, port: int) -> Sequence[Address]:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Sequence[Address]] = loop.create_future()

    def settle(found: Sequence[Address] | None, error: BaseException | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(found or [])

    def work() -> None:
        found: Sequence[Address] | None = None
        failed: BaseException | None = None
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except Exception as error:
            failed = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, found, failed)

    threading.Thread(target=work, name="depesche-resolve", daemon=True).start()
    return await answer


async def connect(addresses: Sequence[Address], *, seconds: float) -> socket.socket:
    """A connected, non-blocking socket to the first address that answers. Raises SubmissionError
    (CONNECT)."""
    failures: list[tuple[Address, OSError | None]] = []
    attempts: set[asyncio.Task[socket.socket]] = set()
    belongs: dict[asyncio.Task[socket.socket], Address] = {}
    waiting = list(addresses)
    connected: socket.socket | None = None
    try:
        async with asyncio.timeout(seconds):
            while connected is None and (waiting or attempts):
                if waiting:
                    address = waiting.pop(0)
                    task = asyncio.ensure_future(_attempt(address))
                    attempts.add(task)
                    belongs[task] = address
                done, attempts = await asyncio.wait(
                    attempts,
                    timeout=_HEAD_START if waiting else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for task in done:
                    error = task.exception()
                    if error is None:
                        if connected is None:
                            connected = task.result()
                        else:
                            task.result().close()
                    elif isinstance(error, OSError):
                        failures.append((belongs[task], error))
                    else:
                        raise error
    except TimeoutError:
        failures += [(belongs[task], None) for task in attempts]
    finally:
        await _abandon(attempts)
    if connected is not None:
        return connected
    raise _explain(failures)


async def _attempt(address: Address) -> socket.socket:
    family, kind, protocol, _, target = address
    made = socket.socket(family, kind, protocol)
    try:
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, target)
    except BaseException:
        made.close()
        raise
    return made


async def _abandon(attempts: set[asyncio.Task[socket.socket]]) -> None:
    for task in attempts:
        task.cancel()
    for task in attempts:
        with contextlib.suppress(asyncio.CancelledError, OSError):
            (await task).close()


def _words(error: OSError) -> str:
    """The system's: those of asyncio repeat the address as a Python tuple."""
    number = error.errno or 0
    return os.strerror(number) if number > 0 else str(error)


def _explain(failures: list[tuple[Address, OSError | None]]) -> SubmissionError:
    causes, details = [], []
    for address, error in failures:
        cause = Cause.TIMEOUT if error is None else _CAUSES.get(error.errno or 0, Cause.NETWORK)
        causes.append(cause)
        host, port = address[4][:2]
        why = "no answer in time" if error is None else _words(error)
        details.append(f"{f'[{host}]' if ':' in host else host}:{port}: {why}")
    cause = next((cause for cause in _TELLING if cause in causes), Cause.NETWORK)
    return SubmissionError(Stage.CONNECT, cause, detail="; ".join(details))
