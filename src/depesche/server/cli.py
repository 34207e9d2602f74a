"""`depesche …`: one entry for every command (interfaces.md, "Command line").

Decides before Django starts whether there is an installation to work on; the commands themselves are
Django management commands of the rooms they belong to.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from depesche.server import keyfile
from depesche.server.environment import BadEnvironment, Environment

EX_TEMPFAIL = 75  # sysexits.h: an MTA keeps the mail and tries again; 1 or 2 would bounce it

# Name at the command line -> management command, where Django already has one of that name or Python
# forbids it as a module's.
_RENAMED = {"check": "checkup", "demo-data": "demo_data"}

COMMANDS: dict[str, str] = {
    "init": "create or migrate the database; safe to repeat",
    "serve": "web pages and worker",
    "web": "web pages alone",
    "worker": "plan notices, submit, poll mailboxes, send reminders",
    "demo": "everything at once, with sample data and a built-in mail catcher",
    "connection": "the outgoing connection: show, set, test",
    "mailbox": "the incoming mailbox: show, set, test, poll",
    "keystore": "trusted certificates: list, import, remove",
    "outbox": "what goes out: list, show, retry, cancel, stats",
    "inbox": "what comes in: receive, parse",
    "reminders": "send the reminders that are due",
    "item": "items: create, comment, set, show",
    "person": "people: add",
    "workspace": "workspaces: add",
    "demo-data": "sample data of a given size",
    "check": "configuration and health, with remedies",
}
_MAKES_INSTALLATION = {"init", "demo"}


def usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {what}" for name, what in COMMANDS.items()]
    return "\n".join(
        ["usage: depesche COMMAND …", "", *lines, "", "'depesche COMMAND --help' tells more of each."]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0 done, 1 an error in one sentence, 2 wrong usage."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments in (["--version"], ["version"]):
        print(f"depesche {version('depesche')}")
        return 0
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(usage())
        return 0 if arguments else 2
    name = arguments[0]
    temporary = name == "inbox" and arguments[1:2] == ["receive"]
    if name not in COMMANDS:
        print(f"depesche: there is no command '{name}'.\n\n{usage()}", file=sys.stderr)
        return 2
    try:
        code = _run(name, arguments[1:])
    except KeyboardInterrupt:
        code = 130
    except Exception as error:
        if not temporary:
            raise
        print(f"depesche: {error}", file=sys.stderr)
        code = EX_TEMPFAIL
    return EX_TEMPFAIL if temporary and code else code


def _run(name: str, arguments: list[str]) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "depesche.server.settings")
    wants_help = "--help" in arguments or "-h" in arguments
    try:
        environment = Environment.read()
        if name in _MAKES_INSTALLATION and not wants_help:
            keyfile.create(environment.key_file)
        elif not wants_help:
            _require_installation(environment)
        import django

        django.setup()
        if name not in _MAKES_INSTALLATION and not wants_help:
            _require_database()
    except (BadEnvironment, keyfile.KeyFileError, NoInstallation, OSError) as error:
        print(f"depesche: {error}", file=sys.stderr)
        return 1
    from django.core.management import ManagementUtility

    try:
        ManagementUtility(["depesche", _RENAMED.get(name, name), *arguments]).execute()
    except SystemExit as stop:
        if stop.code is None or isinstance(stop.code, int):
            return stop.code or 0
        print(stop.code, file=sys.stderr)
        return 1
    return 0


class NoInstallation(Exception):
    """There is nothing to work on; the text names the path that was looked at."""


def _require_installation(environment: Environment) -> None:
    if environment.uses_sqlite and not os.path.exists(_sqlite_path(environment)):
        raise NoInstallation(
            f"No database at {_sqlite_path(environment)}. Run 'depesche init' once, "
            "or set DEPESCHE_HOME to the folder of your installation."
        )
    keyfile.read(environment.key_file)


def _sqlite_path(environment: Environment) -> str:
    from depesche.server.environment import database_settings

    return str(database_settings(environment)["NAME"])


def _require_database() -> None:
    """The database answers, has every table, and was made with this key."""
    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor

    from depesche.mailroom.connections.secrets import KeyMismatch, check_key

    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise NoInstallation(f"The database does not answer: {str(error).strip()}") from None
    if plan:
        raise NoInstallation(
            "The database is empty or older than this version. Run 'depesche init': it keeps what is there."
        )
    try:
        check_key()
    except KeyMismatch as error:
        raise NoInstallation(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())
