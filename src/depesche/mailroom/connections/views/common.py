"""What the pages share."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, QueryDict
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from depesche.mailroom.connections import queries
from depesche.mailroom.connections.actions import InvalidSettings
from depesche.mailroom.connections.diagnosis.pauses import reason_of_pause
from depesche.mailroom.pages import people


def resolved(url_name: str) -> str:
    """The address of a page; "" where the project has none of that name."""
    try:
        return reverse(url_name) if url_name else ""
    except NoReverseMatch:
        return ""


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def own_name(request: HttpRequest) -> str:
    user = request.user
    return str(getattr(user, "name", "") or user.get_username())


def own_address(request: HttpRequest) -> str:
    """The address of the person who looks at the page; empty where their account has none."""
    return people.address_of(request.user)


@dataclass(frozen=True)
class FailoverCard:
    """What the pages say of the failover: `host` is empty while there is none, `in_use` while it has the
    mails.
    """

    host: str
    flow: str
    in_use: bool


def failover_card() -> FailoverCard:
    settings, health = queries.outgoing(1), queries.health(1)
    in_use = settings.configured and queries.place_in_use() == 1
    return FailoverCard(settings.host if settings.configured else "", health.flow.value, in_use)


def mail_context(place: int = 0) -> dict[str, Any]:
    """For the head of each page: whether mail flows."""
    health = queries.health(place)
    return {"health": health, "reason_of_pause": reason_of_pause(health)}


def keystore_link() -> str:
    """For below the choice of the encryption: how many certificates are trusted, with the way there."""
    count = len(queries.keystore())
    text = ngettext("%(count)d certificate in the keystore", "%(count)d certificates in the keystore", count)
    return format_html('<a href="{}">{}</a>', reverse("connections:keystore"), text % {"count": count})


def changed_count(form: BaseForm) -> int:
    """How many fields differ from what is saved."""
    if not form.is_bound:
        return 0
    return len([name for name in form.changed_data if name != "port_default"])


def saved(form: BaseForm, save: Callable[[], object]) -> bool:
    """Whether what stands in the form was saved; else why not stands at its fields."""
    if not form.is_valid():
        return False
    try:
        save()
    except InvalidSettings as error:
        for key, sentences in error.errors.items():
            form.add_error(key or None, list(sentences))
        return False
    return True


def say_password_deleted(request: HttpRequest, form: BaseForm) -> None:
    """The form shows what was typed, and no errors: saving it was not asked for."""
    messages.success(request, _("The stored password was deleted. Nothing else was saved."))
    form.errors.clear()


def changes_of(request: HttpRequest, applicable: Container[str]) -> dict[str, str]:
    """The remedy of an earlier step that is to be applied: settings of the form, changed but not saved."""
    words = (word.partition("=") for word in request.POST.get("apply", "").split())
    return {key: value for key, equals, value in words if equals and key in applicable}


def applied(request: HttpRequest, changes: Mapping[str, str]) -> QueryDict:
    """What was typed, with these changes. A port among them is one that was chosen: it follows nothing."""
    data = request.POST.copy()
    for key, value in changes.items():
        data[key] = value
    if "port" in changes:
        data["port_default"] = ""
    return data
