"""`depesche init`: make or migrate the database. Safe to repeat: nothing that is there is lost."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser

from depesche.mailroom.connections.command import DepescheCommand
from depesche.mailroom.connections.secrets import SecretsError, ensure_installation
from depesche.tracker.accounts import actions as accounts
from depesche.tracker.accounts import queries as people
from depesche.tracker.items import actions as items
from depesche.tracker.items import queries as tracker


class Command(DepescheCommand):
    help = "Create or migrate the database of this installation, and its secret key. Safe to repeat."

    needs_key = False  # it makes the database that remembers the key

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--admin", metavar="EMAIL", help="add an administrator with this address")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the administrator's password from standard input (else it is set by a welcome mail)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        environment = settings.ENVIRONMENT
        call_command("migrate", verbosity=0, interactive=False)
        try:
            ensure_installation()
        except SecretsError as error:
            raise CommandError(str(error)) from None
        if not tracker.all_workspaces().exists():
            items.create_workspace("Main", key="MAIN", is_default=True)
        if options["admin"]:
            self._add_administrator(options["admin"], password_from_stdin=options["password_stdin"])
        where = (
            environment.sqlite_path if environment.uses_sqlite else "the database at DEPESCHE_DATABASE_URL"
        )
        self.stdout.write(f"Ready: {where}, secret key {environment.key_file}.")
        self.stdout.write("Start with 'depesche serve'.")

    def _add_administrator(self, email: str, *, password_from_stdin: bool) -> None:
        password = sys.stdin.readline().rstrip("\r\n") if password_from_stdin else None
        if password_from_stdin and not password:
            raise CommandError("--password-stdin was given, but standard input held no password.")
        if people.find_person(email) is not None:
            self.stdout.write(f"{email} is there already.")
            return
        try:
            person = accounts.create_person(email, email.partition("@")[0], is_admin=True, password=password)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        for workspace in tracker.all_workspaces():
            items.add_members(workspace, [person])
        self.stdout.write(f"Added the administrator {email}.")
