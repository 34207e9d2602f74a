"""`depesche history list | restore ID`: who changed what of the settings, and the way back."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from depesche.mailroom.connections.actions import InvalidSettings
from depesche.mailroom.connections.command_line import SettingsCommand
from depesche.mailroom.connections.history import queries, restoring
from depesche.mailroom.connections.history.models import Area
from depesche.mailroom.connections.history.queries import Difference
from depesche.mailroom.connections.history.representation import change_shown


class Command(SettingsCommand):
    help = "List the changes of the settings; restore settings that were in force before."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        ways = parser.add_subparsers(dest="what", required=True, metavar="list|restore")
        listing = ways.add_parser("list", help="the newest changes first; of secrets only that they changed")
        listing.add_argument("--area", choices=Area.values, default="", help="only changes of this")
        listing.add_argument("--limit", type=int, default=50, metavar="N", help="at most N (default 50)")
        back = ways.add_parser("restore", help="save the settings as they were after this change")
        back.add_argument("id", type=int, metavar="ID")
        self.add_password_options(back)
        for way in (listing, back):
            self.add_json(way)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "list":
            self.print_rows(
                {**change_shown(row), "changes": [_said(one) for one in row.differences]}
                for row in queries.changes(options["area"], limit=max(1, options["limit"]))
            )
            return
        row = queries.change(options["id"])
        if row is None or row.values is None:
            raise CommandError(f"There is no change {options['id']} with settings to restore.")
        try:
            restoring.restore(row, password=self.password_of(options))
        except InvalidSettings as error:
            raise CommandError(f"Nothing was restored. {error}") from None
        self.print_object(restoring.present(row.area, row.place))


def _said(one: Difference) -> str:
    if one.secret:
        return f"{one.key}: {one.secret}"
    return f"{one.key}: {one.old} -> {one.new}"
