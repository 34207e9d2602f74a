"""Forms of a mail from an item, of templates for it, and of the rules for mails that come in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from depesche.mailformat.addresses import Address, parse_address_list
from depesche.tracker.accounts.models import Person
from depesche.tracker.correspondence.choices import NewItems, Proof, Strangers
from depesche.tracker.correspondence.rules import Rules
from depesche.tracker.items.actions import MAX_TEXT
from depesche.tracker.items.models import Attachment
from depesche.tracker.web.forms.items import FilesField

_MOST = 10_000  # characters of a field with addresses


class AddressesField(forms.CharField):
    """Addresses with or without names, between commas, semicolons or line ends. Gives a list of Address."""

    def clean(self, value: Any) -> list[Address]:
        text = str(super().clean(value)).replace(";", ",").replace("\r", "\n").replace("\n", ",")
        found = list(dict.fromkeys(parse_address_list(text)))
        typed = [piece for piece in text.split(",") if "@" in piece]
        if len(typed) > len(found) or (text.strip(" ,") and not found):
            raise forms.ValidationError(_("Enter addresses like jane@example.org, with commas between."))
        return found


class MailForm(forms.Form):
    to = AddressesField(
        label=_("To"),
        max_length=_MOST,
        help_text=_(
            "One or more addresses, with commas between. Who has no sign-in here becomes a guest of this "
            "item, "
            "and sees only the mails of their own thread."
        ),
        error_messages={"required": _("Enter at least one address.")},
    )
    cc = AddressesField(label=_("Cc"), required=False, max_length=_MOST)
    language = forms.ChoiceField(
        label=_("Language"),
        choices=Person.Language.choices,
        help_text=_("Of what stands around your words, and of later mails to a new guest."),
    )
    subject = forms.CharField(
        label=_("Subject"), max_length=250, error_messages={"required": _("Enter a subject.")}
    )
    text = forms.CharField(
        label=_("Text"),
        max_length=MAX_TEXT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "class": "tall"}),
        error_messages={"required": _("Write something.")},
        help_text=_("Markdown: **bold**, *italic*, lists with -, links as they are."),
    )
    details = forms.BooleanField(label=_("Add key, title, state and due date of the item"), required=False)
    quote = forms.BooleanField(
        label=_("Quote the last mail of this thread"),
        required=False,
        help_text=_("Only what every recipient has had already is quoted, never a comment of colleagues."),
    )
    attachments = forms.MultipleChoiceField(
        label=_("Files of the item"), required=False, widget=forms.CheckboxSelectMultiple
    )
    uploads = FilesField(
        label=_("Further files"), required=False, help_text=_("They go out as attachments of the mail.")
    )

    def __init__(self, *args: Any, attachments: list[Attachment], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["attachments"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(str(file.pk), file.filename) for file in attachments]
        if not attachments:
            del self.fields["attachments"]

    def clean_attachments(self) -> list[int]:
        return [int(pk) for pk in self.cleaned_data["attachments"]]


class TemplateForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=80, error_messages={"required": _("Enter a name.")})
    language = forms.ChoiceField(label=_("Language"), choices=Person.Language.choices)
    subject = forms.CharField(
        label=_("Subject"),
        max_length=200,
        required=False,
        help_text=_("Left empty: key and title of the item."),
    )
    text = forms.CharField(
        label=_("Text"),
        max_length=20_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 10, "class": "tall"}),
        error_messages={"required": _("Write something.")},
        help_text=_("{item}, {title}, {state} and {name} are replaced: key, title and state of the item, and "
                    "the name of who writes."),
    )  # fmt: skip


class RulesForm(forms.Form):
    """The rules of a workspace, or of all."""

    own = forms.BooleanField(
        label=_("This workspace has rules of its own"),
        required=False,
        help_text=_("Without them the rules for all workspaces hold."),
    )
    proof = forms.ChoiceField(
        label=_("An answer becomes a comment with"),
        choices=Proof.choices,
        widget=forms.RadioSelect,
        help_text=_(
            "Whatever is less is held for a decision. A sender address alone can be forged by anybody. The "
            "check "
            "of your mail server counts once that server is named under “Incoming”; a mail that fails it is "
            "always held."
        ),
    )
    new_items = forms.ChoiceField(
        label=_("A new item by mail from a member needs"), choices=NewItems.choices, widget=forms.RadioSelect
    )
    strangers = forms.ChoiceField(
        label=_("New mails from unknown senders"),
        choices=Strangers.choices,
        widget=forms.RadioSelect,
        help_text=_(
            "Guests have no sign-in. They get mails that somebody writes to them from an item, and nothing "
            "else. "
            "The rule of the workspace that a mail was written to decides."
        ),
    )
    commands = forms.BooleanField(
        label=_("Take commands from the first lines of a mail"),
        required=False,
        help_text=_(
            "“state: closed”, “responsible: jane@example.org”, “due: 2026-12-01”, “priority: high”, or the "
            "same "
            "words in German, alone on the first lines. Only from members whose mail is more than a sender "
            "address."
        ),
    )
    reply_days = forms.CharField(
        label=_("Reply addresses are good for"),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "short num"}),
        help_text=_("Days. An answer to an older mail is held. 0: for ever."),
    )
    max_files = forms.CharField(
        label=_("Files of one mail at most"),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "short num"}),
    )
    max_megabytes = forms.CharField(
        label=_("Megabytes of one file at most"),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "short num"}),
    )
    refused_types = forms.CharField(
        label=_("Types of files that are not taken"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text=_("Endings of file names. What is left out is named in the comment and in an answer."),
    )

    def __init__(self, *args: Any, rules: Rules, shared: bool, **kwargs: Any) -> None:
        values = {
            name: getattr(rules, name)
            for name in (
                "own", "proof", "new_items", "strangers", "commands",
                "reply_days", "max_files", "max_megabytes",
            )
        }  # fmt: skip
        values["refused_types"] = " ".join(rules.refused_types)
        kwargs["initial"] = values
        super().__init__(*args, **kwargs)
        if shared:
            del self.fields["own"]
