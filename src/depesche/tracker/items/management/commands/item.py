"""`item create | comment | set | show`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.management.base import CommandError, CommandParser

from depesche.tracker.accounts.command import TrackerCommand, refusals
from depesche.tracker.accounts.models import Person
from depesche.tracker.items import actions, queries
from depesche.tracker.items.attachments import NewAttachment
from depesche.tracker.items.changes import FIELDS, PEOPLE
from depesche.tracker.items.models import Item, Via
from depesche.tracker.items.representation import as_json


class Command(TrackerCommand):
    help = "Items: create, comment, set, show. An item is named by its key (NW-482) or its number (482)."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_subparsers(dest="what", required=True, metavar="create|comment|set|show")
        create = what.add_parser("create", help="a new item")
        create.add_argument("--workspace", required=True, metavar="W", help="key or name")
        create.add_argument("--title", required=True, metavar="T")
        create.add_argument(
            "--text", default="", metavar="X", help="description, Markdown; - reads standard input"
        )
        create.add_argument("--as", dest="as_", required=True, metavar="EMAIL", help="its author")
        create.add_argument("--responsible", metavar="EMAIL")
        create.add_argument("--manager", metavar="EMAIL")
        create.add_argument("--watch", nargs="+", action="extend", default=[], metavar="EMAIL")
        create.add_argument("--consult", nargs="+", action="extend", default=[], metavar="EMAIL")
        create.add_argument("--due", type=_date, metavar="DATE", help="2026-12-24")
        create.add_argument(
            "--priority", type=_priority, default=Item.Priority.NORMAL, help="1 to 4, or a word"
        )
        comment = what.add_parser("comment", help="a comment of somebody")
        comment.add_argument("item", metavar="ID")
        comment.add_argument("--as", dest="as_", required=True, metavar="EMAIL")
        comment.add_argument("--text", required=True, metavar="X", help="Markdown; - reads standard input")
        comment.add_argument("--attach", type=argparse.FileType("rb"), nargs="+", action="extend", default=[])
        change = what.add_parser("set", help=f"change {', '.join(FIELDS)}")
        change.add_argument("item", metavar="ID")
        change.add_argument("--as", dest="as_", required=True, metavar="EMAIL")
        change.add_argument("values", nargs="+", type=_pair, metavar="KEY=VALUE")
        show = what.add_parser("show", help="an item with its comments")
        show.add_argument("item", metavar="ID")
        for sub in (create, comment, change, show):
            self.add_json(sub)

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['what']}")(options)

    def _create(self, options: Mapping[str, Any]) -> None:
        workspace = queries.find_workspace(options["workspace"])
        if workspace is None:
            raise CommandError(f"There is no workspace {options['workspace']}.")
        with refusals():
            item = actions.create_item(
                workspace,
                author=self.person(options["as_"]),
                title=options["title"],
                description=_text(options["text"]),
                responsible=self._somebody(options["responsible"]),
                manager=self._somebody(options["manager"]),
                watchers=[self.person(email) for email in options["watch"]],
                consulted=[self.person(email) for email in options["consult"]],
                due=options["due"],
                priority=options["priority"],
                via=Via.COMMAND,
            )
        if self.json:
            self.print_json({"id": item.pk, "key": item.key})
        self.say(f"{item.key} {item.title}")

    def _comment(self, options: Mapping[str, Any]) -> None:
        item = self._item(options["item"])
        files = [
            NewAttachment(file.name, "application/octet-stream", file.read()) for file in options["attach"]
        ]
        with refusals():
            comment = actions.add_comment(
                item,
                author=self.person(options["as_"]),
                text=_text(options["text"]),
                attachments=files,
                via=Via.COMMAND,
            )
        if self.json:
            self.print_json({"id": comment.pk, "item": item.key})
        self.say(f"{item.key}: comment {comment.pk}")

    def _set(self, options: Mapping[str, Any]) -> None:
        item = self._item(options["item"])
        fields: dict[str, Any] = {name: self._value(name, value) for name, value in options["values"]}
        with refusals():
            event = actions.change_item(item, actor=self.person(options["as_"]), via=Via.COMMAND, **fields)
        changes = event.changes if event is not None else []
        if self.json:
            self.print_json({"id": item.pk, "key": item.key, "changes": changes})
        self.say(f"{item.key}: {', '.join(fields)}")

    def _show(self, options: Mapping[str, Any]) -> None:
        item = self._item(options["item"])
        values = as_json(item)
        if self.json:
            self.print_json(values)
            return
        comments = values.pop("comments")
        watchers = values.pop("watchers")
        self.print_object(values)
        assert isinstance(comments, list)
        assert isinstance(watchers, list)
        self.say(f"watchers     {', '.join(watcher['person'] for watcher in watchers)}")
        for comment in comments:
            self.say(f"\n{comment['author']}, {comment['at']:%Y-%m-%d %H:%M}, {comment['via']}:")
            self.say(comment["text"])
            for file in comment["attachments"]:
                self.say(f"[{file['filename']}, {file['size']} octets]")

    def _item(self, text: str) -> Item:
        item = queries.find_item(text)
        if item is None:
            raise CommandError(f"There is no item {text}.")
        return item

    def _somebody(self, email: str | None) -> Person | None:
        return self.person(email) if email else None

    def _value(self, name: str, value: str) -> object:
        if name in PEOPLE:
            return self._somebody(value)
        try:
            if name == "due":
                return _date(value) if value else None
            if name == "priority":
                return _priority(value)
        except argparse.ArgumentTypeError as error:
            raise CommandError(f"{name}: {error}") from None
        return value


def _text(text: str) -> str:
    return sys.stdin.read() if text == "-" else text


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no date such as 2026-12-24") from None


def _priority(text: str) -> int:
    words = {priority.name.lower(): priority.value for priority in Item.Priority}
    number = words.get(text.lower()) or (int(text) if text.isascii() and text.isdigit() else 0)
    if number not in Item.Priority.values:
        raise argparse.ArgumentTypeError(f"{text} is none of 1, 2, 3, 4, {', '.join(words)}")
    return int(number)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or name not in FIELDS:
        raise argparse.ArgumentTypeError(f"{text} is no KEY=VALUE with one of {', '.join(FIELDS)}")
    return name, value
