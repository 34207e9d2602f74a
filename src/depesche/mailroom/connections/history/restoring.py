"""Back to settings that were in force before.

Secrets are not part of the history: a stored password is kept where it was typed for the host that the
settings lead to, and is asked for again where not.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from depesche.mailroom.connections import actions, queries
from depesche.mailroom.connections.actions import InvalidSettings, Person
from depesche.mailroom.connections.forms import incoming_values, outgoing_values
from depesche.mailroom.connections.history.models import Area
from depesche.mailroom.connections.history.queries import ChangeRow
from depesche.mailroom.connections.secrets import Secret


def present(area: Area, place: int) -> dict[str, Any]:
    """The settings as they are now, by their keys."""
    if area is Area.OUTGOING:
        return outgoing_values(queries.outgoing(place))
    return incoming_values(queries.incoming(place))


def restore(change: ChangeRow, *, by: Person = None, password: str | Secret | None = None) -> None:
    """Save the settings as they were after this change. Raises InvalidSettings: a password is missing for the
    host, or something that they need is no longer there."""
    if change.values is None or change.area not in (Area.OUTGOING, Area.INCOMING):
        raise InvalidSettings({"": [_("There is nothing to restore.")]})
    known = present(change.area, change.place)
    values = {key: value for key, value in change.values.items() if key in known}
    if change.area is Area.OUTGOING:
        form = actions.outgoing_form(values, password=password, place=change.place)
        actions.save_outgoing_form(form, by=by, restored=True)
    else:
        mailbox = actions.incoming_form(values, password=password, place=change.place)
        actions.save_incoming_form(mailbox, by=by, restored=True)
