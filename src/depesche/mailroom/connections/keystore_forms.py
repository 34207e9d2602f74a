"""The forms of the keystore: a certificate from a file, and one that a server shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from depesche.mailroom.connections import validation
from depesche.mailroom.connections.fields import Checked, number_input, plain_input


class ImportForm(forms.Form):
    """A certificate file for the keystore; with host and port it holds for that server alone."""

    file = forms.FileField(label=_("Certificate file"))
    host = Checked(validation.host, label=_("Only for this server"), max_length=255, widget=plain_input())
    port = Checked(validation.port, label=_("and port"), widget=number_input())

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, auto_id="%s", use_required_attribute=False)

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if values.get("host") and "port" in values and values["port"] is None:
            self.add_error("port", _("Enter the server’s port too."))
        if values.get("port") and values.get("host") == "":
            self.add_error("host", _("Enter the server’s name too."))
        return values


class FetchForm(forms.Form):
    """The server whose certificate is to be looked at; `starttls` is what is spoken before TLS begins."""

    host = Checked(validation.host, label=_("Server"), max_length=255, widget=plain_input())
    port = Checked(validation.port, label=_("Port"), widget=number_input())
    starttls = forms.ChoiceField(
        label=_("How it begins"),
        required=False,
        choices=[
            ("", _("TLS from the first byte (SSL)")),
            ("smtp", _("SMTP with STARTTLS")),
            ("imap", _("IMAP with STARTTLS")),
            ("pop3", _("POP3 with STLS")),
        ],
    )

    def __init__(self, data: Any = None, initial: Mapping[str, str] | None = None) -> None:
        super().__init__(data, initial=dict(initial or {}), auto_id="%s", use_required_attribute=False)

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if values.get("host") == "":
            self.add_error("host", _("Enter the server’s name."))
        if "port" in values and values["port"] is None:
            self.add_error("port", _("Enter the server’s port."))
        return values
