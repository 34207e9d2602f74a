"""`person add | list | deactivate | activate`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from depesche.tracker.accounts import actions, queries
from depesche.tracker.accounts.command import TrackerCommand, refusals
from depesche.tracker.accounts.models import Person


def as_json(person: Person) -> dict[str, object]:
    return {
        "id": person.pk,
        "email": person.email,
        "name": person.name,
        "language": person.language,
        "admin": person.is_admin,
        "active": person.is_active,
    }


class Command(TrackerCommand):
    help = "People: add, list, deactivate, activate."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_subparsers(dest="what", required=True, metavar="add|list|deactivate|activate")
        add = what.add_parser("add", help="a new person; without a password they get a link to set one")
        add.add_argument("email", metavar="EMAIL")
        add.add_argument("--name", required=True)
        add.add_argument("--language", choices=Person.Language.values, default="en")
        add.add_argument("--admin", action="store_true", help="may change settings and people")
        add.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input"
        )
        listing = what.add_parser("list", help="all people, the deactivated too")
        deactivate = what.add_parser("deactivate", help="no sign-in, no mail, sessions and links end")
        deactivate.add_argument("email", metavar="EMAIL")
        activate = what.add_parser("activate", help="the way back")
        activate.add_argument("email", metavar="EMAIL")
        for sub in (add, listing, deactivate, activate):
            self.add_json(sub)

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['what']}")(options)

    def _add(self, options: Mapping[str, Any]) -> None:
        password = self.password_from_stdin() if options["password_stdin"] else None
        with refusals():
            person = actions.create_person(
                options["email"],
                options["name"],
                language=options["language"],
                is_admin=options["admin"],
                password=password,
            )
        if self.json:
            self.print_json(as_json(person))
        else:
            self.say(f"{person.name} <{person.email}> was added.")
            if password is None:
                self.say("A mail with a link to set a password is on its way to the outbox.")

    def _list(self, options: Mapping[str, Any]) -> None:
        self.print_rows(map(as_json, queries.people(inactive=True).iterator()))

    def _deactivate(self, options: Mapping[str, Any]) -> None:
        person = self.person(options["email"])
        actions.deactivate(person)
        self._changed(person, "deactivated")

    def _activate(self, options: Mapping[str, Any]) -> None:
        person = self.person(options["email"])
        actions.activate(person)
        self._changed(person, "active again")

    def _changed(self, person: Person, how: str) -> None:
        if self.json:
            self.print_json(as_json(person))
        self.say(f"{person.name} <{person.email}> is {how}.")
