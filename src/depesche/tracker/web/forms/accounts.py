"""Forms around a person: sign-in, passwords, my page, people."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from depesche.tracker.accounts.models import Person


class SignInForm(forms.Form):
    email = forms.CharField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
        error_messages={"required": _("Enter your e-mail address.")},
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("Enter your password.")},
    )


class ForgottenForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
        error_messages={
            "required": _("Enter your e-mail address."),
            "invalid": _("Enter a full address, with @: for example jana@example.org"),
        },
    )


def _new_password(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 8 characters, not one of the common ones, and unlike your name and address."),
        error_messages={"required": _("Enter a password.")},
    )


class SetPasswordForm(forms.Form):
    password = _new_password(_("New password"))


class ChangePasswordForm(forms.Form):
    old = forms.CharField(
        label=_("Present password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("Enter your present password.")},
    )
    password = _new_password(_("New password"))


class MeForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text=_("Others see it beside what you write, and in their mails."),
        error_messages={"required": _("Enter a name.")},
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=Person.Language.choices,
        widget=forms.RadioSelect,
        help_text=_("The pages and all mails to you come in this language."),
    )
    only_account_mails = forms.BooleanField(
        label=_("No mail to me, but for my account"),
        required=False,
        help_text=_(
            "Only mails about your account still reach you: a new password, for example. "
            "Nobody's comments or changes, no reminders."
        ),
    )


class PersonForm(forms.Form):
    """An administrator adds or changes a person."""

    name = forms.CharField(label=_("Name"), max_length=120, error_messages={"required": _("Enter a name.")})
    email = forms.CharField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text=_("To sign in with, and where mails go. An answer from this address counts as theirs."),
        error_messages={"required": _("Enter an e-mail address.")},
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=Person.Language.choices,
        widget=forms.RadioSelect,
        help_text=_("Pages and mails. The person can change it."),
    )
    role = forms.ChoiceField(
        label=_("Role"),
        choices=[("member", _("Member")), ("administrator", _("Administrator"))],
        widget=forms.RadioSelect,
    )
    only_account_mails = forms.BooleanField(
        label=_("No mail to this person, but for the account"), required=False
    )

    def __init__(self, *args: Any, new: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if new:
            del self.fields["only_account_mails"]
        self.fields["role"].consequences = {  # type: ignore[attr-defined]  # read by pages.fields
            "member": _("Sees the workspaces of which he or she is a member"),
            "administrator": _("Also manages people, workspaces and the e-mail settings"),
        }
