"""Running the parts of the server: the web in this process, the worker in a child of its own.

The worker has its own process, so that a large batch never shares an interpreter with the pages.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn

_DRAIN = 15.0  # seconds: the worker drains for 10 s and is then cut
_RESTART_PAUSE = 2.0


class WebServer(uvicorn.Server):
    """uvicorn, but a signal only asks it to stop: uvicorn itself would raise the signal again before the
    rest of the process has wound down."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit  # a second signal does not wait for open requests
        self.should_exit = True


def web_server(host: str, port: int, *, on_started: Callable[[], None] | None = None) -> WebServer:
    """A web server for the ASGI application, with all its pages loaded, not yet running. `on_started` is
    called once it listens.
    """
    from django.urls import get_resolver

    from depesche.server.asgi import application

    get_resolver().url_patterns  # noqa: B018  the first request would load them, while somebody waits
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        lifespan="off",
        log_config=None,
        access_log=False,
        # Who is on the other side of a web server on this machine: without it all people would share the
        # limits of one IP address. FORWARDED_ALLOW_IPS names web servers elsewhere; others are not believed.
        proxy_headers=True,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    server = WebServer(config)
    if on_started is not None:
        _call_when_started(server, on_started)
    return server


def _call_when_started(server: WebServer, on_started: Callable[[], None]) -> None:
    startup = server.startup

    async def startup_then_call(sockets: list[socket.socket] | None = None) -> None:
        await startup(sockets=sockets)
        if server.started:
            on_started()

    server.startup = startup_then_call  # type: ignore[method-assign]  # uvicorn has no hook without lifespan


def port_is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError):  # OverflowError: no port has such a number
            return False
    return True


class WorkerProcess:
    """`depesche worker` as a child that is started again when it dies, and never outlives this process."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._watch, name="worker-process", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _watch(self) -> None:
        while not self._stopping.is_set():
            with self._lock:
                if self._stopping.is_set():
                    return
                # The child reads this pipe: when we die, however suddenly, it ends, and the child drains.
                self._child = subprocess.Popen(
                    [sys.executable, "-m", "depesche.server.worker_child"],
                    stdin=subprocess.PIPE,
                    start_new_session=True,  # Ctrl-C reaches this process alone; it stops the child itself
                )
            code = self._child.wait()
            if not self._stopping.is_set():
                print(f"depesche: the worker ended with code {code} and is started again.", file=sys.stderr)
                self._stopping.wait(_RESTART_PAUSE)

    def stop(self) -> None:
        """Let the worker drain, then end it."""
        self._stopping.set()
        with self._lock:
            child = self._child
        if child is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGTERM)
        try:
            child.wait(_DRAIN)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        self._thread.join(_RESTART_PAUSE)
