"""`depesche connection show | set KEY=VALUE… | test --to ADDR`: the way out (M3 to M17)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from depesche.mailroom.connections import access, actions, queries, validation
from depesche.mailroom.connections.actions import InvalidSettings
from depesche.mailroom.connections.command_line import SettingsCommand, assignment, on_off, refused
from depesche.mailroom.connections.diagnosis.plan import learn, plan_test
from depesche.mailroom.connections.diagnosis.running import run
from depesche.mailroom.connections.diagnosis.steps import flows
from depesche.mailroom.connections.forms import CAP
from depesche.mailroom.connections.queries import OutgoingSettings

KEYS = (
    "host",
    "port",
    "encryption",
    "auth",
    "username",
    "system_address",
    "system_name",
    "sender",
    "charset",
    CAP,
    "items_by_mail",
    "allow_clear_password",
)


class Command(SettingsCommand):
    help = "Show, set or test the outgoing e-mail connection."
    keys = KEYS

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        ways = parser.add_subparsers(dest="what", required=True, metavar="show|set|test")
        show = ways.add_parser("show", help="the settings; never the password")
        change = ways.add_parser("set", help="change settings", epilog=f"keys: {' '.join(KEYS)}")
        change.add_argument("values", nargs="*", type=assignment, metavar="KEY=VALUE")
        self.add_password_options(change)
        change.add_argument("--clear-password", action="store_true", help="delete the stored password")
        test = ways.add_parser("test", help="submit a test mail, step by step; saves nothing")
        test.add_argument("values", nargs="*", type=assignment, metavar="KEY=VALUE")
        test.add_argument("--to", required=True, metavar="ADDR", help="who gets the test mail")
        test.add_argument("--transcript", action="store_true", help="print what was said at each step")
        self.add_password_options(test)
        for way in (show, change, test):
            self.add_json(way)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "show":
            self.print_object(shown(queries.outgoing()))
        elif options["what"] == "set":
            self._set(options)
        else:
            self._test(options)

    def _set(self, options: dict[str, Any]) -> None:
        values, password = self.values_of(options), self.password_of(options)
        clear = options["clear_password"]
        if not values and password is None and not clear:
            raise CommandError("Name at least one KEY=VALUE to set.", returncode=2)
        try:
            settings = actions.save_outgoing(values, password=password, clear_password=clear)
        except InvalidSettings as error:
            raise refused(error) from None
        self.print_object(shown(settings))

    def _test(self, options: dict[str, Any]) -> None:
        values, password = self.values_of(options), self.password_of(options)
        try:
            to = validation.address(options["to"])
        except ValidationError as error:
            raise CommandError(f"--to: {error.messages[0]}") from None
        if not to:
            raise CommandError("--to: Enter an e-mail address.")
        try:
            form = actions.outgoing_form(values, password=password, for_test=True)
            if not form.is_valid():
                raise InvalidSettings({key: [str(e) for e in errors] for key, errors in form.errors.items()})
            settings = form.as_settings()
            plan = plan_test(settings, to=to, user_address=to, password=form.cleaned_data["password"])
        except InvalidSettings as error:
            raise CommandError(f"Nothing was tested. {error}") from None
        except access.NotConfigured as error:
            raise CommandError(str(error)) from None
        steps = self.print_steps(run(plan), transcript=options["transcript"])
        learn(plan, steps, now=timezone.now())
        self.stop_on_failure(steps)
        if flows(steps):
            self.say("The server accepted the test mail.")


def shown(settings: OutgoingSettings) -> dict[str, object]:
    """The settings by their keys. Never the password."""
    return {
        "host": settings.host,
        "port": settings.port,
        "encryption": settings.encryption,
        "auth": settings.auth,
        "username": settings.username,
        "has_password": settings.has_password,
        "system_address": settings.system_address,
        "system_name": settings.system_name,
        "sender": settings.sender,
        "charset": settings.charset,
        CAP: settings.max_connections,
        "items_by_mail": on_off(settings.items_by_mail),
        "allow_clear_password": on_off(settings.allow_clear_password),
        "configured": settings.configured,
    }
