"""OAuth 2.0 in real processes: consent in a browser session, four workers and one renewal, a server that
refuses the token, and no token, code, verifier or client secret anywhere (M11, M12)."""

from __future__ import annotations

import html
import re
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from depesche.smtpclient.testing.server import Behaviour, FakeServer, in_thread
from tests.journeys.test_secrets import PASSWORD, Browser, Search, crawl, shapes
from tests.support.authorisation_server import AuthorisationServer
from tests.support.ports import free_port
from tests.support.processes import Instance
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.journey, pytest.mark.both_databases]

SETTINGS = """
from depesche.server.settings import *
DEPESCHE_OAUTH_ADDRESSES = {{"microsoft": "{base}"}}
LOGGING = LOGGING | {{"root": {{"handlers": ["stderr"], "level": "DEBUG"}}, "loggers": {{
    name: {{"level": "DEBUG"}} for name in ("django", "uvicorn", "asyncio", "mail.log", "depesche")}}}}
"""
MAILS = 20


class Latest(dict[str, str]):
    """The users of the mail server: whoever comes with the newest token gets in."""

    def __init__(self, server: AuthorisationServer) -> None:
        super().__init__()
        self.server = server
        self.refuses = False

    def get(self, user: str, default: Any = None) -> Any:
        return None if self.refuses or not self.server.state.tokens else self.server.state.tokens[-1]


@pytest.fixture
def provider(instance: Instance, tmp_path: Path) -> Iterator[AuthorisationServer]:
    with AuthorisationServer("microsoft") as server:
        (tmp_path / "oauth_settings.py").write_text(SETTINGS.format(base=server.base), encoding="utf-8")
        instance.environment |= {"PYTHONPATH": str(tmp_path), "DJANGO_SETTINGS_MODULE": "oauth_settings"}
        yield server


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def redirected(url: str) -> str:
    """Where a page of the provider sends the browser."""
    try:
        urllib.request.build_opener(_Stay).open(url, timeout=30)
    except urllib.error.HTTPError as answer:
        with answer:
            return str(answer.headers["Location"])
    raise AssertionError("no redirect")


def connect(browser: Browser, provider: AuthorisationServer, port: int) -> str:
    """Save and connect, sign in at the provider, come back: the path that the browser came back by."""
    form = {
        "host": "127.0.0.1", "port": str(port), "encryption": "none", "auth": "oauth2", "username": "",
        "allow_clear_password": "on", "system_address": "tracker@example.org", "system_name": "X",
        "sender": "system", "charset": "utf-8", "maxNoOfSMTPConnections": "10", "provider": "microsoft",
        "flow": "code", "tenant": "", "client_id": provider.state.client_id,
        "client_secret": provider.state.client_secret, "client_secret_expires": "2030-01-31", "connect": "1",
    }  # fmt: skip
    status, _kind, text = browser.open("/mail/connection/", form)
    assert status == 200
    found = re.search(r'class="btn btn-primary" href="([^"]+)"', text)
    assert found, text
    back = urlsplit(redirected(html.unescape(found[1])))
    path = f"{back.path}?{back.query}"
    status, _kind, text = browser.open(path)
    assert status == 200
    assert "Connected with Microsoft 365 as tracker@example.org" in text
    return path


def prepared(instance: Instance) -> tuple[Any, Browser]:
    """A web process, and an administrator's session in it."""
    port = free_port()
    instance.environment["DEPESCHE_BASE_URL"] = f"http://127.0.0.1:{port}"
    instance.run("init")
    people = (("alice", ()), ("admin", ("--admin",)))
    for name, more in people:
        instance.run(
            "person", "add", f"{name}@example.org", "--name", name, *more, "--password-stdin",
            stdin=PASSWORD + "\n",
        )  # fmt: skip
    instance.run("workspace", "add", "Plant", "--member", "alice@example.org")
    served = instance.start("web", "--port", str(port))
    served.wait_for_output("listens on")
    browser = Browser(f"http://127.0.0.1:{port}")
    browser.sign_in("admin@example.org")
    return served, browser


