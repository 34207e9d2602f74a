"""A canary as the password, and it is looked for everywhere: commands, pages, logs, transcripts, the database
(M12).
"""

from __future__ import annotations

import base64
import html
import http.cookiejar
import json
import re
import sqlite3
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from depesche.smtpclient.testing.server import MECHANISMS, Behaviour, FakeServer, in_thread
from tests.support.ports import free_port
from tests.support.processes import Instance
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.journey]

SMTP, MAILBOX = "Kanarie-9f3Zq7&x", "Mailbox-Kanar1e-77<y"
PASSWORD = "correct horse battery"
LOUD = """
from depesche.server.settings import *
LOGGING = LOGGING | {"root": {"handlers": ["stderr"], "level": "DEBUG"}, "loggers": {
    name: {"level": "DEBUG"} for name in ("django", "uvicorn", "asyncio", "mail.log", "depesche")}}
"""


def shapes(secret: str) -> set[str]:
    """The secret as it could be written somewhere."""
    octets = secret.encode()
    found = {secret, urllib.parse.quote(secret), urllib.parse.quote_plus(secret), html.escape(secret)}
    found |= {octets.hex(), repr(secret)[1:-1]}
    # Within base64, as AUTH PLAIN and LOGIN have it, at each of the three places of a group.
    found |= {base64.b64encode(b"x" * shift + octets).decode()[4:-4] for shift in range(3)}
    return found


SHAPES = sorted(shapes(SMTP) | shapes(MAILBOX))


class Search:
    """Where the canary was seen."""

    def __init__(self, found: list[str] | None = None) -> None:
        self.shapes = SHAPES if found is None else found
        self.hits: list[str] = []

    def through(self, where: str, text: str) -> None:
        self.hits += [f"{where}: {shape}" for shape in self.shapes if shape in text]


