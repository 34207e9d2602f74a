"""`depesche serve`: pages and worker, until Ctrl-C or SIGTERM."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from depesche.mailroom.connections.command import DepescheCommand
from depesche.mailroom.connections.watching.task import WatchThread
from depesche.server.processes import WorkerProcess, port_is_free, web_server


class Command(DepescheCommand):
    help = "Serve the pages and run the worker."
    with_worker = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (default 8000)")
        if self.with_worker:
            parser.add_argument("--no-worker", action="store_true", help="pages alone")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        if not port_is_free(host, port):
            raise CommandError(
                f"Port {port} on {host} is not free for this program. Choose another with --port."
            )
        worker = WorkerProcess() if self.with_worker and not options["no_worker"] else None

        def started() -> None:
            self.stdout.write(f"Depesche listens on http://{host}:{port}/")
            self.stdout.flush()

        server = web_server(host, port, on_started=started)
        self.stay()
        if worker is not None:
            worker.start()
        watch = WatchThread()  # stands by, so that somebody notices when no worker is left
        watch.start()
        try:
            server.run()
        finally:
            watch.stop()
            if worker is not None:
                worker.stop()
