"""The rules for mails that come in, of a workspace or of all: reading and writing them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from depesche.tracker.correspondence.choices import NewItems, Proof, Strangers
from depesche.tracker.correspondence.models import REFUSED_TYPES, REPLY_DAYS, MailRules
from depesche.tracker.items import attachments as files
from depesche.tracker.items.models import Workspace

KEYS: Final = (
    "proof", "new_items", "strangers", "commands", "reply_days",
    "max_files", "max_megabytes", "refused_types",
)  # fmt: skip
MOST_DAYS: Final = 36_500
_ENDING: Final = re.compile(r"[a-z0-9_+-]{1,20}")


@dataclass(frozen=True)
class Rules:
    """`reply_days` 0: reply addresses never run out. `refused_types`: endings of file names, lower case.
    `own`: they are the workspace's, not those of all."""

    proof: Proof = Proof.TOKEN
    new_items: NewItems = NewItems.ADDRESS
    strangers: Strangers = Strangers.REFUSE
    commands: bool = False
    reply_days: int = REPLY_DAYS
    max_files: int = files.MAX_COUNT
    max_megabytes: int = files.MAX_SIZE // 1024 // 1024
    refused_types: tuple[str, ...] = tuple(REFUSED_TYPES.split())
    own: bool = False

    @property
    def lifetime(self) -> timedelta | None:
        return timedelta(days=self.reply_days) if self.reply_days else None


def rules_for(workspace: Workspace | None) -> Rules:
    """The rules of a workspace; where it has none, or for None, those of all."""
    rows = MailRules.objects.filter(Q(workspace=None) | Q(workspace=workspace)).order_by("id")
    found = {row.workspace_id: row for row in rows}
    if workspace is not None and workspace.pk in found:
        return _rules(found[workspace.pk], own=True)
    return _rules(found[None], own=False) if None in found else Rules()


def save(workspace: Workspace | None, values: Mapping[str, Any]) -> Rules:
    """Change some or all rules, by their keys; the others stay. Raises ValidationError, keyed by field."""
    now = rules_for(workspace)
    wanted: dict[str, Any] = {key: getattr(now, key) for key in KEYS} | dict(values)
    checked = {key: _checked(key, wanted[key]) for key in wanted}
    with transaction.atomic():
        rows = MailRules.objects.filter(workspace=workspace)
        if not rows.update(**checked):
            MailRules.objects.create(workspace=workspace, **checked)
    return rules_for(workspace)


def follow_all(workspace: Workspace) -> None:
    """The workspace has no rules of its own any more."""
    MailRules.objects.filter(workspace=workspace).delete()


def _rules(row: MailRules, *, own: bool) -> Rules:
    return Rules(
        proof=Proof(row.proof),
        new_items=NewItems(row.new_items),
        strangers=Strangers(row.strangers),
        commands=row.commands,
        reply_days=row.reply_days,
        max_files=row.max_files,
        max_megabytes=row.max_megabytes,
        refused_types=tuple(row.refused_types.split()),
        own=own,
    )


def _checked(key: str, value: Any) -> Any:
    if key in ("proof", "new_items", "strangers"):
        choices = {"proof": Proof, "new_items": NewItems, "strangers": Strangers}[key]
        if value not in choices.values:
            raise ValidationError(
                {key: _("Choose one of: %(values)s.") % {"values": ", ".join(choices.values)}}
            )
        return str(value)
    if key == "commands":
        if value not in (True, False, "on", "off"):
            raise ValidationError({key: _("Enter on or off.")})
        return value in (True, "on")
    if key == "refused_types":
        words = value if isinstance(value, tuple | list) else re.split(r"[\s,;]+", str(value))
        endings = sorted({word.strip().lstrip("*.").lower() for word in words} - {""})
        wrong = [ending for ending in endings if not _ENDING.fullmatch(ending)]
        if wrong or len(endings) > 200:
            raise ValidationError({key: _("Enter endings of file names, with spaces between: exe js lnk")})
        return " ".join(endings)
    if key in ("reply_days", "max_files", "max_megabytes"):
        most = {"reply_days": MOST_DAYS, "max_files": files.MAX_COUNT}.get(
            key, files.MAX_SIZE // 1024 // 1024
        )
        text = str(value).strip()
        if not (text.isascii() and text.isdigit() and len(text) < 7 and int(text) <= most):
            raise ValidationError({key: _("Enter a whole number from 0 to %(most)d.") % {"most": most}})
        return int(text)
    raise ValidationError({key: _("There is no such setting.")})
