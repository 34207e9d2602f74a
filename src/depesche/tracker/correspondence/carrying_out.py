"""Commands in a mail, as far as its author may give them: what is changed, and what is said of the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from depesche.tracker.accounts import queries as accounts
from depesche.tracker.accounts.models import Person
from depesche.tracker.correspondence import commands
from depesche.tracker.correspondence.commands import Command
from depesche.tracker.items import queries
from depesche.tracker.items.models import Item


@dataclass(frozen=True)
class Orders:
    """`fields` as of items.actions.change_item; `remarks` in Markdown, in the language in force; `text`: what
    stands below the commands, and those that were none."""

    found: bool = False
    fields: dict[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    text: str = ""


def plan(text: str, author: Person, item: Item) -> Orders:
    """What the first lines of a text order. Only members give orders."""
    if not text or not queries.may_read(author, item):
        return Orders()
    read = commands.read(text)
    if not read.found:
        return Orders()
    fields: dict[str, Any] = {}
    remarks: list[str] = []
    for command in read.found:
        value, problem = _meant(command, item)
        if problem:
            said = _("Not done: “%(line)s”. %(why)s") % {"line": command.line, "why": problem}
            remarks.append("*" + said.replace("*", "") + "*")
        else:
            fields[command.field] = value
    return Orders(True, fields, tuple(remarks), read.text)


def _meant(command: Command, item: Item) -> tuple[Any, str]:
    """The value to set, and why it cannot be set."""
    if not command.understood:
        return None, {
            "state": _("The states are: open, in progress, done, closed."),
            "priority": _("The priorities are: low, normal, high, urgent."),
            "due": _("Write the date like 2026-11-19."),
        }[command.field]
    if command.field != "responsible" or command.value is None:
        return command.value, ""
    person = accounts.person_by_address(str(command.value))
    if person is None or not queries.is_member(person, item.workspace):
        return None, _("No member of the workspace has this address.")
    return person, ""
