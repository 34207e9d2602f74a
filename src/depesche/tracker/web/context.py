"""What the frame of every page needs."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import get_language, get_language_info, ngettext
from django.utils.translation import gettext as _

from depesche.mailroom.connections import alarms
from depesche.mailroom.pages import places
from depesche.tracker.accounts import reachability
from depesche.tracker.accounts.models import Person

_ADMINISTRATION = frozenset({"connections", "outbox", "inbox"})
_PLACES = {
    "my-work": "work",
    "people": "administration",
    "person": "administration",
    "new-person": "administration",
    "workspaces": "administration",
    "workspace": "administration",
    "new-workspace": "administration",
    "mail-rules": "administration",
    "workspace-mail": "administration",
    "mail-templates": "administration",
    "mail-template": "administration",
    "new-mail-template": "administration",
    "mail": "items",
    "items": "items",
    "item": "items",
    "new-item": "items",
    "edit-item": "items",
    "comment": "items",
}


@dataclass(frozen=True)
class MailTrouble:
    """Why mail does not go out, for the banner that administrators see."""

    tone: str
    icon: str
    title: str
    reason: str
    url: str
    link: str


def _place(namespace: str, name: str) -> str:
    if namespace in _ADMINISTRATION:
        return "administration"
    return _PLACES.get(name, "") if namespace == "web" else namespace


def navigation(request: HttpRequest) -> dict[str, object]:
    """The place of the main navigation, the other language, and whether mail flows."""
    match = request.resolver_match
    namespace, name = (match.namespace, match.url_name or "") if match else ("", "")
    user = getattr(request, "user", None)
    return {
        "place": _place(namespace, name),
        "language_next": _other_language(),
        "links": places.links(namespace),
        "here": request.get_full_path() if request.method in {"GET", "HEAD"} else request.path,
        "here_is_not_sign_in": name != "sign-in",
        "address_trouble": reachability.trouble(user) if isinstance(user, Person) else None,
        "mail_trouble": _mail_trouble()
        if user is not None and user.is_authenticated and user.is_staff
        else None,
    }


def _other_language() -> dict[str, str] | None:
    present = (get_language() or settings.LANGUAGE_CODE).split("-", maxsplit=1)[0]
    for code, _name in settings.LANGUAGES:
        if code != present:
            return {"code": code, "name": get_language_info(code)["name_local"]}
    return None


def _mail_trouble() -> MailTrouble | None:
    """The worst of what is wrong; how much more there is stands behind it."""
    found = alarms.lately(timezone.now(), get_language() or "")
    if not found:
        return None
    worst, more = found[0], len(found) - 1
    critical = worst.level is alarms.Level.CRITICAL
    words = worst.words
    return MailTrouble(
        tone="fail" if critical else "wait",
        icon="fail" if critical else "warn",
        title=f"{words.title}.",
        reason=words.why,
        url=_url("connections:status" if more else worst.link),
        link=ngettext("Look at it, and at %(count)d more", "Look at it, and at %(count)d more", more)
        % {"count": more}
        if more
        else _("Look at it"),
    )


def _url(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
