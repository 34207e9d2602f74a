"""What a project must have so that its mails go out; ids 020 to 029 (see `pages.checks`)."""

from __future__ import annotations

import warnings
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

from depesche.mailroom.outbox import tasks
from depesche.mailroom.pages import checks as pages

BACKEND = "depesche.mailroom.outbox.backend.OutboxBackend"
_DJANGOS_OWN = "django.core.mail.backends.smtp.EmailBackend"


@register()
def apps_are_there(app_configs: pages.Apps, **options: Any) -> list[CheckMessage]:
    return pages.missing_apps("depesche.mailroom.outbox", ["depesche.mailroom.connections"])


@register(pages.TAG)
def names_are_importable(app_configs: pages.Apps, **options: Any) -> list[CheckMessage]:
    check = getattr(settings, "DEPESCHE_RIGHTS_CHECK", "")
    found = pages.not_importable("DEPESCHE_WORKER_TASKS", tasks.names())
    return found + pages.not_importable("DEPESCHE_RIGHTS_CHECK", [check] if check else [])


@register()
def nothing_is_left_undone(app_configs: pages.Apps, **options: Any) -> list[CheckMessage]:
    """A project that names its tasks itself names those of the installed apps, too."""
    forgotten = [name for name in tasks.of_installed_apps() if name not in tasks.names()]
    if not forgotten:
        return []
    return [
        Warning(
            "DEPESCHE_WORKER_TASKS leaves out what installed apps rely on: " + ", ".join(forgotten) + ".",
            hint="Add these names, or leave DEPESCHE_WORKER_TASKS out: then the worker does all of it.",
            id="depesche.W021",
        )
    ]


@register()
def mails_come_here(app_configs: pages.Apps, **options: Any) -> list[CheckMessage]:
    """Whether any of Django's ways to send a mail leads into the outbox."""
    if set(_backends()) != {_DJANGOS_OWN}:
        return []  # a backend of the project's own may well lead here; in a test run they go into the memory
    return [
        Warning(
            "The outbox is installed, but Django's mails do not go into it.",
            hint=f'Set EMAIL_BACKEND = "{BACKEND}" (Django 6.1: MAILERS["default"]["BACKEND"]).',
            id="depesche.W022",
        )
    ]


def _backends() -> list[str]:
    """Where the project's mails go: Django 6.1 has several ways, and calls the one of before deprecated."""
    mailers = getattr(settings, "MAILERS", None)
    if mailers:
        return [str(mailer.get("BACKEND", "")) for mailer in mailers.values()]
    if not settings.is_overridden("EMAIL_BACKEND"):
        return [_DJANGOS_OWN]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whose setting it is was told by Django itself
        return [str(settings.EMAIL_BACKEND)]
