"""The port through which received mails reach whoever understands them.

Handlers are classes named in settings.DEPESCHE_INBOX_HANDLERS (without it by `inbox_handlers` of installed
AppConfigs), asked in that order: the mailroom never
imports the tracker.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Protocol

from django.apps import apps
from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext

from depesche.mailformat.reading import Reading
from depesche.mailroom.inbox.models import Outcome


@dataclass(frozen=True)
class IncomingMail:
    """A stored mail with its reading. `envelope_sender` is None where the source does not tell it, and
    "" for the null reverse-path. `mailbox` is the place of the mailbox that it came by."""

    received_id: int
    raw: bytes = field(repr=False)
    reading: Reading = field(repr=False)
    envelope_sender: str | None
    envelope_recipient: str
    received_at: datetime
    mailbox: int = 0


class Sentence(str):
    """A sentence in English that can be said in the reader's language as well: `message` is known to the
    catalogues, `values` stand in its places."""

    message: str
    values: Mapping[str, str]

    def __new__(cls, message: str, **values: object) -> Sentence:
        texts = {name: str(value) for name, value in values.items()}
        made = super().__new__(cls, message % texts if texts else message)
        made.message, made.values = message, texts
        return made

    def in_words(self) -> str:
        """In the language in force."""
        return said(self.message, self.values)


def said(message: str, values: Mapping[str, str]) -> str:
    """A message of the catalogues in the language in force, with its values."""
    spoken = gettext(message)
    return spoken % values if values else spoken


@dataclass(frozen=True)
class Handled:
    """What became of a mail: `reason` in one sentence, a `Sentence` where pages are to say it in the reader's
    language; `item` a key, `comment` an id, `text` what was taken
    over; `proposal` what `accept_held` will need when a person says yes (JSON values only)."""

    outcome: Outcome
    reason: str = ""
    item: str = ""
    comment: int | None = None
    text: str = ""
    proposal: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """One thing that a held mail may become: `label` in the language in force; `dangerous` for what nobody
    wants to hit by mistake, `doubtful` where much speaks against it. `key` is what `accept_held` takes."""

    key: str
    label: str
    dangerous: bool = False
    doubtful: bool = False


class Handler(Protocol):
    """Runs inside a transaction together with the record of the outcome: both stand, or neither."""

    def handle(self, mail: IncomingMail) -> Handled | None:
        """Take the mail and say what became of it; None: not mine, ask the next."""

    def choices(self, proposal: Mapping[str, Any]) -> Sequence[Choice]:
        """What a held mail may become, the likeliest first."""

    def accept_held(
        self, mail: IncomingMail, proposal: Mapping[str, Any], *, choice: str = "", by: str = ""
    ) -> Handled:
        """A person chose what becomes of a held mail; without a choice the likeliest. May answer HELD
        again, with why."""


@cache
def _handler(path: str) -> Handler:
    made: Handler = import_string(path)()
    return made


def handlers() -> list[tuple[str, Handler]]:
    """The configured handlers with their dotted paths, in order."""
    return [(path, _handler(path)) for path in names()]


def names() -> list[str]:
    """Their dotted paths: those of the settings, else those that installed apps name (`inbox_handlers`)."""
    named: Iterable[str] | None = getattr(settings, "DEPESCHE_INBOX_HANDLERS", None)
    if named is not None:
        return list(named)
    return [name for app in apps.get_app_configs() for name in getattr(app, "inbox_handlers", ())]


def handler_named(path: str) -> Handler:
    """The handler that held a mail. LookupError when the settings no longer name it."""
    if path not in names():
        raise LookupError(f"No handler {path} in DEPESCHE_INBOX_HANDLERS.")
    return _handler(path)
