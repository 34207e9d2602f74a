"""The settings of the alarms: the same form for the page and for `depesche alarms set`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from depesche.mailroom.connections import validation
from depesche.mailroom.connections.alarms import Level
from depesche.mailroom.connections.fields import Checked
from depesche.mailroom.connections.secrets import Secret
from depesche.mailroom.connections.watching import webhook
from depesche.mailroom.connections.watching.queries import AlarmWays

_MOST_ADDRESSES = 50
_LONGEST_SECRET = 500


class Hidden(forms.CharField):
    """A text that is never in the page again after it was typed; becomes a Secret."""

    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "off"})

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=webhook.LONGEST, **options)

    def clean(self, value: Any) -> Secret:
        return Secret(super().clean(value))


def _number() -> forms.TextInput:
    return forms.TextInput(attrs={"inputmode": "numeric", "class": "short num"})


def _whole(lowest: int, highest: int) -> Any:
    def check(text: str) -> int:
        number = validation.whole_number(text, lowest, highest)
        if number is None:
            raise ValidationError(_("Enter a whole number."))
        return number

    return check


class AlarmForm(forms.Form):
    """When and how alarms are told, and from when on something is one."""

    webhook = Hidden(
        label=_("Address of the webhook"),
        help_text=_(
            "Each alarm goes there as JSON by HTTP POST: once when it began, once when it is over. Chat "
            "programs that take a “text” show it at once.\n\nIt is kept like a password, since with many "
            "programs whoever knows it may write there."
        ),
    )
    secret = Hidden(
        label=_("Secret of the signature"),
        help_text=_(
            "With it the receiver can prove that an alarm comes from here (X-Depesche-Signature, "
            "HMAC-SHA256). Chat programs need none."
        ),
    )
    mail = forms.BooleanField(
        label=_("Tell by mail as well"),
        required=False,
        help_text=_(
            "Through whichever connection works. While none does, the mail waits; when the alarm is over by "
            "then, it is not written at all."
        ),
    )
    mail_to = forms.CharField(
        label=_("To these addresses"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "autocapitalize": "none"}),
        help_text=_("One a line. Empty: every administrator."),
    )
    level = forms.ChoiceField(
        label=_("What is told"),
        choices=[
            (Level.WARNING.value, _("Warnings too")),
            (Level.CRITICAL.value, _("Only when mail stands still")),
        ],
        widget=forms.RadioSelect,
    )
    patience = Checked(
        _whole(0, 24 * 60),
        label=_("Minutes before it is told"),
        widget=_number(),
        help_text=_("What is over before that is told to nobody. The page shows it all the same."),
    )
    language = forms.ChoiceField(
        label=_("Language of the alarms"),
        required=False,
        choices=[("", _("The server’s")), *settings.LANGUAGES],
    )
    late = Checked(
        _whole(1, 7 * 24 * 60),
        label=_("A mail is late after so many minutes"),
        widget=_number(),
        help_text=_("Counted from when it was due, while the connection works."),
    )
    failed_per_day = Checked(
        _whole(1, 1_000_000),
        label=_("Failed mails a day that are too many"),
        widget=_number(),
    )
    silence = forms.BooleanField(
        label=_("Say when the mailbox is silent for longer than usual"),
        required=False,
        help_text=_(
            "Depesche learns from the last four weeks how long a silence is usual here, weekends included."
        ),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, ways: AlarmWays, **options: Any) -> None:
        self.ways = ways
        options.setdefault("initial", alarm_values(ways))
        super().__init__(data, auto_id="%s", use_required_attribute=False, **options)

    def clean_webhook(self) -> Secret:
        address: Secret = self.cleaned_data["webhook"]
        if address:
            try:
                webhook.target(address.reveal())
            except webhook.BadAddress as error:
                raise ValidationError(str(error)) from None
        return address

    def clean_secret(self) -> Secret:
        secret: Secret = self.cleaned_data["secret"]
        if len(secret.reveal()) > _LONGEST_SECRET:
            raise ValidationError(_("At most 500 characters."))
        return secret

    def clean_mail_to(self) -> list[str]:
        found: list[str] = []
        for text in self.cleaned_data["mail_to"].replace(",", " ").split():
            address = validation.address(text)
            if address and address not in found:
                found.append(address)
        if len(found) > _MOST_ADDRESSES:
            raise ValidationError(_("At most 50 addresses."))
        return found


def alarm_values(ways: AlarmWays) -> dict[str, Any]:
    """The settings as the form has them; never the webhook or its secret."""
    return {
        "level": ways.level,
        "patience": ways.patience,
        "language": ways.language,
        "mail": ways.mail,
        "mail_to": "\n".join(ways.mail_to),
        "late": ways.late,
        "failed_per_day": ways.failed_per_day,
        "silence": ways.silence,
    }
