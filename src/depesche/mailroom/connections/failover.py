"""The failover: a second connection, used while the first one rests (M2). Its form.

It has its own server, login and cap, and may have its own sender. What it leaves open there is as the
connection has it; encoding and items by mail are the connection's in any case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from depesche.mailroom.connections.choices import Auth
from depesche.mailroom.connections.forms import OutgoingForm, outgoing_values
from depesche.mailroom.connections.queries import OutgoingSettings

PLACE = 1
_OF_THE_CONNECTION = ("charset", "items_by_mail")


class FailoverForm(OutgoingForm):
    """The connection's form without what holds for both."""

    stands_alone = False

    def __init__(self, data: Mapping[str, Any] | None = None, **options: Any) -> None:
        super().__init__(data, **options)
        for name in _OF_THE_CONNECTION:
            del self.fields[name]
        auth: Any = self.fields["auth"]
        auth.choices = [choice for choice in auth.choices if choice[0] != Auth.OAUTH2]
        as_there = _("Left empty, it is as the connection has it.")
        for name in ("system_address", "system_name"):
            self.fields[name].help_text = as_there
        self.fields["host"].help_text = _(
            "Another server, or another way to the same one. Left empty, there is no failover."
        )

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        values.setdefault("charset", OutgoingSettings.charset)
        values.setdefault("items_by_mail", False)
        return values


def failover_values(settings: OutgoingSettings) -> dict[str, Any]:
    """The saved settings by their keys."""
    return {key: value for key, value in outgoing_values(settings).items() if key not in _OF_THE_CONNECTION}
