"""`reminders run`: the reminders that are due."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from depesche.tracker.accounts.command import TrackerCommand
from depesche.tracker.notifications import reminders


class Command(TrackerCommand):
    help = "Reminders of open items, due soon or overdue: one mail a person and day. The worker does it too."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_subparsers(dest="what", required=True, metavar="run")
        run = what.add_parser("run", help="write the reminders of the day that have not gone out yet")
        run.add_argument("--now", type=_moment, metavar="ISO-TIME", help="as if it were this time")
        self.add_json(run)

    def handle(self, *args: Any, **options: Any) -> None:
        now = options["now"] or timezone.now()
        written = reminders.remind(now=now)
        if self.json:
            self.print_json({"day": timezone.localdate(now), "reminders": written})
        self.say(f"{written} reminders for {timezone.localdate(now)} are in the outbox.")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no time such as 2026-12-24T07:00:00+00:00") from None
    if not 1970 <= moment.year < 9000:  # no room left to reckon with lead times
        raise argparse.ArgumentTypeError(f"{text} is too far away")
    return moment if moment.tzinfo else timezone.make_aware(moment)
