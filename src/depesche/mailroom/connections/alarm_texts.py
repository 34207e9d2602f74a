"""What is said about each alarm: what is the case, why, and what to do. One table for every place that shows
alarms, and for docs/admin/alarms.*.md.

Texts may name the facts of their alarm, as %(host)s. A date becomes a day in the reader's language. Where a
count decides between "day" and "days", `ngettext_lazy(…, …, "days")` takes it from the fact of that name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import formats, timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


@dataclass(frozen=True)
class Entry:
    """The three texts of an alarm: what is the case (short, no full stop), why, what to do."""

    title: StrPromise | str
    why: StrPromise | str
    remedy: StrPromise | str


@dataclass(frozen=True)
class Words:
    """The same, filled in, in the language in force."""

    title: str
    why: str
    remedy: str


ENTRIES: dict[str, Entry] = {
    # --- The way out ----------------------------------------------------------------------------------------
    "no-server": Entry(
        _("No mail server is set up"),
        _("The tracker works; mails wait in the outbox until there is one."),
        _("Set up the server and the system address under “Outgoing”."),
    ),
    "paused": Entry(
        _("Mail does not flow"),
        _("%(detail)s"),
        _("%(remedy)s"),
    ),
    "from-refused": Entry(
        _("The mail server refuses From addresses of %(domain)s"),
        _(
            "%(host)s did not take %(address)s as From (“%(reply)s”). No mail was lost: such mails go "
            "out From the system address, under the person’s name, and answers still reach the person or "
            "the item."
        ),
        _(
            "Nothing has to be done. To get rid of it, permit the login to send as these addresses, or "
            "choose “System” as sender address; then revoke the rule under “Outgoing”."
        ),
    ),
    # --- The login by OAuth 2.0 -----------------------------------------------------------------------------
    "oauth-token": Entry(
        _("The login at %(provider)s by OAuth 2.0 does not work"),
        _("%(detail)s"),
        _("%(remedy)s"),
    ),
    "client-secret-ends": Entry(
        _("The client secret for %(provider)s expires on %(day)s"),
        _("After that day no more tokens can be had, and no mail goes out."),
        _("Make a new client secret at the provider, and enter it under “Outgoing” before that."),
    ),
    "client-secret-ended": Entry(
        _("The client secret for %(provider)s expired on %(day)s"),
        _("By the date that was entered, no more tokens can be had."),
        _("Make a new client secret at the provider, and enter it under “Outgoing” with its new date."),
    ),
    # --- The watch itself -----------------------------------------------------------------------------------
    "source-failed": Entry(
        _("Something could not be looked at"),
        _("The watch over “%(source)s” failed; the log says why."),
        _("Look into the log of the web process or the worker, and report it if it stays so."),
    ),
}

_UNKNOWN = Entry(
    _("Something is wrong with the mail"), _("It is called %(code)s."), _("Look at the mail status.")
)


def words(code: str, facts: Mapping[str, object]) -> Words:
    """What to say about an alarm. A fact that is missing stays empty."""
    entry = ENTRIES.get(code, _UNKNOWN)
    values: dict[str, object] = defaultdict(str, code=code)
    values.update((name, _shown(value)) for name, value in facts.items() if value is not None)
    return Words(_filled(entry.title, values), _filled(entry.why, values), _filled(entry.remedy, values))


def _filled(text: StrPromise | str, values: Mapping[str, object]) -> str:
    return " ".join(str(text % values).split())


def _shown(value: object) -> object:
    if isinstance(value, datetime):
        return formats.date_format(timezone.localtime(value), "DATE_FORMAT")
    return value
