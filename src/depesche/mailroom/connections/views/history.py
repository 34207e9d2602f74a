"""Who changed what, and the way back to settings that worked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from depesche.mailroom.connections import queries as settings_queries
from depesche.mailroom.connections.actions import InvalidSettings
from depesche.mailroom.connections.choices import Auth
from depesche.mailroom.connections.forms import IncomingForm, OutgoingForm, Typed
from depesche.mailroom.connections.history import queries, restoring
from depesche.mailroom.connections.history.models import Area
from depesche.mailroom.connections.history.queries import ChangeRow, Difference
from depesche.mailroom.connections.hosts import same_host
from depesche.mailroom.connections.oauth.forms import OAuthForm
from depesche.mailroom.connections.watching.forms import AlarmForm
from depesche.mailroom.pages.numbers import whole_number
from depesche.mailroom.pages.rights import administrators_only

_PAGE_SIZE = 50
_FORMS: dict[Area, type[forms.Form]] = {
    Area.OUTGOING: OutgoingForm,
    Area.INCOMING: IncomingForm,
    Area.ALARMS: AlarmForm,
    Area.OAUTH: OAuthForm,
}


@dataclass(frozen=True)
class Line:
    """One value before and after, in words. `secret`: what became of it, in place of values."""

    label: str
    old: str = ""
    new: str = ""
    secret: str = ""


@dataclass(frozen=True)
class Shown:
    """A change as the page shows it."""

    row: ChangeRow
    lines: tuple[Line, ...]
    restorable: bool


class PasswordForm(forms.Form):
    """The password that goes with settings to be restored."""

    password = Typed(label=gettext_lazy("Password"), required=False, strip=False)


@require_safe
@administrators_only
def history(request: HttpRequest) -> HttpResponse:
    """The newest changes first; above them the way back."""
    area = request.GET.get("area", "")
    if area not in Area.values:
        area = ""
    before = request.GET.get("before", "")
    rows = queries.changes(area, before=whole_number(before), limit=_PAGE_SIZE + 1)
    newest = _in_force()
    context = {
        "changes": [shown(row, newest) for row in rows[:_PAGE_SIZE]],
        "more": rows[_PAGE_SIZE - 1].id if len(rows) > _PAGE_SIZE else None,
        "areas": [(one.value, one.label) for one in Area],
        "area": area,
        "back": [one for one in map(_way_back, (Area.OUTGOING, Area.INCOMING)) if one is not None],
    }
    return render(request, "depesche/connections/history.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def restore(request: HttpRequest, change_id: int) -> HttpResponse:
    """Show what a restoration would change, and what becomes of the password; do it."""
    row = queries.change(change_id)
    if row is None or row.values is None:
        raise Http404
    typed = request.POST if request.method == "POST" else None
    form = PasswordForm(typed, auto_id="%s", use_required_attribute=False)
    errors: list[str] = []
    if request.method == "POST" and form.is_valid():
        try:
            restoring.restore(row, by=request.user, password=form.cleaned_data["password"] or None)
        except InvalidSettings as error:
            errors = [_sentence(row.area, key, text) for key, texts in error.errors.items() for text in texts]
        else:
            messages.success(request, _("The settings are as they were. Workers use them within 5 seconds."))
            return redirect("connections:history")
    lines = _lines(row.area, _against_present(row))
    password = password_of(row)
    context = {"row": row, "lines": lines, "form": form, "errors": errors, "password": password}
    status = 422 if errors else 200
    return render(request, "depesche/connections/history_restore.html", context, status=status)


def password_of(row: ChangeRow) -> str:
    """What becomes of the stored password when these settings are restored: kept, needed, or "" (none is
    used)."""
    values = row.values or {}
    present: Any = (
        settings_queries.outgoing(row.place)
        if row.area is Area.OUTGOING
        else settings_queries.incoming(row.place)
    )
    uses = values.get("auth") == Auth.PASSWORD if row.area is Area.OUTGOING else bool(values.get("username"))
    if not uses or values.get("auth") == Auth.OAUTH2:
        return ""
    kept = present.has_password and same_host(present.password_host, str(values.get("host", "")))
    return "kept" if kept else "needed"


def shown(row: ChangeRow, in_force: dict[tuple[Area, int], dict[str, Any]]) -> Shown:
    present = in_force.get((row.area, row.place))
    restorable = (
        row.values is not None
        and present is not None
        and any(row.values[key] != value for key, value in present.items() if key in row.values)
    )
    return Shown(row, _lines(row.area, row.differences), restorable)


def _in_force() -> dict[tuple[Area, int], dict[str, Any]]:
    found = {(area, 0): restoring.present(area, 0) for area in (Area.OUTGOING, Area.INCOMING)}
    found |= {(Area.OUTGOING, 1): restoring.present(Area.OUTGOING, 1)}
    found |= {
        (Area.INCOMING, one.place): restoring.present(Area.INCOMING, one.place)
        for one in settings_queries.mailboxes()
    }
    return found


def _way_back(area: Area) -> dict[str, Any] | None:
    """The last settings that worked, where they are not in force."""
    row = queries.last_that_worked(area, 0, restoring.present(area, 0))
    if row is None:
        return None
    return {
        "row": row,
        "lines": _lines(area, _against_present(row)),
        "password": password_of(row),
    }


def _against_present(row: ChangeRow) -> tuple[Difference, ...]:
    present, values = restoring.present(row.area, row.place), row.values or {}
    return tuple(
        Difference(key, present[key], values[key])
        for key in present
        if key in values and present[key] != values[key]
    )


def _lines(area: Area, differences: tuple[Difference, ...]) -> tuple[Line, ...]:
    return tuple(
        Line(_label(area, one.key), secret=_SECRETS[one.secret]())
        if one.secret in _SECRETS
        else Line(_label(area, one.key), _words(area, one.key, one.old), _words(area, one.key, one.new))
        for one in differences
    )


_SECRETS = {
    "set": lambda: _("set"),
    "replaced": lambda: _("replaced"),
    "cleared": lambda: _("cleared"),
}


def _label(area: Area, key: str) -> str:
    form = _FORMS.get(area)
    field = form.base_fields.get(key) if form is not None else None
    return str(field.label) if field is not None and field.label else key


def _words(area: Area, key: str, value: Any) -> str:
    """A value as the form shows it."""
    if isinstance(value, bool):
        return _("on") if value else _("off")
    form = _FORMS.get(area)
    field = form.base_fields.get(key) if form is not None else None
    if isinstance(field, forms.ChoiceField):
        choices: Any = field.choices
        for code, label in choices:
            if str(code) == str(value) and value not in ("", None):
                return str(label)
    return "–" if value in ("", None) else str(value)


def _sentence(area: Area, key: str, text: str) -> str:
    return f"{_label(area, key)}: {text}" if key else text