def queue_mails(instance: Instance) -> None:
    instance.run("demo-data", "--people", str(MAILS), "--items", "1", "--watchers", str(MAILS))
    instance.run("item", "comment", "1", "--as", "person1@example.org", "--text", "Hello")


def states(instance: Instance) -> dict[str, int]:
    found: dict[str, int] = instance.json("outbox", "stats")["states"]
    return found


def test_four_workers_renew_once_and_a_refused_token_costs_one_login_a_step(
    instance: Instance, provider: AuthorisationServer
) -> None:
    users, times = Latest(provider), list[float]()

    def note(stage: str, connection: object, argument: str) -> None:
        if stage == "auth":
            times.append(time.monotonic())

    behaviour = Behaviour(mechanisms=("XOAUTH2",), users=users, decide=note)
    search = Search([])  # filled below, once the secrets are known
    with in_thread(FakeServer(behaviour)) as mail:
        served, browser = prepared(instance)
        provider.state.lives = 1  # it has expired when the workers come
        back = connect(browser, provider, mail.port)
        provider.state.lives, provider.state.delay = 3600, 0.5
        assert provider.state.refreshes == 0
        queue_mails(instance)
        workers = [instance.start("worker") for _ in range(4)]
        wait_until(lambda: len(mail.messages) >= MAILS - 1, "the mails", timeout=120)
        wait_until(lambda: set(states(instance)) == {"accepted"}, "an empty queue", timeout=60)
        assert provider.state.refreshes == 1

        # The server no longer takes the token: the connection rests, and nothing fails.
        for worker in workers:
            worker.kill()
        users.refuses, known = True, len(mail.messages)
        instance.run("item", "comment", "1", "--as", "person1@example.org", "--text", "Again")
        workers = [instance.start("worker") for _ in range(4)]
        before = len(times)
        wait_until(lambda: len(times) - before >= 3, "three back-off steps", timeout=120)
        tries = times[before:]
        assert all(later - earlier > 3 for earlier, later in pairwise(tries)), tries
        assert set(states(instance)) <= {"accepted", "queued", "in_flight"}
        check = instance.run("check", status=None).stdout
        assert "refuses the access token" in check

        # Connected anew, it goes on at once, though the next probe would be due in half a minute.
        users.refuses = False
        connect(browser, provider, mail.port)
        wait_until(lambda: len(mail.messages) > known, "the mails afterwards", timeout=20)
        wait_until(lambda: set(states(instance)) == {"accepted"}, "an empty queue", timeout=60)

        state = provider.state
        words = {
            *state.tokens,
            *state.refresh_tokens,
            *state.code_list,
            *state.verifiers,
            state.client_secret,
        }
        assert len(words) > 8
        search.shapes[:] = sorted({shape for word in words for shape in shapes(word)})
        search.through("the way back, used again", browser.open(back)[2])
        search.through("check", check)
        for command in (
            ["connection", "show", "--json"],
            ["connection", "test", "--to", "a@example.org", "--transcript"],
            ["check", "--json"],
        ):
            done = instance.run(*command, status=None)
            search.through(" ".join(command), done.stdout + done.stderr)
        assert crawl(browser, search, ["/mail/", "/mail/connection/", "/mail/mailbox/", "/mail/outbox/"]) > 8
        for worker in workers:
            assert worker.terminate() == 0
        assert served.terminate() == 0
    for program in (served, *workers):
        search.through("log", program.output())
    assert "oauth" in served.output()
    if not instance.database_url:
        for file in instance.home.glob("depesche.sqlite3*"):
            search.through(file.name, file.read_bytes().decode("latin-1"))
        with sqlite3.connect(instance.home / "depesche.sqlite3") as connection:
            search.through("dump", "\n".join(connection.iterdump()))
        connection.close()
    assert search.hits == []
