"""The base of our management commands: one way to refuse, one way to print.

Exit codes: 0 done; 1 with one sentence on stderr; 2 wrong usage. `--json` prints one JSON
value a line, so that other programs can read a list while it is still being written.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import IO, Any, cast

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection
from django.utils import translation
from django.utils.functional import Promise
from rich.console import Console
from rich.table import Table
from rich.text import Text

from depesche.mailroom.connections.command_language import language_of


class DepescheCommand(BaseCommand):
    """A command with our exit codes and `--json`.

    Subclasses implement `add_arguments` (calling super) and `handle`; they refuse by raising CommandError
    with one sentence. A database or setting that is missing becomes such a sentence too.
    """

    requires_system_checks: list[str] | tuple[str, ...] = []
    needs_key = True  # stop when this process holds another key than the database was made with
    speaks_locale = False  # its sentences follow LC_ALL and LANG; only where it writes none of them down
    json = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        if not any(action.dest == "json" for action in parser._actions):
            self.add_json(parser)
        return parser

    @staticmethod
    def add_json(parser: argparse.ArgumentParser) -> None:
        """`--json` for a parser; sub-parsers call this too, so that the option may stand at the end."""
        parser.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="print machine-readable output"
        )

    def run_from_argv(self, argv: list[str]) -> None:
        self._called_from_command_line = True
        parser = self.create_parser(argv[0], argv[1])
        options = vars(parser.parse_args(argv[2:]))
        arguments = options.pop("args", ())
        spoken = language_of(os.environ) if self.speaks_locale and not options.get("json") else None
        try:
            with translation.override(spoken) if spoken else contextlib.nullcontext():
                self.execute(*arguments, **options)
        except CommandError as error:
            if options.get("traceback"):
                raise
            self.stderr.write(" ".join(str(error).split()), style_func=str)
            sys.exit(error.returncode)
        except BrokenPipeError:  # the reader of our output went away
            sys.exit(1)
        finally:
            connection.close()

    def execute(self, *args: Any, **options: Any) -> str | None:
        self.json = bool(options.setdefault("json", False))
        try:
            if self.needs_key:
                from depesche.mailroom.connections import secrets

                secrets.check_key()
            return super().execute(*args, **options)
        except (ImproperlyConfigured, DatabaseError) as error:
            if options.get("traceback"):
                raise
            raise CommandError(_sentence(error)) from error

    def stay(self) -> None:
        """For a command that goes on for long: what is loaded by now is no longer searched for garbage.

        A full search of a whole Django project takes 80 ms, in the middle of somebody's request or while the
        outbox holds SQLite's write lock. Nothing happens in a process that is not the command's own.
        """
        if self._called_from_command_line:
            gc.freeze()  # without a search before it: that would cost every start those 80 ms

    # --- printing -------------------------------------------------------------------------------------------

    def print_rows(self, rows: Iterable[Mapping[str, object]], columns: Sequence[str] | None = None) -> None:
        """A table for people (all columns of the first row, or those named), or one JSON object a line."""
        if self.json:
            for row in rows:
                self.print_json(row)
            return
        listed = list(rows)
        if not listed:
            return
        names = list(columns or listed[0])
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in names:
            table.add_column(name.replace("_", " "), overflow="fold")
        for row in listed:
            table.add_row(*(Text(_words(row.get(name))) for name in names))
        self.console().print(table)

    def print_object(self, values: Mapping[str, object]) -> None:
        """One JSON object, or one `key: value` a line."""
        if self.json:
            self.print_json(values)
            return
        width = max(map(len, values), default=0)
        for key, value in values.items():
            self.stdout.write(f"{key.ljust(width)}  {_words(value)}".rstrip())

    def print_json(self, value: object) -> None:
        """One JSON value in one line."""
        self.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain))
        self.stdout.flush()

    def say(self, text: str) -> None:
        """A line for a person; nothing with `--json`."""
        if not self.json:
            self.stdout.write(text)

    def console(self) -> Console:
        """A rich console on this command's stdout; as wide as the words need where nobody looks at a
        terminal.
        """
        stream = cast("IO[str]", self.stdout)
        terminal = self.stdout.isatty()
        return Console(
            file=stream,
            width=None if terminal else 240,
            soft_wrap=not terminal,
            highlight=False,
            markup=False,
        )


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


def _words(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    return str(value)


def _sentence(error: Exception) -> str:
    if isinstance(error, ImproperlyConfigured):
        return str(error)
    name = connection.settings_dict.get("NAME") or connection.vendor
    said = " ".join(str(error).split())
    if "no such table" in said or "does not exist" in said:
        return f"The database {name} is not set up yet: run 'depesche init' (or 'migrate') first."
    return f"The database {name} cannot be used: {said.rstrip('.')}."
