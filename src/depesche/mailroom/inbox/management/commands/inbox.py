"""`depesche inbox receive|parse`: take raw mails, or read them without any effect."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from depesche.mailformat.reading import read
from depesche.mailroom.connections.command import DepescheCommand
from depesche.mailroom.inbox import intake, processing

EX_TEMPFAIL = 75  # sysexits.h: the MTA keeps the mail and tries again


class _Patient(CommandParser):
    """Wrong usage exits 75 too: with 2 an MTA would bounce the mail of somebody who did nothing wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(EX_TEMPFAIL, f"{self.format_usage()}{self.prog}: {message}\n")


class Command(DepescheCommand):
    help = "Take raw mails (also as a pipe from a mail server), or read them without any effect."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        verbs = parser.add_subparsers(dest="verb", required=True, parser_class=_Patient)
        receive = verbs.add_parser("receive", help="store and process mails; exit 0 once stored, else 75")
        receive.add_argument("files", nargs="+", metavar="FILE", help="a file with a raw mail; - for stdin")
        receive.add_argument("--recipient", default="", metavar="ADDR", help="the envelope's recipient")
        receive.add_argument("--sender", default=None, metavar="ADDR", help="the envelope's sender")
        parse = verbs.add_parser("parse", help="say how mails are read, without any effect")
        parse.add_argument("files", nargs="+", metavar="FILE", help="a file with a raw mail; - for stdin")
        for verb in (receive, parse):
            self.add_json(verb)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "parse":
            self._parse(options["files"])
            return
        try:
            self._receive(options)
        except CommandError as error:
            raise CommandError(str(error), returncode=EX_TEMPFAIL) from None
        except Exception as error:
            # Whatever stopped us from storing it: the mail server still has the mail.
            raise CommandError(f"{type(error).__name__}: {error}", returncode=EX_TEMPFAIL) from error

    def _receive(self, options: dict[str, Any]) -> None:
        for name, raw in _mails(options["files"]):
            stored = intake.store(
                raw,
                source="pipe" if name == "-" else "file",
                envelope_sender=options["sender"],
                envelope_recipient=options["recipient"],
                now=timezone.now(),
            )
            # Stored: from here on nothing may make the mail server try again.
            handled = processing.process(stored.id)
            outcome = str(handled.outcome) or "waiting"
            if self.json:
                self._line(
                    file=name,
                    outcome=outcome,
                    reason=handled.reason,
                    item=handled.item or None,
                    comment=handled.comment,
                    text=handled.text,
                )
            elif name != "-":
                what = " ".join(part for part in (outcome, handled.item, handled.reason) if part)
                self.stdout.write(f"{name}: {what}")

    def _parse(self, files: list[str]) -> None:
        for name, raw in _mails(files):
            reading = read(raw)
            if self.json:
                self._line(file=name, **reading.as_json())
                continue
            self.stdout.write(f"{name}: {reading.kind.value} ({reading.reason})")
            for one in reading.reports:
                line = f"  {one.action.value} {one.recipient or '?'} {one.status or ''}"
                self.stdout.write(line.rstrip())
            self.stdout.write("\n".join(f"  {line}" for line in reading.text.splitlines()))

    def _line(self, **values: Any) -> None:
        self.stdout.write(json.dumps(values, ensure_ascii=False))


def _mails(files: list[str]) -> Iterator[tuple[str, bytes]]:
    for name in files:
        try:
            yield name, sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        except OSError as error:
            raise CommandError(f"{name} cannot be read: {error.strerror}.") from None
