"""The registration with a provider as a form: the same for the page and for `connection set`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from depesche.mailroom.connections.fields import Checked
from depesche.mailroom.connections.forms import Typed
from depesche.mailroom.connections.oauth.models import Flow
from depesche.mailroom.connections.oauth.providers import PROVIDERS
from depesche.mailroom.connections.oauth.queries import OAuthSettings

KEYS = ("provider", "flow", "tenant", "client_id", "client_secret_expires")
_TENANT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,98}[A-Za-z0-9])?")
_CLIENT = re.compile(r"[A-Za-z0-9._~:/@-]{1,255}")
_EVERYBODY = frozenset({"common", "organizations", "consumers"})


def _tenant(text: str) -> str:
    text = text.strip()
    if text and not _TENANT.fullmatch(text):
        raise ValidationError(_("Enter the directory (tenant) ID, or a domain of your organisation."))
    return text.lower()


def _client_id(text: str) -> str:
    text = text.strip()
    if text and not _CLIENT.fullmatch(text):
        raise ValidationError(_("This is no client ID: copy the application (client) ID from the provider."))
    return text


def _plain() -> forms.TextInput:
    return forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "none"})


class OAuthForm(forms.Form):
    """`settings` are the saved ones. `needed`: some login of this place is by OAuth 2.0. `username` is the
    SMTP user name that is saved along with it: an app that signs in by itself has to name a mailbox.
    """

    provider = forms.ChoiceField(
        label=_("Provider"),
        required=False,
        choices=[("", _("None")), *((one.key, one.name) for one in PROVIDERS.values())],
        help_text=_("Whose account the mails go out through."),
    )
    flow = forms.ChoiceField(
        label=_("How the tracker gets in"),
        required=False,
        choices=Flow.choices,
        widget=forms.RadioSelect,
        help_text=_(
            "With consent, somebody signs in once with the tracker’s own account. Client credentials need no "
            "person, but the rights of an administrator at Microsoft; Google has no such way for mail."
        ),
    )
    tenant = Checked(
        _tenant,
        label=_("Directory (tenant)"),
        max_length=100,
        widget=_plain(),
        help_text=_(
            "Microsoft only: the directory ID or a domain. Empty for apps that are open to everybody."
        ),
    )
    client_id = Checked(
        _client_id,
        label=_("Client ID"),
        max_length=255,
        widget=_plain(),
        help_text=_("From the app that you registered with the provider."),
    )
    client_secret = Typed(label=_("Client secret"), required=False, strip=False)
    client_secret_expires = forms.DateField(
        label=_("The secret expires on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        help_text=_("Microsoft shows it beside the secret. You are warned 30 days before."),
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        settings: OAuthSettings,
        needed: bool = False,
        username: str = "",
        clears_secret: bool = False,
        **options: Any,
    ) -> None:
        self.settings = settings
        self.needed = needed
        self.username = username
        self.clears_secret = clears_secret
        options.setdefault("initial", oauth_values(settings))
        super().__init__(data, auto_id="%s", use_required_attribute=False, **options)

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What tokens belong to: with any other they are worthless. Only after is_valid()."""
        values = self.cleaned_data
        return values["provider"], values["tenant"], values["client_id"], values["flow"]

    @property
    def is_new_client(self) -> bool:
        """Whether the stored client secret belongs to another registration."""
        saved = self.settings
        values = self.cleaned_data
        return (saved.provider, saved.client_id) != (values.get("provider"), values.get("client_id"))

    def clean_flow(self) -> str:
        return self.cleaned_data["flow"] or Flow.CODE

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        provider = values.get("provider", "")
        if self.needed and not provider and "provider" not in self.errors:
            self.add_error("provider", _("Choose the provider: OAuth 2.0 is set as authentication."))
        if not provider:
            return values
        if values.get("client_id") == "":
            self.add_error("client_id", _("Enter the client ID."))
        if provider != "microsoft":
            values["tenant"] = ""
        if values.get("flow") == Flow.APP:
            self._check_app(values, provider)
        elif self._secret_is_gone(values):
            self.add_error(
                "client_secret", _("The stored client secret belongs to another app. Type this one’s.")
            )
        return values

    def _check_app(self, values: dict[str, Any], provider: str) -> None:
        if not PROVIDERS[provider].app_scope:
            self.add_error(
                "flow", _("This provider has no client credentials for mail. Choose the other way.")
            )
            return
        if "tenant" in values and values["tenant"] in {"", *_EVERYBODY}:
            self.add_error(
                "tenant", _("Client credentials need the directory (tenant) of your organisation.")
            )
        has_secret = self.settings.has_secret and not self.clears_secret and not self.is_new_client
        # It was forgotten ("Disconnect"): the other settings can still be changed.
        forgotten = self.settings.flow == Flow.APP and not self.is_new_client and not self.settings.has_secret
        if not values.get("client_secret") and not has_secret and not forgotten:
            self.add_error("client_secret", gettext("Type the client secret."))
        if self.needed and not self.username:
            self.add_error(
                "flow", _("With client credentials the user name has to name the mailbox: enter it above.")
            )

    def _secret_is_gone(self, values: dict[str, Any]) -> bool:
        return self.settings.has_secret and self.is_new_client and not values.get("client_secret")


def oauth_values(settings: OAuthSettings) -> dict[str, Any]:
    """The settings by the keys of `connection set`. Never a secret."""
    return {
        "provider": settings.provider,
        "flow": settings.flow,
        "tenant": settings.tenant,
        "client_id": settings.client_id,
        "client_secret_expires": settings.secret_expires,
    }
