"""`depesche mailbox show | list | set KEY=VALUE… | test | poll | remove`: the ways in.

Without `--name` or `--place` a command means the mailbox of the system address. `set` with a name that is new
makes one more.

Polling belongs to the inbox, which stands above the connections: its management command inherits from this
one and says how to poll.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandError, CommandParser

from depesche.mailroom.connections import access, actions, mailbox_fields, queries
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
    *mailbox_fields.KEYS,
)


_LISTED = (
    "place",
    "name",
    "protocol",
    "host",
    "username",
    "address",
    "workspace",
    "last_polled_at",
    "last_error",
)


class MailboxCommand(SettingsCommand):
    """Everything but `poll`."""

    help = "Show, set, test or poll the mailbox of the system address."
    keys = KEYS

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        ways = parser.add_subparsers(dest="what", required=True, metavar="show|list|set|test|poll|remove")
        listed = ways.add_parser("list", help="every mailbox, one a line")
        show = ways.add_parser("show", help="the settings; never the password")
        change = ways.add_parser("set", help="change settings", epilog=f"keys: {' '.join(KEYS)}")
        change.add_argument("values", nargs="*", type=assignment, metavar="KEY=VALUE")
        self.add_password_options(change)
        change.add_argument("--clear-password", action="store_true", help="delete the stored password")
        test = ways.add_parser("test", help="log in to the mailbox, step by step; saves and marks nothing")
        test.add_argument("values", nargs="*", type=assignment, metavar="KEY=VALUE")
        test.add_argument("--transcript", action="store_true", help="print what was said at each step")
        self.add_password_options(test)
        poll = ways.add_parser(
            "poll", help="fetch what is there, once; from every mailbox where none is named"
        )
        remove = ways.add_parser("remove", help="give up a mailbox; nothing happens at its server")
        for way in (show, listed, change, test, poll, remove):
            self.add_json(way)
        for way in (show, change, test, poll, remove):
            chosen = way.add_mutually_exclusive_group(required=way is remove)
            chosen.add_argument("--name", metavar="NAME", help="the mailbox with this name")
            chosen.add_argument(
                "--place", type=int, metavar="N", help="the mailbox at this place; 0: the first"
            )

    def handle(self, *args: Any, **options: Any) -> None:
        what = options["what"]
        if what == "list":
            self.print_rows([shown(one) for one in queries.mailboxes()], _LISTED)
        elif what == "show":
            self.print_object(shown(self._chosen(options)))
        elif what == "set":
            self._set(options)
        elif what == "test":
            self._test(options)
        elif what == "remove":
            self._remove(options)
        else:
            named = options["name"] is not None or options["place"] is not None
            self.poll(
                [self._chosen(options)] if named else [one for one in queries.mailboxes() if one.is_mailbox]
            )

    def poll(self, boxes: Sequence[IncomingSettings]) -> None:
        """Fetch once; the inbox says how."""
        raise CommandError("The inbox is not installed: add depesche.mailroom.inbox to INSTALLED_APPS.")

    def _chosen(self, options: dict[str, Any], *, makes: bool = False) -> IncomingSettings:
        """The mailbox that is named; with `makes` a new one where the name is new."""
        if options["place"] is not None:
            found = queries.mailbox_named(str(options["place"]))
            wanted = f"at place {options['place']}"
        elif options["name"] is not None:
            found = queries.mailbox_named(options["name"])
            wanted = f"named {options['name']!r}"
        else:
            return queries.incoming()
        if found is not None:
            return found
        if makes and options["name"] is not None:
            return IncomingSettings(place=actions.next_place(), name=options["name"])
        names = ", ".join(one.title for one in queries.mailboxes())
        raise CommandError(f"There is no mailbox {wanted}. There are: {names}.")

    def _set(self, options: dict[str, Any]) -> None:
        values, password = self.values_of(options), self.password_of(options)
        clear = options["clear_password"]
        if not values and password is None and not clear:
            raise CommandError("Name at least one KEY=VALUE to set.", returncode=2)
        if values.get("protocol") == "none":
            values["protocol"] = ""
        chosen = self._chosen(options, makes=True)
        values.setdefault("name", chosen.name)
        self._known_workspace(values)
        try:
            settings = actions.save_incoming(
                values, password=password, clear_password=clear, place=chosen.place
            )
        except InvalidSettings as error:
            raise refused(error) from None
        self.print_object(shown(settings))

    def _known_workspace(self, values: dict[str, str]) -> None:
        """A workspace may be named by its label too."""
        typed = values.get("workspace", "").strip()
        if typed:
            by_label = {label.casefold(): value for value, label in mailbox_fields.workspaces()}
            by_value = {value.casefold(): value for value, _label in mailbox_fields.workspaces()}
            values["workspace"] = by_value.get(typed.casefold()) or by_label.get(typed.casefold()) or typed

    def _remove(self, options: dict[str, Any]) -> None:
        chosen = self._chosen(options)
        try:
            actions.remove_incoming(chosen.place)
        except InvalidSettings as error:
            raise CommandError(str(error)) from None
        self.say(f"The mailbox {chosen.title} is no longer read. What came in by it stays.")

    def _test(self, options: dict[str, Any]) -> None:
        chosen = self._chosen(options)
        try:
            form = actions.incoming_form(
                self.values_of(options),
                password=self.password_of(options),
                for_test=True,
                place=chosen.place,
            )
            actions.refuse_invalid(form)
            config = access.mailbox_config(form.as_settings(), password=form.cleaned_data["password"])
        except InvalidSettings as error:
            raise CommandError(f"Nothing was tested. {error}") from None
        except access.NotConfigured as error:
            raise CommandError(str(error)) from None
        self.stop_on_failure(
            self.print_steps(
                run_mailbox(config),
                transcript=options["transcript"],
            )
        )
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
        "place": settings.place,
        **mailbox_fields.of(settings),
        "name": settings.title,
        "configured": settings.configured,
        "last_polled_at": settings.last_polled_at,
        "last_error": settings.last_error,
    }
