"""`depesche inbox receive|parse`: take raw mails, or read them without any effect.

`receive` may stand in a mail server's configuration, so its exit code is a promise: 0 says that the mail is
stored durably and the mail server may forget it, 75 that it must keep it and try again. There is no other.
"""

from __future__ import annotations

import gc
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from depesche.mailroom.connections import queries
from depesche.mailroom.connections.command import DepescheCommand
from depesche.mailroom.inbox import intake, processing, reader
from depesche.mailroom.inbox.handlers import Handled
from depesche.mailroom.inbox.models import Outcome

EX_TEMPFAIL: Final = 75  # sysexits.h: the MTA keeps the mail and tries again
_OTHERS_WORK: Final = (
    5.0  # seconds for which the outcome is waited for where somebody else processes the mail
)

_BATCH: Final = 10  # mails stored with one commit …
_BATCH_OCTETS: Final = 8 * 1024 * 1024  # … or so many octets

logger = logging.getLogger(__name__)


class _Patient(CommandParser):
    """Wrong usage of `receive` exits 75 too: with 2 an MTA would bounce the mail of somebody who did nothing
    wrong.
    """

    patient = True

    def error(self, message: str) -> NoReturn:
        self.exit(EX_TEMPFAIL if self.patient else 2, f"{self.format_usage()}{self.prog}: {message}\n")


class Command(DepescheCommand):
    help = "Take raw mails (also as a pipe from a mail server), or read them without any effect."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        verbs = parser.add_subparsers(
            dest="verb", required=True, parser_class=_Patient, metavar="receive|parse"
        )
        receive = verbs.add_parser("receive", help="store and process mails; exit 0 once stored, else 75")
        receive.add_argument("files", nargs="+", metavar="FILE", help="a file with a raw mail; - for stdin")
        receive.add_argument("--recipient", default="", metavar="ADDR", help="the envelope's recipient")
        receive.add_argument("--sender", default=None, metavar="ADDR", help="the envelope's sender")
        receive.add_argument(
            "--mailbox", default=None, metavar="NAME", help="the mailbox that the pipe stands for"
        )
        parse = verbs.add_parser("parse", help="say how mails are read, without any effect")
        parse.add_argument("files", nargs="+", metavar="FILE", help="a file with a raw mail; - for stdin")
        parse.patient = False
        for verb in (receive, parse):
            self.add_json(verb)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "parse":
            self._parse(options["files"])
        else:
            self._receive(options)

    # --- receive --------------------------------------------------------------------------------------------

    def _receive(self, options: dict[str, Any]) -> None:
        problems: list[str] = []
        place = _place(options["mailbox"])

        def store(name: str, raw: bytes) -> intake.Stored:
            return intake.store(
                raw,
                source="pipe" if name == "-" else "file",
                envelope_sender=options["sender"],
                envelope_recipient=options["recipient"],
                mailbox=place,
                claim=True,
                now=timezone.now(),
            )

        if len(options["files"]) > 1:
            self.stay()
            gc.set_threshold(50_000, 20, 100)
        for batch in _batches(options["files"], problems):
            # Stored: from here on nothing may make the mail server try again.
            for name, stored in _stored(batch, store, problems):
                self._tell(name, _outcome(stored))
        if problems:
            raise CommandError(" ".join(problems), returncode=EX_TEMPFAIL)

    def _tell(self, name: str, handled: Handled) -> None:
        outcome = str(handled.outcome) or "waiting"
        try:
            if self.json:
                self._line(
                    file=name,
                    outcome=outcome,
                    reason=str(handled.reason),
                    item=handled.item or None,
                    comment=handled.comment,
                    text=handled.text,
                )
            elif name != "-":
                what = " ".join(part for part in (outcome, handled.item, handled.reason) if part)
                self.stdout.write(f"{name}: {what}")
        except OSError:  # nobody listens any more; the mail is stored all the same
            logger.info("%s: %s", name, outcome)

    # --- parse ----------------------------------------------------------------------------------------------

    def _parse(self, files: list[str]) -> None:
        problems: list[str] = []
        for name in files:
            try:
                reading = reader.read(_octets(name))
            except CommandError as error:
                problems.append(str(error))
                continue
            except reader.Unreadable as error:
                defect = processing.NOT_READ[error.trouble]
                self._unread(name, defect)
                continue
            if self.json:
                self._line(file=name, **reading.as_json())
                continue
            self.stdout.write(f"{name}: {reading.kind.value} ({reading.reason})")
            for one in reading.reports:
                line = f"  {one.action.value} {one.recipient or '?'} {one.status or ''}"
                self.stdout.write(line.rstrip())
            self.stdout.write("\n".join(f"  {line}" for line in reading.text.splitlines()))
        if problems:
            raise CommandError(" ".join(problems))

    def _unread(self, name: str, defect: str) -> None:
        if self.json:
            self._line(file=name, kind="personal", reason="", text="", cut="", reports=[], defects=[defect])
        else:
            self.stdout.write(f"{name}: {defect}")

    def _line(self, **values: Any) -> None:
        # Half a surrogate, which a mail may contain, is no UTF-8.
        line = json.dumps(values, ensure_ascii=False).encode("utf-8", "replace").decode()
        self.stdout.write(line)
        self.stdout.flush()


