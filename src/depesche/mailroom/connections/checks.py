"""What a project must have so that connections can be configured; ids 010 to 019 (see `pages.checks`)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import connections, router

from depesche.mailroom.connections import secrets
from depesche.mailroom.connections.models import OutgoingConnection
from depesche.mailroom.pages import checks as pages

_DJANGOS_OWN = "django.db.backends.sqlite3"  # another may have a way of its own to wait


@register()
def apps_are_there(app_configs: pages.Apps, **options: Any) -> list[CheckMessage]:
    return pages.missing_apps("depesche.mailroom.connections", ["depesche.mailroom.pages"])


@register(pages.TAG)
def database_is_known(app_configs: pages.Apps, **options: Any) -> list[CheckMessage]:
    """The queue is written for two databases; SQLite must let writers wait for each other."""
    alias = router.db_for_write(OutgoingConnection)
    database = connections[alias]
    if database.vendor not in {"sqlite", "postgresql"}:
        return [
            Error(
                f"The mails would lie in a {database.display_name} database. Depesche knows PostgreSQL and "
                "SQLite.",
                hint="Use one of the two for this project, or route Depesche's apps to one.",
                id="depesche.E010",
            )
        ]
    if database.vendor != "sqlite":
        return []
    options_of = database.settings_dict.get("OPTIONS", {})
    immediate = str(options_of.get("transaction_mode", "")).upper() in {"IMMEDIATE", "EXCLUSIVE"}
    patient = database.settings_dict["ENGINE"] != _DJANGOS_OWN or float(options_of.get("timeout", 5)) >= 10
    if immediate and patient:
        return []
    return [
        Warning(
            "While the worker submits mails, pages that save something may fail with “database is locked”.",
            hint=(
                f'Set DATABASES["{alias}"]["OPTIONS"] = '
                '{"transaction_mode": "IMMEDIATE", "timeout": 20}, or use PostgreSQL.'
            ),
            id="depesche.W011",
        )
    ]


@register(pages.TAG)
def keys_are_usable(app_configs: pages.Apps, **options: Any) -> list[CheckMessage]:
    """DEPESCHE_KEYS, where the project has it: without it, a key is made of SECRET_KEY."""
    if getattr(settings, "DEPESCHE_KEYS", None) is None:
        return []
    problem = secrets.problem_of_keys()
    if not problem:
        return []
    return [
        Error(
            f"Passwords cannot be stored: {problem}",
            hint="Let DEPESCHE_KEYS be a list of octets, 32 each (secrets.token_bytes(32)), or take it out.",
            id="depesche.E012",
        )
    ]


@register()
def links_lead_somewhere(app_configs: pages.Apps, **options: Any) -> list[CheckMessage]:
    """A mail about an alarm links to a page; its address never comes from a Host header."""
    if str(getattr(settings, "DEPESCHE_BASE_URL", "") or "").startswith(("http://", "https://")):
        return []
    return [
        Warning(
            "DEPESCHE_BASE_URL is not set: links in mails about alarms lead nowhere, and no login with OAuth "
            "can be set up.",
            hint='Set DEPESCHE_BASE_URL = "https://…", the address that people open in their browser.',
            id="depesche.W013",
        )
    ]


@register(pages.TAG)
def workspaces_can_be_asked(app_configs: pages.Apps, **options: Any) -> list[CheckMessage]:
    path = getattr(settings, "DEPESCHE_MAILBOX_WORKSPACES", "")
    return pages.not_importable("DEPESCHE_MAILBOX_WORKSPACES", [path] if path else [])
