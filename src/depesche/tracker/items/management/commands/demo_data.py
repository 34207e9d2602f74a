"""`demo-data --people N --items M --watchers K`: sample data of a given size."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from depesche.tracker.accounts.command import TrackerCommand, refusals
from depesche.tracker.items import bulk


class Command(TrackerCommand):
    help = (
        "Sample data of a given size: person1@example.org …, items with watchers. No mail is written for it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--people", type=int, required=True, metavar="N")
        parser.add_argument("--items", type=int, default=0, metavar="M")
        parser.add_argument(
            "--watchers", type=int, default=0, metavar="K", help="of each item, beside its author"
        )
        parser.add_argument("--password-stdin", action="store_true", help="one password for all of them")
        self.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        password = self.password_from_stdin() if options["password_stdin"] else None
        with refusals():
            first, last = bulk.demo_data(
                people=options["people"],
                items=options["items"],
                watchers=options["watchers"],
                password=password,
                now=timezone.now(),
            )
        if self.json:
            self.print_json(
                {"people": options["people"], "items": options["items"], "first": first, "last": last}
            )
        self.say(
            f"{options['people']} people, {options['items']} items"
            + (f" ({first} to {last})." if last else ".")
        )
