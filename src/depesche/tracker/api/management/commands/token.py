"""`token create EMAIL | list | revoke ID`: what programs use to act for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser

from depesche.tracker.accounts.command import TrackerCommand, refusals
from depesche.tracker.api import tokens
from depesche.tracker.api.models import ApiToken


class Command(TrackerCommand):
    help = "API tokens: create (printed once), list, revoke."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_subparsers(dest="what", required=True, metavar="create|list|revoke")
        create = what.add_parser("create", help="a new token of a person, printed this one time")
        create.add_argument("email", metavar="EMAIL")
        create.add_argument("--name", default="", help="what it is for")
        listing = what.add_parser("list", help="all tokens, without what is secret")
        revoke = what.add_parser("revoke", help="it lets nobody in any more")
        revoke.add_argument("id", type=int, metavar="ID")
        for sub in (create, listing, revoke):
            self.add_json(sub)

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['what']}")(options)

    def _create(self, options: Mapping[str, Any]) -> None:
        person = self.person(options["email"])
        with refusals():
            token = tokens.create(person, name=options["name"])
        if self.json:
            self.print_json({"token": token, "person": person.email})
        else:
            self.stdout.write(token)

    def _list(self, options: Mapping[str, Any]) -> None:
        rows = ApiToken.objects.select_related("person").order_by("id")
        self.print_rows(
            {
                "id": row.pk,
                "person": row.person.email,
                "name": row.name,
                "created_at": row.created_at,
                "used_at": row.used_at,
            }
            for row in rows
        )

    def _revoke(self, options: Mapping[str, Any]) -> None:
        if not tokens.revoke(options["id"]):
            raise CommandError(f"There is no token {options['id']}.")
        if self.json:
            self.print_json({"revoked": options["id"]})
        self.say(f"Token {options['id']} was revoked.")
