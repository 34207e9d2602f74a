"""What the tracker's commands share: looking up who and what was named, and refusals as one sentence."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from depesche.mailroom.connections.command import DepescheCommand
from depesche.tracker.accounts import queries
from depesche.tracker.accounts.models import Person


class TrackerCommand(DepescheCommand):
    """A command of the tracker."""

    def person(self, email: str) -> Person:
        """Who has this address; CommandError when nobody has."""
        found = queries.find_person(email) or queries.person_by_address(email)
        if found is None:
            raise CommandError(f"There is nobody with the address {email}.")
        return found

    def password_from_stdin(self) -> str:
        """The first line of standard input."""
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise CommandError("There is no password at standard input.")
        return password


@contextmanager
def refusals() -> Iterator[None]:
    """What an action refuses becomes the command's sentence."""
    try:
        yield
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
