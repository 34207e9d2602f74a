"""`depesche alarms list | show | set KEY=VALUE… | test`: what is wrong, and who is told."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from depesche.mailroom.connections import alarms
from depesche.mailroom.connections.actions import InvalidSettings
from depesche.mailroom.connections.command_line import SettingsCommand, assignment, on_off, refused
from depesche.mailroom.connections.watching import actions, queries, trial
from depesche.mailroom.connections.watching.forms import AlarmForm, alarm_values
from depesche.mailroom.connections.watching.queries import AlarmWays
from depesche.mailroom.connections.watching.representation import alarm_shown, occurrence_shown

KEYS = (
    "webhook",
    "mail",
    "mail_to",
    "level",
    "patience",
    "language",
    "late",
    "failed_per_day",
    "silence",
)


class Command(SettingsCommand):
    help = "List what is wrong now; show, set or test who is told."
    keys = KEYS

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        ways = parser.add_subparsers(dest="what", required=True, metavar="list|show|set|test")
        listing = ways.add_parser("list", help="what is wrong now; exit 0 whatever it is")
        listing.add_argument("--past", action="store_true", help="what was wrong lately, and who was told")
        show = ways.add_parser("show", help="the settings; never the webhook's address or secret")
        change = ways.add_parser(
            "set",
            help="change settings",
            epilog=f"keys: {' '.join(KEYS)}\nmail and silence are on or off, mail_to is a list with commas, "
            "level is warning or critical, patience and late are minutes.",
        )
        change.add_argument("values", nargs="*", type=assignment, metavar="KEY=VALUE")
        change.add_argument(
            "--webhook-stdin", action="store_true", help="read the webhook's address from standard input"
        )
        change.add_argument(
            "--secret-stdin",
            action="store_true",
            help="read the secret of the signature from standard input (after the address)",
        )
        change.add_argument("--clear-webhook", action="store_true", help="delete the webhook")
        change.add_argument("--clear-secret", action="store_true", help="delete the secret")
        test = ways.add_parser("test", help="tell a test alarm through every way that is set up")
        for way in (listing, show, change, test):
            self.add_json(way)

    def handle(self, *args: Any, **options: Any) -> None:
        match options["what"]:
            case "list":
                self._past() if options["past"] else self._list()
            case "show":
                self.print_object(shown(queries.alarm_ways()))
            case "set":
                self._set(options)
            case _:
                self._test()

    def _list(self) -> None:
        found = alarms.current(timezone.now())
        self.print_rows(map(alarm_shown, found))
        if not found:
            self.say("Nothing is wrong.")

    def _past(self) -> None:
        self.print_rows(map(occurrence_shown, queries.occurrences(200)))

    def _set(self, options: dict[str, Any]) -> None:
        values: dict[str, Any] = dict(self.values_of(options))
        for key, wanted in (("webhook", options["webhook_stdin"]), ("secret", options["secret_stdin"])):
            if wanted:
                values[key] = sys.stdin.readline().strip()
                if not values[key]:
                    raise CommandError(f"There is no {key} on standard input.")
        clear_webhook, clear_secret = options["clear_webhook"], options["clear_secret"]
        if not values and not clear_webhook and not clear_secret:
            raise CommandError("Name at least one KEY=VALUE to set.", returncode=2)
        try:
            ways = actions.save_alarm_ways(values, clear_webhook=clear_webhook, clear_secret=clear_secret)
        except InvalidSettings as error:
            raise refused(error) from None
        self.print_object(shown(ways))

    def _test(self) -> None:
        ways = queries.alarm_ways()
        form = AlarmForm(alarm_values(ways), ways=ways)
        if not form.is_valid():
            raise CommandError("The saved settings are not valid any more; set them anew.")
        tried = trial.tell(form, now=timezone.now())
        if not tried:
            raise CommandError("Nobody is told: set webhook=https://… or mail=on first.")
        self.print_rows({"way": str(one.way), "ok": one.ok, "said": one.said} for one in tried)
        failed = [one for one in tried if not one.ok]
        if failed:
            raise CommandError(f"{failed[0].way}: {failed[0].said}")


def shown(ways: AlarmWays) -> dict[str, object]:
    """The settings by their keys. Of the webhook its host alone."""
    return {
        "webhook": ways.webhook_host,
        "has_secret": ways.has_secret,
        "mail": on_off(ways.mail),
        "mail_to": ", ".join(ways.mail_to),
        "level": ways.level,
        "patience": ways.patience,
        "language": ways.language,
        "late": ways.late,
        "failed_per_day": ways.failed_per_day,
        "silence": on_off(ways.silence),
    }
