"""`depesche demo`: web, worker and a mail catcher in one process, with sample people and items."""

from __future__ import annotations

import secrets
import threading
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser

from depesche.mailroom.connections import actions as connections
from depesche.mailroom.connections import queries as mail_settings
from depesche.mailroom.connections.command import DepescheCommand
from depesche.mailroom.connections.secrets import SecretsError, ensure_installation
from depesche.mailroom.outbox.worker import run_worker
from depesche.server.catcher import service as catcher_service
from depesche.server.processes import port_is_free, web_server
from depesche.server.sample import connection
from depesche.tracker.accounts import actions as accounts
from depesche.tracker.accounts import queries as people
from depesche.tracker.items import sample

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_PASSWORD = "depesche-demo"  # noqa: S105 - printed on the screen; only on this machine's loopback
_WORKER_END = 15.0  # seconds


class Command(DepescheCommand):
    help = "Try Depesche: pages, worker and a mail catcher in one process, with sample people and items."

    needs_key = False  # it makes the database that remembers the key

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--host", default="127.0.0.1", help="address of the pages (default 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port of the pages (default 8000)")
        parser.add_argument("--smtp-port", type=int, default=2525, help="port of the catcher (default 2525)")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port, smtp_port = options["host"], options["port"], options["smtp_port"]
        for address, number, option in ((host, port, "--port"), ("127.0.0.1", smtp_port, "--smtp-port")):
            if not port_is_free(address, number):
                raise CommandError(
                    f"Port {number} on {address} is not free for this program. Choose another with {option}."
                )
        environment = settings.ENVIRONMENT
        if not environment.base_url_given:
            settings.DEPESCHE_BASE_URL = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104 - compared, not bound
            settings.CSRF_TRUSTED_ORIGINS = [settings.DEPESCHE_BASE_URL]
        call_command("migrate", verbosity=0, interactive=False)
        try:
            ensure_installation()
        except SecretsError as error:
            raise CommandError(str(error)) from None
        password = _PASSWORD if host in _LOOPBACK else secrets.token_urlsafe(9)
        self._prepare(smtp_port, password)

        catcher = catcher_service.start(
            environment.home / "catcher", port=smtp_port, open_to_all=host in _LOOPBACK
        )
        stop = threading.Event()
        worker = threading.Thread(target=run_worker, args=(stop,), name="worker")
        worker.start()
        try:
            web_server(host, port, on_started=lambda: self._greet(smtp_port, password)).run()
        finally:
            stop.set()
            worker.join(_WORKER_END)
            catcher.stop()
            self.stdout.write("Stopped. Everything is kept for the next 'depesche demo'.")

    def _prepare(self, smtp_port: int, password: str) -> None:
        """Sample data into an empty database, and a connection to the catcher; no real one is touched."""
        admin = people.find_person(sample.ADMINISTRATOR)
        if admin is None:
            if people.people().exists():
                raise CommandError(
                    f"{settings.ENVIRONMENT.home} holds a real installation. "
                    "Set DEPESCHE_HOME to another folder for the demo."
                )
            self.stdout.write("Making sample people and items …")
            sample.create()
            admin = people.find_person(sample.ADMINISTRATOR)
            assert admin is not None
        if not admin.check_password(password):
            accounts.set_password(admin, password, notify=False)
        current = mail_settings.outgoing()
        if not current.host:
            connections.save_incoming({"protocol": "pipe", "plus_addressing": "on"}, by=None)
            connections.save_outgoing(connection(smtp_port), by=None)
        elif current.host == "127.0.0.1" and current.encryption == "none" and current.port != smtp_port:
            connections.save_outgoing({"port": smtp_port}, by=None)

    def _greet(self, smtp_port: int, password: str) -> None:
        base = settings.DEPESCHE_BASE_URL
        for line in (
            "",
            f"  Depesche is ready:   {base}/",
            f"  Sign in as:          {sample.ADMINISTRATOR}",
            f"  Password:            {password}",
            f"  Caught mail:         {base}/catcher/   (SMTP on 127.0.0.1:{smtp_port})",
            "",
            f"  Try: open {base}/items/{sample.EXAMPLE}, write a comment, see its mails under 'Caught mail'.",
            "       Answer one of them there: the answer appears as a comment on the item.",
            "       The mail connection is under Administration; its test shows every step.",
            "",
            "  Ctrl-C ends everything; the data stays.",
            "",
        ):
            self.stdout.write(line)
        self.stdout.flush()
