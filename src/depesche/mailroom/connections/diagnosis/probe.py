"""What a server would have said elsewhere: small questions on connections of their own. Blocking, bounded.

Used after a failure, to tell one cause from another and to name a setting that works. Nothing but the first
octets of a TLS handshake is ever said.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from depesche.smtpclient import tls


def speaks_tls(host: str, port: int, *, seconds: float) -> bool:
    """Whether the server answers a ClientHello as the first thing said: TLS from the first byte (RFC 8314).

    `seconds` bounds the whole question. False where nobody answers, or in words.
    """
    deadline = time.monotonic() + seconds
    try:
        with socket.create_connection((host, port), max(seconds, 0.1)) as plain:
            plain.sendall(tls.client_hello())
            octets = b""
            while len(octets) < 2:
                plain.settimeout(max(deadline - time.monotonic(), 0.01))
                more = plain.recv(2 - len(octets))
                if not more:
                    return False
                octets += more
            return tls.looks_like_tls(octets)
    except OSError:
        return False


def first_open(host: str, ports: Sequence[int], *, seconds: float) -> int | None:
    """The first of these ports at which something listens; asked all at once."""
    if not ports:
        return None
    with ThreadPoolExecutor(len(ports), thread_name_prefix="depesche-ports") as pool:
        answers = list(pool.map(lambda port: _listens(host, port, seconds), ports))
    return next((port for port, answer in zip(ports, answers, strict=True) if answer), None)


def _listens(host: str, port: int, seconds: float) -> bool:
    try:
        with socket.create_connection((host, port), seconds):
            return True
    except OSError:
        return False
