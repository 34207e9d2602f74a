"""What the settings commands share: KEY=VALUE, a password from stdin, steps as they come."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from depesche.mailroom.connections import validation
from depesche.mailroom.connections.actions import InvalidSettings
from depesche.mailroom.connections.command import DepescheCommand
from depesche.mailroom.connections.diagnosis.steps import Outcome, Step


def assignment(text: str) -> tuple[str, str]:
    """KEY=VALUE as an argument."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form KEY=VALUE")
    return key.strip(), value


class SettingsCommand(DepescheCommand):
    """A command with `show`, `set` and `test`."""

    keys: tuple[str, ...] = ()

    def add_password_options(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input"
        )

    def values_of(self, options: Mapping[str, Any]) -> dict[str, str]:
        """The assignments. A key that does not exist is wrong usage: exit 2."""
        values = dict(options["values"] or [])
        for key in values:
            if key not in self.keys:
                raise CommandError(
                    _("There is no setting %(key)s. The settings are: %(keys)s.")
                    % {"key": key, "keys": " ".join(self.keys)},
                    returncode=2,
                )
        return values

    def password_of(self, options: Mapping[str, Any]) -> str | None:
        """One line from stdin, None without --password-stdin."""
        if not options["password_stdin"]:
            return None
        try:
            typed = validation.password(sys.stdin.readline())
        except (ValidationError, UnicodeDecodeError) as error:
            said = _("The password on standard input cannot be used: %(why)s") % {"why": _first(error)}
            raise CommandError(said) from None
        if not typed:
            raise CommandError(_("There is no password on standard input."))
        return typed

    def print_steps(self, steps: Iterable[Step], *, transcript: bool) -> list[Step]:
        """Each step as soon as it is done."""
        seen = []
        for step in steps:
            seen.append(step)
            if self.json:
                self.print_json(step.as_json())
                continue
            ms = f"{step.ms} ms" if step.ms is not None else ""
            self.stdout.write(f"{step.name.value:<17} {step.result:<8} {ms:>9}  {step.fact}".rstrip())
            if step.cause is not None:
                labels = [_("cause:"), _("remedy:"), _("try:")]
                width = max(map(len, labels))
                cause, remedy, attempt = (f"    {label:<{width}}" for label in labels)
                self.stdout.write(f"{cause} {step.cause.title}. {step.cause.sentence}")
                self.stdout.write(f"{remedy} {step.cause.remedy}")
                if step.cause.change:
                    change = " ".join(f"{key}={value}" for key, value in step.cause.change.items())
                    self.stdout.write(f"{attempt} {change}")
            if transcript:
                for line in step.transcript:
                    self.stdout.write(f"    | {line}")
            self.stdout.flush()
        return seen

    def stop_on_failure(self, steps: Iterable[Step]) -> None:
        """Exit 1 with the first failure."""
        for step in steps:
            if step.outcome is Outcome.FAILED and step.cause is not None:
                raise CommandError(f"{step.name.value}: {step.cause.title}. {step.cause.remedy}")


def refused(error: InvalidSettings) -> CommandError:
    """Settings that were not saved, as one sentence."""
    return CommandError(_("Nothing was saved. %(why)s") % {"why": error})


def on_off(value: bool) -> str:
    return "on" if value else "off"


def _first(error: Exception) -> str:
    return error.messages[0] if isinstance(error, ValidationError) else _("it is no UTF-8.")
