"""`depesche …`: one entry for every command.

Decides before Django starts whether there is an installation to work on; the commands themselves are
Django management commands of the rooms they belong to.
"""

from __future__ import annotations

import contextlib
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
    "keystore": "trusted certificates: list, import, fetch, remove",
    "domain": "SPF, DKIM, DMARC and MX of the system address: check, keys",
    "history": "who changed what of the settings: list, restore",
    "alarms": "what is wrong, and who is told: list, show, set, test",
    "outbox": "what goes out: list, show, retry, cancel, stats",
    "inbox": "what comes in: receive, parse",
    "correspondence": "a mail from an item; rules for mails that come in; reply addresses, blocked senders",
    "reminders": "send the reminders that are due",
    "item": "items: create, comment, set, show",
    "person": "people: add",
    "workspace": "workspaces: add",
    "token": "API tokens: create, list, revoke",
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
            _make_folder_of_new_installation(environment)
            _make_key_of_new_installation(environment)
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


def _make_folder_of_new_installation(environment: Environment) -> None:
    """For its user alone: everybody's mails lie in it. A folder that is there keeps its rights."""
    if environment.uses_sqlite:
        os.makedirs(os.path.dirname(_sqlite_path(environment)), mode=0o700, exist_ok=True)


def _make_key_of_new_installation(environment: Environment) -> None:
    """A new installation gets a key. One whose key is lost does not get another: its secrets and signed
    addresses hang on the old one."""
    if environment.key_file.exists():
        return
    if _database_in_use(environment):
        raise keyfile.KeyFileError(
            f"The database is there, but its secret key is not at {environment.key_file}. Put the key file "
            "back, or name it in DEPESCHE_SECRET_KEY_FILE; a new key could not read what the old one wrote."
        )
    keyfile.create(environment.key_file)


def _database_in_use(environment: Environment) -> bool:
    """Asked before Django's settings exist, since those read the key."""
    table = "depesche_connections_installation"
    if environment.uses_sqlite:
        import sqlite3

        path = _sqlite_path(environment)
        if not os.path.exists(path):
            return False
        with contextlib.closing(sqlite3.connect(path)) as database:
            found = database.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [table]).fetchone()
            return bool(found and database.execute(f"SELECT 1 FROM {table}").fetchone())  # noqa: S608  our name
    import psycopg

    try:
        with psycopg.connect(environment.database_url, connect_timeout=10) as database_:
            (found,) = database_.execute("SELECT to_regclass(%s)", [table]).fetchone() or (None,)
            return bool(found and database_.execute(f"SELECT 1 FROM {table}").fetchone())  # noqa: S608  our name
    except psycopg.Error as error:
        raise NoInstallation(f"The database does not answer: {str(error).strip()}") from None


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

    from depesche.mailroom.connections.secrets import SecretsError, check_key

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
    except SecretsError as error:
        raise NoInstallation(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())
