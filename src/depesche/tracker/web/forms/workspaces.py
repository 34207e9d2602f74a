"""Forms of the administration of workspaces."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from depesche.tracker.accounts import queries
from depesche.tracker.accounts.models import Person


class NewWorkspaceForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120, error_messages={"required": _("Enter a name.")})
    key = forms.CharField(
        label=_("Key"),
        required=False,
        max_length=10,
        widget=forms.TextInput(attrs={"class": "short code", "autocapitalize": "characters"}),
        help_text=_(
            "Begins the number of each item and the subject of its mails: NW-482. It stays as it is. "
            "Left empty, it is made from the name."
        ),
    )

    def clean_key(self) -> str:
        return str(self.cleaned_data["key"]).strip().upper()


class SenderForm(forms.Form):
    """Whom mails about a workspace come from, in place of the system address (M4)."""

    address = forms.CharField(
        label=_("Sender address"),
        required=False,
        max_length=254,
        strip=True,
        widget=forms.TextInput(
            attrs={"spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}
        ),
        help_text=_(
            "Stands where the system address would. Answers reach their item all the same. Where the mail "
            "server refuses it, the mails go out From the system address. An address in another domain than "
            "the system address also gets the reports about mails that could not be delivered: let it lead "
            "into the tracker’s mailbox."
        ),
    )
    name = forms.CharField(
        label=_("Sender name"),
        required=False,
        max_length=120,
        strip=True,
        help_text=_("Stands before the address, in place of the server’s name."),
    )


class MembersForm(forms.Form):
    """Who is a member: everybody active, ticked or not."""

    members = forms.MultipleChoiceField(
        label=_("Members"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people: dict[str, Person] = {str(person.pk): person for person in queries.people()}
        field = self.fields["members"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(key, f"{person.name}, {person.email}") for key, person in self.people.items()]

    def clean_members(self) -> list[Person]:
        return [self.people[key] for key in self.cleaned_data["members"]]
