"""`worker [--drain]`: plans notices, submits, polls mailboxes, sends reminders."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from types import FrameType
from typing import Any

from django.core.management.base import CommandError, CommandParser

from depesche.mailroom.connections.command import DepescheCommand
from depesche.mailroom.outbox.worker import Progress, drain, run_worker
from depesche.mailroom.pages import checks

_NICENESS = 5


class Command(DepescheCommand):
    help = "Submit mails and run what goes on by itself, until SIGTERM; with --drain until nothing is due."

    requires_system_checks = (checks.TAG,)  # better not to start than to lose a mail

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--drain", action="store_true", help="work until nothing is due, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        self.stay()

        def end(number: int, frame: FrameType | None) -> None:
            stop.set()

        before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            if options["drain"]:
                self._drain(stop)
            else:
                with contextlib.suppress(OSError):
                    os.nice(_NICENESS)  # on a machine that serves pages too, people come before batches
                run_worker(stop)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _drain(self, stop: threading.Event) -> None:
        shows = self.stdout.isatty() and not self.json

        def progress(now: Progress) -> None:
            if shows:
                end = f", about {now.remaining / now.rate:.0f} s left" if now.rate > 1 else ""
                self.stdout.write(
                    f"\r{now.accepted} accepted, {now.remaining} to go, {now.rate:.0f}/s{end}\x1b[K",
                    ending="",
                )
                self.stdout.flush()

        drained = drain(stop, progress=progress)
        if shows:
            self.stdout.write("\r\x1b[K", ending="")
        if self.json:
            self.print_json({"accepted": drained.accepted, "reason": drained.reason})
        else:
            self.say(f"{drained.accepted} accepted.")
        if drained.reason:
            raise CommandError(drained.reason)
