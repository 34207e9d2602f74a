"""What a form asks about a mailbox beside how to reach it: its name, its address, whose mail it is, and what
becomes of a mail that is stored.

Whose mail it is, a workspace of the tracker for instance, is a word that the mailroom only keeps: what may be
chosen comes from settings.DEPESCHE_MAILBOX_WORKSPACES, a dotted function that returns pairs of value and
label.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings as django_settings
from django.core.exceptions import ValidationError
from django.utils.module_loading import import_string
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from depesche.mailroom.connections import validation
from depesche.mailroom.connections.choices import MailboxProtocol, WhenTaken
from depesche.mailroom.connections.queries import IncomingSettings

KEYS = ("name", "address", "workspace", "folder", "when_taken", "move_to")


def workspaces() -> list[tuple[str, str]]:
    """What a mailbox can be given to: value and label; nothing where the settings name nobody who knows."""
    path = getattr(django_settings, "DEPESCHE_MAILBOX_WORKSPACES", "")
    return list(import_string(path)()) if path else []


class _Plain(forms.CharField):
    widget = forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"})


class MailboxFields(forms.Form):
    """The part of the form of a mailbox that is not about reaching it."""

    settings: IncomingSettings

    name = forms.CharField(
        label=_("Name of this mailbox"),
        required=False,
        max_length=40,
        help_text=_("For lists and commands, where there are several mailboxes."),
    )
    address = _Plain(
        label=_("Its address"),
        required=False,
        max_length=254,
        help_text=_(
            "The address whose mails arrive here, if it is not the system address. What is written to it "
            "belongs to this mailbox even if it comes another way."
        ),
    )
    workspace = forms.ChoiceField(
        label=_("New mails belong to"),
        required=False,
        help_text=_("Where a mail that answers nothing makes a new item."),
    )
    folder = _Plain(label=_("Folder"), required=False, max_length=200, help_text=_("IMAP only."))
    when_taken = forms.ChoiceField(
        label=_("A mail that was taken over"),
        required=False,
        choices=[("", _("As usual: IMAP leaves it, POP3 deletes it")), *WhenTaken.choices],
        widget=forms.RadioSelect,
        help_text=_("Only once the whole mail is stored here, durably, is anything done at the server."),
    )
    move_to = _Plain(
        label=_("Folder for mails taken over"),
        required=False,
        max_length=200,
        help_text=_("It is made if it is not there."),
    )

    def offer_workspaces(self) -> None:
        """The choices of the moment; one that is set and gone meanwhile stays to be seen."""
        offered = workspaces()
        current = self.settings.workspace
        if current and current not in dict(offered):
            offered.append((current, gettext("%(name)s (not there any more)") % {"name": current}))
        field = self.fields["workspace"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("The workspace for new mails")), *offered]

    def clean_name(self) -> str:
        return validation.name(self.cleaned_data["name"]) if self.cleaned_data["name"].strip() else ""

    def clean_address(self) -> str:
        typed: str = self.cleaned_data["address"].strip()
        return validation.address(typed) if typed else ""

    def clean_folder(self) -> str:
        return _folder(self.cleaned_data["folder"]) or "INBOX"

    def clean_move_to(self) -> str:
        return _folder(self.cleaned_data["move_to"])

    def check_taking(self, values: Mapping[str, Any]) -> None:
        """What is done with a stored mail must be possible there."""
        if values.get("when_taken") != WhenTaken.MOVE:
            return
        if values.get("protocol") == MailboxProtocol.POP3:
            self.add_error("when_taken", gettext("POP3 knows no folders. Leave the mails, or delete them."))
        elif not values.get("move_to"):
            self.add_error("move_to", gettext("Enter the folder that mails are moved to."))
        elif values["move_to"].casefold() == (values.get("folder") or "INBOX").casefold():
            self.add_error("move_to", gettext("This is the folder that the mails come from."))


def _folder(typed: str) -> str:
    name = typed.strip()
    if any(ord(character) < 32 or character in '*%"\\\x7f' for character in name):
        raise ValidationError(_('A folder’s name has no * % " or \\ and no control characters.'))
    return name


def of(settings: IncomingSettings) -> dict[str, Any]:
    """These settings by their keys."""
    return {
        "name": settings.name,
        "address": settings.address,
        "workspace": settings.workspace,
        "folder": settings.folder,
        "when_taken": settings.when_taken,
        "move_to": settings.move_to,
    }
