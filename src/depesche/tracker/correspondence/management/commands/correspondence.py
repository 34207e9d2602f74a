"""`correspondence mail | show | set | revoke | blocked | block | unblock`: mails with people outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from depesche.mailformat.addresses import Address, AddressError, parse_address_list
from depesche.mailroom.connections.command_line import assignment
from depesche.tracker.accounts.command import TrackerCommand, refusals
from depesche.tracker.accounts.models import Person
from depesche.tracker.correspondence import blocking, personal_letter, rules, writing
from depesche.tracker.correspondence.personal_letter import Mail
from depesche.tracker.correspondence.rules import KEYS, Rules
from depesche.tracker.items import queries
from depesche.tracker.items.models import Workspace
from depesche.tracker.threads import actions as threads

_BY = "command"


class Command(TrackerCommand):
    help = (
        "Mails from items; what a workspace demands of mails that come in; reply addresses; blocked senders."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        ways = parser.add_subparsers(
            dest="what", required=True, metavar="mail|show|set|revoke|blocked|block|unblock"
        )
        show = ways.add_parser("show", help="the rules in force")
        change = ways.add_parser("set", help="change rules", epilog=f"keys: {' '.join(KEYS)}")
        change.add_argument("values", nargs="*", type=assignment, metavar="KEY=VALUE")
        change.add_argument("--follow-all", action="store_true", help="drop the workspace's own rules")
        for one in (show, change):
            one.add_argument("--workspace", default="", metavar="W", help="of this one; otherwise of all")
        revoke = ways.add_parser("revoke", help="make void the reply addresses that have gone out until now")
        revoke.add_argument("--person", default="", metavar="EMAIL")
        revoke.add_argument("--item", default="", metavar="KEY")
        revoke.add_argument("--all", action="store_true", help="those of everybody for every item")
        mail = ways.add_parser("mail", help="write a mail from an item; answers come back to it")
        mail.add_argument("item", metavar="ITEM")
        mail.add_argument("--as", dest="author", required=True, metavar="EMAIL", help="who writes it")
        mail.add_argument("--to", nargs="+", action="extend", required=True, metavar="ADDRESS")
        mail.add_argument("--cc", nargs="+", action="extend", default=[], metavar="ADDRESS")
        mail.add_argument("--subject", default="", help="otherwise key and title of the item")
        mail.add_argument("--text", required=True)
        mail.add_argument("--language", choices=Person.Language.values, default="en")
        mail.add_argument("--details", action="store_true", help="state and due date go along")
        mail.add_argument("--quote", action="store_true", help="so does the last mail of this thread")
        blocked = ways.add_parser("blocked", help="the blocked senders")
        block = ways.add_parser("block", help="set aside what this sender writes, without an answer")
        unblock = ways.add_parser("unblock", help="the way back")
        for one in (block, unblock):
            one.add_argument("address", metavar="ADDRESS")
        for one in (mail, show, change, revoke, blocked, block, unblock):
            self.add_json(one)

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['what']}")(options)

    def _mail(self, options: Mapping[str, Any]) -> None:
        item = queries.find_item(options["item"])
        if item is None:
            raise CommandError(f"There is no item {options['item']}.")
        to, cc = (_addresses(options[name]) for name in ("to", "cc"))
        wanted = Mail(
            to=to,
            cc=cc,
            subject=options["subject"] or personal_letter.subject_for(item),
            text=options["text"],
            language=options["language"],
            details=options["details"],
            quote=options["quote"],
        )
        with refusals():
            comment = writing.write(item, self.person(options["author"]), wanted, now=timezone.now())
        if self.json:
            self.print_json({"item": item.key, "comment": comment.pk, "recipients": len(to) + len(cc)})
        self.say(f"The mail is in the outbox; it is a comment of {item.key}.")

    def _show(self, options: Mapping[str, Any]) -> None:
        self.print_object(shown(rules.rules_for(self._workspace(options))))

    def _set(self, options: Mapping[str, Any]) -> None:
        workspace, values = self._workspace(options), dict(options["values"])
        unknown = [key for key in values if key not in KEYS]
        if unknown:
            raise CommandError(
                f"There is no rule {unknown[0]}. The rules are: {' '.join(KEYS)}.", returncode=2
            )
        if options["follow_all"] and workspace is not None and not values:
            rules.follow_all(workspace)
        elif values and not options["follow_all"]:
            with refusals():
                rules.save(workspace, values)
        else:
            raise CommandError("Name at least one KEY=VALUE, or --follow-all with a workspace.", returncode=2)
        self.print_object(shown(rules.rules_for(workspace)))

    def _revoke(self, options: Mapping[str, Any]) -> None:
        chosen = bool(options["person"] or options["item"])
        if chosen == options["all"]:
            raise CommandError("Name --person, --item, or both; or --all.", returncode=2)
        item = queries.find_item(options["item"]) if options["item"] else None
        if options["item"] and item is None:
            raise CommandError(f"There is no item {options['item']}.")
        person = self.person(options["person"]) if options["person"] else None
        threads.revoke(item=item, person=person, by=_BY, now=timezone.now())
        self.say("The reply addresses are void; the next mails carry new ones.")

    def _blocked(self, options: Mapping[str, Any]) -> None:
        self.print_rows(
            {"address": row.address, "at": row.at, "by": row.by} for row in blocking.blocked_senders()
        )

    def _block(self, options: Mapping[str, Any]) -> None:
        blocking.block(_address(options), by=_BY, now=timezone.now())
        self.say(f"Mails from {options['address']} are set aside.")

    def _unblock(self, options: Mapping[str, Any]) -> None:
        if not blocking.unblock(_address(options).key):
            raise CommandError(f"{options['address']} is not blocked.")
        self.say(f"Mails from {options['address']} are taken again.")

    def _workspace(self, options: Mapping[str, Any]) -> Workspace | None:
        if not options["workspace"]:
            return None
        found = queries.find_workspace(options["workspace"])
        if found is None:
            raise CommandError(f"There is no workspace {options['workspace']}.")
        return found


def _addresses(texts: list[str]) -> list[Address]:
    found = [address for text in texts for address in parse_address_list(text)]
    if texts and not found:
        raise CommandError("There is no address like jane@example.org among the recipients.")
    return found


def _address(options: Mapping[str, Any]) -> Address:
    try:
        return Address("", options["address"].strip())
    except AddressError as error:
        raise CommandError(str(error)) from None


def shown(found: Rules) -> dict[str, object]:
    """The rules by their keys."""
    values: dict[str, object] = {key: getattr(found, key) for key in KEYS}
    return {
        **{key: str(value) for key, value in values.items() if key in ("proof", "new_items", "strangers")},
        "commands": "on" if found.commands else "off",
        "reply_days": found.reply_days,
        "max_files": found.max_files,
        "max_megabytes": found.max_megabytes,
        "refused_types": " ".join(found.refused_types),
        "own": found.own,
    }
