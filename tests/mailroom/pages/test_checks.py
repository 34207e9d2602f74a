"""A project that is set up wrongly is told so, with the remedy: what is taken away here is missed there."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.checks import CheckMessage, run_checks
from django.test import override_settings

from depesche.mailroom.pages import checks


class OwnSessions(SessionMiddleware):
    """A project's own."""


def ids(found: list[CheckMessage]) -> list[str]:
    for message in found:
        assert message.hint or message.id == "depesche.E006"
    return [str(message.id) for message in found]


def without(values: list[str], *names: str) -> list[str]:
    return [value for value in values if value not in names]


@pytest.mark.django_db
def test_the_product_is_set_up_rightly() -> None:
    assert run_checks() == []


def test_times_without_a_zone() -> None:
    with override_settings(USE_TZ=False):
        assert ids(checks.times_have_a_zone(None)) == ["depesche.E001"]


@pytest.mark.parametrize("name", ["django_htmx", "django.contrib.messages"])
def test_an_app_that_is_missing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there = apps.is_installed
    monkeypatch.setattr(apps, "is_installed", lambda app: app != name and there(app))
    (error,) = checks.apps_are_there(None)
    assert name in error.msg
    assert name in str(error.hint)


@pytest.mark.parametrize("name", ["auth.middleware.Authentication", "messages.middleware.Message"])
def test_middleware_that_is_missing(name: str) -> None:
    path = f"django.contrib.{name}Middleware"
    with override_settings(MIDDLEWARE=without(django_settings.MIDDLEWARE, path)):
        (error,) = checks.middleware_is_there(None)
    assert (error.id, path in str(error.hint)) == ("depesche.E004", True)


def test_middleware_in_the_wrong_order() -> None:
    with override_settings(MIDDLEWARE=list(reversed(django_settings.MIDDLEWARE))):
        assert ids(checks.middleware_is_there(None)) == ["depesche.E005"]


def test_a_subclass_of_the_middleware_will_do() -> None:
    own = [
        f"{__name__}.OwnSessions" if path.endswith("SessionMiddleware") else path
        for path in django_settings.MIDDLEWARE
    ]
    with override_settings(MIDDLEWARE=own):
        assert checks.middleware_is_there(None) == []


def templates(**changed: Any) -> list[dict[str, Any]]:
    (engine,) = django_settings.TEMPLATES
    return [{**engine, **changed}]


def test_templates_that_are_not_found() -> None:
    with override_settings(TEMPLATES=templates(APP_DIRS=False)):
        assert ids(checks.templates_are_found(None)) == ["depesche.E006"]


def test_a_context_processor_that_is_missing() -> None:
    processors = without(
        django_settings.TEMPLATES[0]["OPTIONS"]["context_processors"],
        "django.contrib.messages.context_processors.messages",
    )
    with override_settings(TEMPLATES=templates(OPTIONS={"context_processors": processors})):
        (error,) = checks.templates_are_found(None)
    assert (error.id, "messages" in error.msg) == ("depesche.E007", True)


@pytest.mark.parametrize("target", ["/nowhere/", "no-such-name"])
def test_a_sign_in_that_is_not_there(target: str) -> None:
    with override_settings(LOGIN_URL=target):
        assert ids(checks.sign_in_is_there(None)) == ["depesche.W008"]


@pytest.mark.parametrize("target", ["web:sign-in", "/sign-in/?x=1", "https://id.example.org/in"])
def test_a_sign_in_that_is_there_or_elsewhere(target: str) -> None:
    with override_settings(LOGIN_URL=target):
        assert checks.sign_in_is_there(None) == []


def test_a_name_that_cannot_be_imported() -> None:
    (error,) = checks.not_importable("DEPESCHE_RIGHTS_CHECK", ["no.such.module", "os.path.join"])
    assert "no.such.module" in error.msg