_Mails = list[tuple[str, bytes]]


def _batches(names: list[str], problems: list[str]) -> Iterator[_Mails]:
    """The mails that are stored with one commit, as far as they can be read."""
    batch: _Mails = []
    for name in names:
        try:
            batch.append((name, _octets(name)))
        except CommandError as error:
            problems.append(str(error))
        if len(batch) >= _BATCH or sum(len(raw) for _name, raw in batch) >= _BATCH_OCTETS:
            yield batch
            batch = []
    if batch:
        yield batch


def _stored(
    batch: _Mails, store: Callable[[str, bytes], intake.Stored], problems: list[str]
) -> list[tuple[str, intake.Stored]]:
    """All of them in one transaction; where that fails, each in one of its own."""
    if len(batch) > 1:
        try:
            with transaction.atomic():
                return [(name, store(name, raw)) for name, raw in batch]
        except Exception as error:
            logger.info("A batch could not be stored at once: %s", error)
            connection.close()
    done = []
    for name, raw in batch:
        try:
            done.append((name, store(name, raw)))
        except Exception as error:
            # Whatever stopped us from storing it: the mail server still has the mail. Others go on.
            problems.append(f"{name} was not stored: {_words(error)}")
            connection.close()
    return done


def _place(name: str | None) -> int:
    """A mailbox that does not exist must not keep anybody's mail out: it counts as the first."""
    if name is None:
        return 0
    try:
        found = queries.mailbox_named(name)
    except DatabaseError as error:  # nothing can be stored either
        raise CommandError(f"Nothing was stored: {_words(error)}", returncode=EX_TEMPFAIL) from None
    if found is None:
        logger.warning("There is no mailbox %r; what comes in counts as come by the first one.", name)
    return found.place if found is not None else 0


def _octets(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a zero octet in the name
        words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CommandError(f"{name} cannot be read: {words}.") from None


def _outcome(stored: intake.Stored) -> Handled:
    """What became of a stored mail; WAITING where that is left to a worker. Never raises."""
    deadline = time.monotonic() + _OTHERS_WORK
    try:
        handled = processing.process(stored.id, claim=stored.claim)
        while handled.outcome == Outcome.WAITING and not stored.new and time.monotonic() < deadline:
            time.sleep(0.05)  # it came twice at the same moment, and a worker or another pipe has it
            handled = processing.process(stored.id)
    except Exception as error:
        logger.exception("received mail %s is stored, but not processed yet", stored.id)
        connection.close()
        return Handled(Outcome.WAITING, f"Stored, and processed later: {_words(error)}")
    return handled


def _words(error: Exception) -> str:
    said = " ".join(str(error).split()).rstrip(".")
    return f"{said}." if isinstance(error, DatabaseError) and said else f"{type(error).__name__}."
