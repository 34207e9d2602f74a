"""Form fields whose value is made by a function of validation.py, and the group of those about volume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from depesche.mailroom.connections import validation
from depesche.mailroom.connections.volume import (
    MESSAGES_PER_CONNECTION,
    MOST_PER_CONNECTION,
    MOST_PER_MINUTE,
    WIDEST_WINDOW,
    WINDOW,
    Volume,
)

if TYPE_CHECKING:
    from collections.abc import Callable


class Checked(forms.CharField):
    """A text that one function of validation.py turns into the value to store."""

    def __init__(self, check: Callable[[str], Any], **options: Any) -> None:
        self.check = check
        options.setdefault("required", False)
        options.setdefault("strip", False)
        super().__init__(**options)
        self.widget.attrs.setdefault("autocomplete", "off")

    def clean(self, value: Any) -> Any:
        return self.check(super().clean(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        """A stored number is compared as the page shows it."""
        return super().has_changed("" if initial is None else str(initial), data)


def plain_input() -> forms.TextInput:
    """A field for a name that no program is to correct."""
    return forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "none"})


def number_input() -> forms.TextInput:
    """A short field for a whole number."""
    return forms.TextInput(attrs={"inputmode": "numeric", "class": "short num"})


class VolumeFields(forms.Form):
    """The fields of the form; empty ones stand for the defaults."""

    messages_per_connection = Checked(
        lambda text: validation.whole_number(text, 1, MOST_PER_CONNECTION),
        label=_("Mails per connection"),
        widget=number_input(),
        help_text=_(
            "After so many mails a connection is closed and a new one opened. Lower it where the server ends "
            "long connections by itself. Empty: 1000."
        ),
    )
    messages_per_minute = Checked(
        lambda text: validation.whole_number(text, 1, MOST_PER_MINUTE),
        label=_("Mails per minute"),
        widget=number_input(),
        help_text=_(
            "The most mails in a minute, over all processes and machines together. For servers with a quota. "
            "Empty: no limit."
        ),
    )
    chunking_window = Checked(
        lambda text: validation.whole_number(text, 1, WIDEST_WINDOW),
        label=_("Mails under way at once"),
        widget=number_input(),
        help_text=_(
            "On one connection, where the server offers CHUNKING: the next mails go out before the first one "
            "is answered. 1 switches it off. Empty: 4."
        ),
    )

    def volume(self) -> Volume:
        """What stands in the form; only after is_valid()."""
        values = self.cleaned_data
        return Volume(
            values["messages_per_connection"] or MESSAGES_PER_CONNECTION,
            values["messages_per_minute"],
            values["chunking_window"] or WINDOW,
        )
