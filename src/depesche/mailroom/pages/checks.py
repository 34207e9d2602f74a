"""What a project must have for the mail pages; `manage.py check` says what is missing, and the remedy.

Ids: 001 to 009 here, 010 to 019 in `connections.checks`, 020 to 029 in `outbox.checks`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.template import TemplateDoesNotExist, TemplateSyntaxError, engines
from django.template.backends.django import DjangoTemplates
from django.template.loader import get_template
from django.urls import NoReverseMatch, Resolver404, resolve
from django.utils.module_loading import import_string

from depesche.mailroom.pages import places

TAG = "depesche"
"""What holds for the worker too, which looks at these before it starts."""

Apps = Sequence[AppConfig] | None

_APPS = (
    "depesche.mailroom.pages",
    "django_htmx",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
)
_MIDDLEWARE = (  # in the order in which they must stand
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
)
_PROCESSORS = (
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
)


def missing_apps(needing: str, needed: Iterable[str]) -> list[CheckMessage]:
    """An error for each app that is not in INSTALLED_APPS."""
    return [
        Error(
            f"{needing} needs {name}, which is not installed in this project.",
            hint=f'Add "{name}" to INSTALLED_APPS.',
            id="depesche.E002",
        )
        for name in needed
        if not apps.is_installed(name)
    ]


def not_importable(setting: str, paths: Iterable[str]) -> list[CheckMessage]:
    """An error for each dotted path of that setting behind which there is nothing."""
    found: list[CheckMessage] = []
    for path in paths:
        try:
            import_string(path)
        except Exception as error:
            found.append(
                Error(
                    f"{setting} names {path!r}, which cannot be imported: {error}",
                    hint=f"Put the name in {setting} right, or take it out.",
                    id="depesche.E020",
                )
            )
    return found


@register(TAG)
def times_have_a_zone(app_configs: Apps, **options: Any) -> list[CheckMessage]:
    """Leases and back-off are moments: local time jumps back an hour every autumn."""
    if settings.USE_TZ:
        return []
    return [
        Error(
            "USE_TZ is False. Depesche needs times with a time zone: without one, mails would be submitted "
            "twice or an hour late when the clocks change.",
            hint="Set USE_TZ = True (Django's default; TIME_ZONE may stay as it is).",
            id="depesche.E001",
        )
    ]


@register()
def apps_are_there(app_configs: Apps, **options: Any) -> list[CheckMessage]:
    return missing_apps("The mail pages", _APPS)


@register()
def middleware_is_there(app_configs: Apps, **options: Any) -> list[CheckMessage]:
    """Each of the three or a subclass of it, in this order."""
    places_of = [_place(name) for name in _MIDDLEWARE]
    found: list[CheckMessage] = [
        Error(
            f"The mail pages need {name}, which is not in MIDDLEWARE.",
            hint=f'Add "{name}" to MIDDLEWARE.',
            id="depesche.E004",
        )
        for name, place in zip(_MIDDLEWARE, places_of, strict=True)
        if place is None
    ]
    there = [place for place in places_of if place is not None]
    if there != sorted(there):
        found.append(
            Error(
                "MIDDLEWARE has an order in which nobody is signed in on the mail pages.",
                hint="Let these stand in this order: " + ", ".join(_MIDDLEWARE) + ".",
                id="depesche.E005",
            )
        )
    return found


def _place(name: str) -> int | None:
    """Where it stands in MIDDLEWARE, it or a subclass; None where nowhere."""
    try:
        wanted = import_string(name)
    except ImportError:
        return None
    for position, path in enumerate(settings.MIDDLEWARE):
        try:
            used = import_string(path)
        except ImportError:  # Django itself says so when it starts
            continue
        if path == name or (isinstance(used, type) and issubclass(used, wanted)):
            return position
    return None


@register(Tags.templates)
def templates_are_found(app_configs: Apps, **options: Any) -> list[CheckMessage]:
    """The frame of every page is found, and knows who is signed in and what is to be said."""
    if not all(apps.is_installed(name) for name in _APPS):
        return []  # said above; the frame cannot be read without them
    used = [engine for engine in engines.all() if isinstance(engine, DjangoTemplates)]
    try:
        get_template("depesche/page.html")
    except TemplateDoesNotExist:
        return [
            Error(
                "The templates of the mail pages are not found.",
                hint='Have an entry with Django\'s own BACKEND and "APP_DIRS": True in TEMPLATES.',
                id="depesche.E006",
            )
        ]
    except TemplateSyntaxError as error:
        return [Error(f"The templates of the mail pages cannot be read: {error}", id="depesche.E006")]
    known = {path for engine in used for path in engine.engine.context_processors}
    return [
        Error(
            f"The mail pages need the context processor {name}.",
            hint=f'Add "{name}" to the context_processors in TEMPLATES.',
            id="depesche.E007",
        )
        for name in _PROCESSORS
        if name not in known
    ]


@register(Tags.urls)
def sign_in_is_there(app_configs: Apps, **options: Any) -> list[CheckMessage]:
    """Whoever opens a mail page without having signed in is led to LOGIN_URL: it should be a page."""
    if not settings.ROOT_URLCONF or not places.first_url():
        return []  # no mail page hangs in this project's addresses
    target = str(settings.LOGIN_URL)
    if "://" in target or target.startswith("//"):
        return []  # somewhere else
    if _leads_somewhere(target):
        return []
    return [
        Warning(
            f"LOGIN_URL is {target!r}, and there is no such page: who is not signed in cannot reach the mail "
            "pages.",
            hint='Set LOGIN_URL to the page where people sign in, such as "admin:login".',
            id="depesche.W008",
        )
    ]


def _leads_somewhere(target: str) -> bool:
    from django.shortcuts import resolve_url

    try:
        path = resolve_url(target)
        resolve(path.partition("?")[0].partition("#")[0])
    except (NoReverseMatch, Resolver404):
        return False
    return True
