"""What reasons and events are called, in the language in force."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from depesche.tracker.notifications.recipients import Reason, Why


def reason_in_words(reason: str) -> str:
    """A reason as a list shows it."""
    return {
        Reason.RESPONSIBLE: _("responsible"),
        Reason.MANAGER: _("manager"),
        Reason.AUTHOR: _("author"),
        Reason.CONSULTED: _("consulted"),
        Reason.WATCHER: _("watching"),
        Reason.WAS_RESPONSIBLE: _("was responsible"),
        Reason.WAS_MANAGER: _("was manager"),
    }.get(Reason(reason) if reason in set(Reason) else Reason.WATCHER, reason)


def reasons_in_words(joined: str) -> str:
    """The reasons of a Notice: `responsible, watching`."""
    return ", ".join(reason_in_words(reason) for reason in joined.split(",") if reason)


def not_told_in_words(why: str) -> str:
    """Why somebody was not told, as a sentence."""
    if why not in set(Why):
        return why
    return {
        Why.ACTOR: _("Did it themselves."),
        Why.INACTIVE: _("The account is deactivated."),
        Why.MAY_NOT_READ: _("Is not a member of the workspace."),
        Why.MUTED: _("Wants no mails about this item."),
        Why.ONLY_ACCOUNT_MAILS: _("Wants no mails but those about the account."),
        Why.NO_ADDRESS: _("The address cannot be written to."),
    }[Why(why)]


def because(reasons: Sequence[Reason], key: str) -> str:
    """The last paragraph of a notice: `You get this mail because you are responsible for NW-482.`"""
    first = reasons[0]
    return {
        Reason.RESPONSIBLE: _("You get this mail because you are responsible for %(item)s."),
        Reason.MANAGER: _("You get this mail because you are the manager of %(item)s."),
        Reason.AUTHOR: _("You get this mail because you wrote %(item)s."),
        Reason.CONSULTED: _("You get this mail because you are consulted about %(item)s."),
        Reason.WATCHER: _("You get this mail because you watch %(item)s."),
        Reason.WAS_RESPONSIBLE: _("You get this mail because you were responsible for %(item)s until now."),
        Reason.WAS_MANAGER: _("You get this mail because you were the manager of %(item)s until now."),
    }[first] % {"item": key}


def you(name: str) -> str:
    """A person's own name in a mail to them: `Jana Voss (you)`."""
    return pgettext("a person's name in a mail to that person", "%(name)s (you)") % {"name": name}
