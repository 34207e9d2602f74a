"""A TCP proxy in front of a server on this machine: it hands on what the server says in small pieces, and is
cut or falls silent when a test wants that."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from types import TracebackType
from typing import Self


class TcpProxy:
    """`port` leads to the server's port. `piece`: octets of the server's that go out at a time, 0 for all."""

    def __init__(self, port: int, *, piece: int = 0) -> None:
        self._to = port
        self._piece = piece
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._silent = threading.Event()
        self._ends = threading.Event()
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.set()
        self.cut()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def cut(self) -> None:
        """Close every connection, without a word."""
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def fall_silent(self) -> None:
        """From now on nothing passes, in either direction; the connections stay."""
        self._silent.set()

    def _accept(self) -> None:
        while not self._ends.is_set():
            if not select.select([self._listener], [], [], 0.1)[0]:
                continue
            client, _ = self._listener.accept()
            thread = threading.Thread(target=self._pass, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _pass(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._to)) as server:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open += [client, server]
            with contextlib.suppress(OSError, ValueError):
                while not self._ends.is_set():
                    for one in select.select([client, server], [], [], 0.1)[0]:
                        if self._silent.is_set():
                            continue
                        octets = one.recv(65536)
                        if not octets:
                            return
                        if one is client:
                            server.sendall(octets)
                        else:
                            self._in_pieces(client, octets)

    def _in_pieces(self, client: socket.socket, octets: bytes) -> None:
        step = self._piece or len(octets)
        for start in range(0, len(octets), step):
            client.sendall(octets[start : start + step])
            if self._piece:
                self._ends.wait(0.001)  # so that each piece is a segment of its own
