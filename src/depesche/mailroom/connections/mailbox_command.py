"""`depesche mailbox show | set KEY=VALUE… | test | poll`: the way in.

Polling belongs to the inbox, which stands above the connections: its management command inherits from this
one and says how to poll.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from depesche.mailroom.connections import access, actions, queries
from depesche.mailroom.connections.actions import InvalidSettings
from depesche.mailroom.connections.command_line import SettingsCommand, assignment, on_off, refused
from depesche.mailroom.connections.diagnosis.mailbox import run_mailbox
from depesche.mailroom.connections.queries import IncomingSettings

KEYS = (
    "protocol",
    "host",
    "port",
    "encryption",
    "auth",
    "username",
    "plus_addressing",
    "trusted_authserv_id",
    "allow_clear_password",
)


class MailboxCommand(SettingsCommand):
    """Everything but `poll`."""

    help = "Show, set, test or poll the mailbox of the system address."
    keys = KEYS

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        ways = parser.add_subparsers(dest="what", required=True, metavar="show|set|test|poll")
        show = ways.add_parser("show", help="the settings; never the password")
        change = ways.add_parser("set", help="change settings", epilog=f"keys: {' '.join(KEYS)}")
        change.add_argument("values", nargs="*", type=assignment, metavar="KEY=VALUE")
        self.add_password_options(change)
        change.add_argument("--clear-password", action="store_true", help="delete the stored password")
        test = ways.add_parser("test", help="log in to the mailbox, step by step; saves and marks nothing")
        test.add_argument("values", nargs="*", type=assignment, metavar="KEY=VALUE")
        test.add_argument("--transcript", action="store_true", help="print what was said at each step")
        self.add_password_options(test)
        poll = ways.add_parser("poll", help="fetch what is there, once")
        for way in (show, change, test, poll):
            self.add_json(way)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "show":
            self.print_object(shown(queries.incoming()))
        elif options["what"] == "set":
            self._set(options)
        elif options["what"] == "test":
            self._test(options)
        else:
            self.poll()

    def poll(self) -> None:
        """Fetch once; the inbox says how."""
        raise CommandError("The inbox is not installed: add depesche.mailroom.inbox to INSTALLED_APPS.")

    def _set(self, options: dict[str, Any]) -> None:
        values, password = self.values_of(options), self.password_of(options)
        clear = options["clear_password"]
        if not values and password is None and not clear:
            raise CommandError("Name at least one KEY=VALUE to set.", returncode=2)
        if values.get("protocol") == "none":
            values["protocol"] = ""
        try:
            settings = actions.save_incoming(values, password=password, clear_password=clear)
        except InvalidSettings as error:
            raise refused(error) from None
        self.print_object(shown(settings))

    def _test(self, options: dict[str, Any]) -> None:
        try:
            form = actions.incoming_form(
                self.values_of(options), password=self.password_of(options), for_test=True
            )
            if not form.is_valid():
                raise InvalidSettings({key: [str(e) for e in errors] for key, errors in form.errors.items()})
            config = access.mailbox_config(form.as_settings(), password=form.cleaned_data["password"])
        except InvalidSettings as error:
            raise CommandError(f"Nothing was tested. {error}") from None
        except access.NotConfigured as error:
            raise CommandError(str(error)) from None
        self.stop_on_failure(self.print_steps(run_mailbox(config), transcript=options["transcript"]))
        self.say("The mailbox can be used.")


def shown(settings: IncomingSettings) -> dict[str, object]:
    """The settings by their keys. Never the password."""
    return {
        "protocol": settings.protocol,
        "host": settings.host,
        "port": settings.port,
        "encryption": settings.encryption,
        "auth": settings.auth,
        "username": settings.username,
        "has_password": settings.has_password,
        "plus_addressing": settings.plus_addressing,
        "trusted_authserv_id": settings.trusted_authserv_id,
        "allow_clear_password": on_off(settings.allow_clear_password),
        "configured": settings.configured,
        "last_polled_at": settings.last_polled_at,
        "last_error": settings.last_error,
    }
