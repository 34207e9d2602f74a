"""What the worker does where a project names nothing, and what `manage.py check` says of what it names."""

from __future__ import annotations

import django
import pytest
from django.test import override_settings
from pytest_django.fixtures import Settings

from depesche.mailroom.inbox import handlers
from depesche.mailroom.outbox import checks, tasks

POLLING = "depesche.mailroom.inbox.polling.PollMailboxes"


def test_without_a_setting_the_installed_apps_say_what_is_to_be_done(settings: Settings) -> None:
    del settings.DEPESCHE_WORKER_TASKS
    del settings.DEPESCHE_INBOX_HANDLERS
    named = {name for name in tasks.names() if name.startswith("depesche.mailroom.")}
    # The product names its tasks itself: those of the tracker come first. What it has of the mailroom is all.
    assert named == {
        POLLING,
        "depesche.mailroom.inbox.processing.ProcessMails",
        "depesche.mailroom.outbox.addresses.WatchRefusals",
        "depesche.mailroom.connections.oauth.renewal.RenewTokens",
        "depesche.mailroom.connections.presented.task.WatchCertificates",
        "depesche.mailroom.connections.watching.task.WatchMail",
        "depesche.mailroom.connections.domain.looking.LookAtDomains",
    }
    assert len(tasks.configured()) == len(tasks.names())
    assert handlers.names() == ["depesche.mailroom.bounces.BounceHandler"]


def test_the_product_forgets_none() -> None:
    assert checks.nothing_is_left_undone(None) == []


def test_a_task_that_is_left_out_is_named() -> None:
    fewer = [name for name in tasks.of_installed_apps() if name != POLLING]
    with override_settings(DEPESCHE_WORKER_TASKS=fewer):
        (warning,) = checks.nothing_is_left_undone(None)
    assert POLLING in warning.msg


def test_names_that_cannot_be_imported() -> None:
    with override_settings(DEPESCHE_WORKER_TASKS=["no.Such"], DEPESCHE_RIGHTS_CHECK="os.no_such"):
        assert [message.id for message in checks.names_are_importable(None)] == ["depesche.E020"] * 2


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (checks.BACKEND, False),
        ("django.core.mail.backends.smtp.EmailBackend", True),
        ("django.core.mail.backends.locmem.EmailBackend", False),  # a test run
        ("shop.mail.OwnBackend", False),  # it may well lead here
    ],
)
def test_where_the_projects_mails_go(path: str, told: bool, settings: Settings) -> None:
    if django.VERSION >= (6, 1):
        settings.MAILERS = {"default": {"BACKEND": path}}
    else:
        settings.EMAIL_BACKEND = path
    assert [message.id for message in checks.mails_come_here(None)] == ["depesche.W022"] * told
