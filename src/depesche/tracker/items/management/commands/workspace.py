"""`workspace add | list | sender`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from depesche.mailroom.connections import senders
from depesche.tracker.accounts.command import TrackerCommand, refusals
from depesche.tracker.items import actions, queries
from depesche.tracker.items.models import Workspace


class Command(TrackerCommand):
    help = "Workspaces: add (or give members to one that is there), list."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_subparsers(dest="what", required=True, metavar="add|list|sender")
        add = what.add_parser("add", help="a new workspace; for one that is there, its members are added")
        add.add_argument("name", metavar="NAME")
        add.add_argument("--key", default="", help="prefix of its items; made from the name otherwise")
        add.add_argument("--member", nargs="+", action="extend", default=[], metavar="EMAIL")
        add.add_argument("--default", action="store_true", help="new items by mail come here")
        listing = what.add_parser("list", help="all workspaces")
        sender = what.add_parser("sender", help="whom its mails come from, in place of the system address")
        sender.add_argument("name", metavar="NAME")
        sender.add_argument("--address", metavar="ADDR", help="empty: the system address")
        sender.add_argument("--sender-name", metavar="TEXT", help="empty: the server's name")
        for sub in (add, listing, sender):
            self.add_json(sub)

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['what']}")(options)

    def _add(self, options: Mapping[str, Any]) -> None:
        members = [self.person(email) for email in options["member"]]
        with refusals(), transaction.atomic():
            workspace = queries.find_workspace(options["name"])
            if workspace is None:
                workspace = actions.create_workspace(options["name"], key=options["key"], members=members)
            actions.add_members(workspace, members)
            if options["default"]:
                actions.make_default(workspace)
        if self.json:
            self.print_json(as_json(workspace))
        self.say(f"Workspace {workspace.name}, items {workspace.key}-1 and on.")

    def _sender(self, options: Mapping[str, Any]) -> None:
        workspace = queries.find_workspace(options["name"])
        if workspace is None:
            raise CommandError(f"There is no workspace {options['name']}.")
        own = senders.identity(workspace.key)
        address = own.address if options["address"] is None else options["address"]
        name = own.name if options["sender_name"] is None else options["sender_name"]
        with refusals():
            own = senders.save_identity(workspace.key, address=address, name=name)
        self.print_object({"key": workspace.key, "address": own.address, "sender_name": own.name})

    def _list(self, options: Mapping[str, Any]) -> None:
        self.print_rows(
            {
                **as_json(workspace),
                "members": getattr(workspace, "member_count", 0),
                "items": getattr(workspace, "item_count", 0),
            }
            for workspace in queries.all_workspaces()
        )


def as_json(workspace: Workspace) -> dict[str, object]:
    return {
        "id": workspace.pk,
        "key": workspace.key,
        "name": workspace.name,
        "default": workspace.is_default,
    }
