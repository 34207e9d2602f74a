"""The fixtures that every test may ask for; `tests/conftest.py` hands them out."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import django
import pytest

from tests.support.availability import require
from tests.support.certificates import Authority
from tests.support.chromium import chromium
from tests.support.dovecot import Dovecot
from tests.support.mail_host import MailHost
from tests.support.postfix import Postfix
from tests.support.postgres import create_database, drop_database
from tests.support.processes import Instance

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pytest_django.fixtures import SettingsWrapper


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A private certificate authority; `authority.pem` is the file to import."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def _running_mail_host(authority: Authority) -> Iterator[MailHost]:
    require("dovecot", "postfix")
    dovecot = Dovecot(authority)
    postfix = Postfix(authority, dovecot)
    try:
        dovecot.start()
        postfix.start()
        yield MailHost(authority, dovecot, postfix)
    finally:
        postfix.remove()
        dovecot.remove()


@pytest.fixture
def mail_host(_running_mail_host: MailHost) -> MailHost:
    """A real Postfix and a real Dovecot with alice, bob, carol and tracker; their mailboxes are empty."""
    _running_mail_host.clear()
    return _running_mail_host


@pytest.fixture
def postfix(mail_host: MailHost) -> Postfix:
    """The Postfix of `mail_host`."""
    return mail_host.postfix


@pytest.fixture
def dovecot(mail_host: MailHost) -> Dovecot:
    """The Dovecot of `mail_host`."""
    return mail_host.dovecot


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. No asyncio test may stand in the same file (an event loop runs in this thread meanwhile)."""
    require("chromium")
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # that loop is Playwright's; it never runs ORM code
    try:
        with chromium() as running:
            yield running
    finally:
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page with an empty profile: English, a common size."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


OUTBOX_BACKEND = "depesche.mailroom.outbox.backend.OutboxBackend"


@pytest.fixture
def outbox_backend(settings: SettingsWrapper) -> None:
    """Django's mail API leads into the outbox, in place of the mailbox in memory that test runs get."""
    if django.VERSION >= (6, 1):
        settings.MAILERS = {"default": {"BACKEND": OUTBOX_BACKEND}}
    else:
        settings.EMAIL_BACKEND = OUTBOX_BACKEND


@pytest.fixture
def instance_database_url() -> Iterator[str]:
    """An empty database of the kind under test, for other processes: "" means SQLite in their home."""
    server = os.environ.get("DEPESCHE_DATABASE_URL", "")
    if not server.startswith("postgres"):
        yield ""
        return
    name = f"instance_{secrets.token_hex(6)}"
    create_database(server, name)
    yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    drop_database(server, name)


@pytest.fixture
def instance(tmp_path: Path, instance_database_url: str) -> Iterator[Instance]:
    """An installation of its own on the database under test, to run real `depesche` commands on."""
    made = Instance(tmp_path / "home", database_url=instance_database_url)
    yield made
    made.stop_all()