class Browser:
    """Signed in, and fills forms."""

    def __init__(self, base: str) -> None:
        self.base = base
        jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

    def sign_in(self, email: str) -> None:
        """Open the session of that person."""
        fields = {"email": email, "password": PASSWORD}
        assert self.open("/sign-in/", fields, form="/sign-in/")[0] == 200

    def open(
        self, path: str, fields: dict[str, str] | None = None, *, form: str = "/me/"
    ) -> tuple[int, str, str]:
        """Status, type and text of a page; a form is posted when fields are given."""
        body = None
        if fields is not None:
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.open(form)[2])
            assert token
            body = urllib.parse.urlencode(fields | {"csrfmiddlewaretoken": token[1]}).encode()
        request = urllib.request.Request(self.base + path, data=body)
        try:
            answer = self._opener.open(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            text = answer.read().decode("utf-8", "replace")
            return answer.status, answer.headers["Content-Type"] or "", text + str(answer.headers)


def crawl(browser: Browser, search: Search, start: list[str]) -> int:
    """Every page that links lead to."""
    seen: set[str] = set()
    todo = list(start)
    while todo and len(seen) < 200:
        path = todo.pop().split("#")[0]
        if path in seen:
            continue
        seen.add(path)
        status, kind, text = browser.open(path)
        assert status < 500, path
        search.through(path, text)
        if "html" in kind:
            links = re.findall(r'(?:href|hx-get)="(/[^"]*)"', text)
            todo += [html.unescape(link) for link in links if not link.startswith("/static")]
    return len(seen)


def prepared(instance: Instance, port: int) -> None:
    instance.run("init")
    for name, more in (("alice", ()), ("bob", ()), ("admin", ("--admin",))):
        instance.run(
            "person", "add", f"{name}@example.org", "--name", name, *more, "--password-stdin",
            stdin=PASSWORD + "\n",
        )  # fmt: skip
    instance.run("workspace", "add", "Plant", "--member", "alice@example.org", "--member", "bob@example.org")
    instance.run(
        "item", "create", "--workspace", "Plant", "--title", "Pump", "--text", "x",
        "--as", "alice@example.org", "--watch", "bob@example.org",
    )  # fmt: skip
    instance.run(
        "connection", "set", "host=127.0.0.1", f"port={port}", "encryption=none", "auth=password",
        "username=tracker", "allow_clear_password=on", "system_address=tracker@example.org",
        "--password-stdin", stdin=SMTP + "\n",
    )  # fmt: skip
    instance.run(
        "mailbox", "set", "protocol=imap", "host=127.0.0.1", f"port={free_port()}", "encryption=none",
        "username=tracker", "--password-stdin", stdin=MAILBOX + "\n",
    )  # fmt: skip


def try_commands(instance: Instance, search: Search, talkative: int) -> None:
    test = ["connection", "test", "--to", "a@example.org", "--transcript"]
    at_other = [*test, f"port={talkative}", "--password-stdin"]
    tries: list[list[str]] = [
        ["connection", "--help"], ["connection", "show"], ["connection", "show", "--json"],
        ["mailbox", "show", "--json"], ["mailbox", "test"], ["mailbox", "poll"],
        ["outbox", "show", "1", "--json"], ["check", "--json"], [*test, "--json"], at_other,
        ["connection", "set", "port=99999999", "--password-stdin"],
    ]  # fmt: skip
    with ThreadPoolExecutor(4) as pool:
        ended = list(pool.map(lambda words: instance.run(*words, stdin=SMTP + "\n", status=None), tries))
    for words, done in zip(tries, ended, strict=True):
        search.through(" ".join(words), done.stdout + done.stderr)
        assert "Traceback" not in done.stdout + done.stderr, words
        assert done.returncode in {0, 1, 2}, words


def try_api(base: str, token: str, search: Search, talkative: int) -> None:
    """Every answer of the REST interface that needs no key of a thing, good and bad ones."""

    def ask(method: str, path: str, body: object = None) -> str:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{base}/api/v1{path}", data=data, headers=headers, method=method)
        try:
            answer = urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            text = f"{answer.read().decode()} {answer.headers}"
            assert answer.status < 500, (path, text)
            search.through(f"{method} {path}", text)
            return text

    described = json.loads(ask("GET", "/openapi.json").rpartition("} ")[0] + "}")
    for path, methods in described["paths"].items():
        if "get" in methods and "{" not in path:
            ask("GET", path.removeprefix("/api/v1"))
    ask("GET", "/outbox/1")
    values = {"port": talkative}
    ask("POST", "/connection/test", {"to": "a@example.org", "values": values, "password": SMTP})
    ask("PATCH", "/connection", {"values": {"port": 99999999}, "password": SMTP})
    ask("PATCH", "/connection", {"values": {SMTP: SMTP}, "password": [SMTP]})
    assert '"has_password": true' in ask("PATCH", "/connection", {"values": values, "password": SMTP})


def test_the_password_is_nowhere(instance: Instance, tmp_path: Path) -> None:
    (tmp_path / "loud_settings.py").write_text(LOUD, encoding="utf-8")
    instance.environment |= {
        "PYTHONPATH": str(tmp_path), "DJANGO_SETTINGS_MODULE": "loud_settings", "PYTHONASYNCIODEBUG": "1",
    }  # fmt: skip
    search = Search()
    # This server says the password back to who fails, in clear and as it came over the line.
    said = f"535 5.7.8 bad password {SMTP} {base64.b64encode(SMTP.encode()).decode()} for tracker"
    right = Behaviour(mechanisms=MECHANISMS, users={"tracker": SMTP})
    wrong = Behaviour(mechanisms=("LOGIN",), users={}, faults={"auth": said})
    with in_thread(FakeServer(right)) as server, in_thread(FakeServer(wrong)) as talkative:
        prepared(instance, server.port)
        port = free_port()
        served = instance.start("serve", "--port", str(port))
        served.wait_for_output("listens on")
        wait_until(lambda: server.messages, "the first mail")
        try_commands(instance, search, talkative.port)
        instance.run("connection", "set", f"port={talkative.port}")
        instance.run("item", "comment", "1", "--as", "alice@example.org", "--text", "Hello")
        wait_until(
            lambda: "does not flow" in instance.run("check", status=None).stdout, "a paused connection"
        )

        browser = Browser(f"http://127.0.0.1:{port}")
        browser.sign_in("admin@example.org")
        form = {
            "host": "127.0.0.1", "port": str(talkative.port), "encryption": "none", "auth": "password",
            "username": "tracker", "password": SMTP, "system_address": "tracker@example.org",
            "system_name": "X", "sender": "system", "charset": "utf-8", "maxNoOfSMTPConnections": "5",
            "allow_clear_password": "on", "to": "a@example.org",
        }  # fmt: skip
        for where, values in (
            ("/mail/connection/test/", form),
            ("/mail/connection/", form | {"port": "99999999"}),
            ("/mail/connection/", form),
        ):
            status, _, text = browser.open(where, values)
            assert status < 500
            search.through(f"posted {where}", text)
            for run in re.findall(r"/mail/test/[^/\"]+/", text):
                search.through(run, browser.open(run)[2])
        token = instance.run("token", "create", "admin@example.org").stdout.strip()
        search.shapes = sorted({*SHAPES, *shapes(token)})
        try_api(f"http://127.0.0.1:{port}", token, search, talkative.port)
        pages = crawl(browser, search, ["/", "/mail/", "/mail/mailbox/", "/mail/outbox/", "/mail/inbox/"])
        assert pages > 15
        assert served.terminate() == 0
    search.through("log", served.output())
    assert any("AUTH" in command for one in server.connections for command in one.commands)
    if not instance.database_url:
        database = instance.home / "depesche.sqlite3"
        with sqlite3.connect(database) as connection:
            search.through("dump", "\n".join(connection.iterdump()))
        connection.close()
        for file in instance.home.glob("depesche.sqlite3*"):
            search.through(file.name, file.read_bytes().decode("latin-1"))
    assert search.hits == []
