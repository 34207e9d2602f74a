"""`worker [--drain]`: plans notices, submits, polls mailboxes, sends reminders."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import translation
from django.utils.translation import gettext as _

from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections.command import DepescheCommand
from depesche.mailroom.connections.command_language import language_of
from depesche.mailroom.connections.diagnosis.pauses import reason_of_pause
from depesche.mailroom.connections.queries import Flow
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
        spoken = settings.LANGUAGE_CODE if self.json else language_of(os.environ)
        shows = self.stdout.isatty() and not self.json

        def progress(now: Progress) -> None:
            if shows:
                with translation.override(spoken):
                    self.stdout.write(f"\r{_progress_in_words(now)}\x1b[K", ending="")
                self.stdout.flush()

        drained = drain(stop, progress=progress)
        if shows:
            self.stdout.write("\r\x1b[K", ending="")
        if self.json:
            self.print_json({"accepted": drained.accepted, "reason": drained.reason})
        else:
            with translation.override(spoken):
                self.say(_("%(count)d accepted.") % {"count": drained.accepted})
        if drained.reason:
            raise CommandError(_reason(drained.reason, spoken))


def _progress_in_words(now: Progress) -> str:
    facts = {"accepted": now.accepted, "remaining": now.remaining, "rate": f"{now.rate:.0f}"}
    said = _("%(accepted)d accepted, %(remaining)d to go, %(rate)s/s") % facts
    if now.rate <= 1:
        return said
    return said + _(", about %(seconds)d s left") % {"seconds": round(now.remaining / now.rate)}


def _reason(told: str, language: str) -> str:
    """Why mails are left, in the language of the person at the terminal. The work itself goes on in that of
    the installation: what it writes down is not for this person alone."""
    health = connections.health()
    if health.flow is Flow.FLOWING or reason_of_pause(health) != told:
        return told
    with translation.override(language):
        return reason_of_pause(health)
