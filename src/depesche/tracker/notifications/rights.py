"""The last look before a mail leaves: may this person still know of it? Named in
settings.DEPESCHE_RIGHTS_CHECK."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from django.utils.translation import gettext as _

from depesche.mailroom.outbox.actions import Category
from depesche.tracker.accounts.models import Person


class ClaimedRef(Protocol):
    """What the outbox tells of a claimed recipient."""

    @property
    def recipient_id(self) -> int: ...
    @property
    def person(self) -> str: ...
    @property
    def item(self) -> str: ...
    @property
    def category(self) -> str: ...


_CHECKED = frozenset({Category.NOTICE, Category.REMINDER})


def withdrawn(claimed: Sequence[ClaimedRef]) -> Mapping[int, str]:
    """Recipient id -> why it is not submitted. One query for the whole batch.

    Since a mail was enqueued its person may have been deactivated, have left the workspace, or have chosen
    to get no mail.
    """
    checked = [ref for ref in claimed if ref.category in _CHECKED and ref.person.isdigit()]
    if not checked:
        return {}
    facts: dict[str, tuple[bool, bool]] = {}
    workspaces: dict[str, set[str]] = {}
    rows = Person.objects.filter(pk__in={int(ref.person) for ref in checked}).values_list(
        "pk", "is_active", "only_account_mails", "memberships__workspace__key"
    )
    for pk, is_active, only_account_mails, key in rows:
        facts[str(pk)] = (is_active, only_account_mails)
        workspaces.setdefault(str(pk), set()).add(key)
    return {
        ref.recipient_id: why
        for ref in checked
        if (why := _why(ref, facts.get(ref.person), workspaces.get(ref.person, set())))
    }


def _why(ref: ClaimedRef, facts: tuple[bool, bool] | None, workspaces: set[str]) -> str:
    if facts is None:
        return _("The person no longer exists.")
    is_active, only_account_mails = facts
    if not is_active:
        return _("The account was deactivated.")
    if only_account_mails:
        return _("The person wants no mails any more but those about the account.")
    if ref.item and ref.item.rpartition("-")[0] not in workspaces:
        return _("The person is no longer a member of the workspace.")
    return ""
