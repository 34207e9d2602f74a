"""The webhook's address and secret, and the private parts of DKIM keys, are looked for everywhere they must
not be: pages, commands, REST, logs, errors, the history, a dump of the database."""

from __future__ import annotations

import base64
import io
import logging
import traceback
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from depesche.mailroom.connections import secrets
from depesche.mailroom.connections.actions import InvalidSettings
from depesche.mailroom.connections.alarms import Alarm, Level
from depesche.mailroom.connections.history import queries as history
from depesche.mailroom.connections.signing import actions as signing
from depesche.mailroom.connections.signing.keys import signer_for
from depesche.mailroom.connections.signing.models import DkimKey
from depesche.mailroom.connections.watching import actions, occurrences, queries, telling
from tests.support.http_receiver import receiving

PATH, SECRET = "canary-path-8sT2q", "canary-secret-4kW9z"


def shapes() -> set[str]:
    """Everything that must be seen nowhere."""
    found = {PATH, SECRET}
    for one in (PATH, SECRET):
        found |= {base64.b64encode(b"x" * shift + one.encode()).decode()[4:-4] for shift in range(3)}
    for key in DkimKey.objects.exclude(private_encrypted=None):
        pem = secrets.decrypt(key.private_encrypted or b"").reveal()
        lines = [line for line in pem.splitlines() if line and "-----" not in line]
        # The first line of an RSA key tells its kind, which others share; the rest is the secret.
        found |= set(lines[1:] if len(lines) > 1 else [lines[0][24:]])
    return found


def clean(where: str, text: str) -> None:
    hits = [shape for shape in shapes() if shape in text]
    assert not hits, f"{where}: {len(hits)} hits"


def dump() -> str:
    """Every row of every table of ours, as a dump would hold it."""
    rows = []
    for model in apps.get_models():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(model._meta.db_table)}")
            for row in cursor.fetchall():
                for value in row:
                    octets = isinstance(value, bytes | memoryview)
                    rows.append(bytes(value).decode("latin-1") if octets else str(value))
    return "\n".join(rows)


@pytest.fixture
def loud(caplog: Any) -> Any:
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.mark.parametrize("status", [200, 302, 500])
def test_nothing_shows_them(admin_page: Client, saved: Any, loud: Any, status: int) -> None:
    now = timezone.now()
    texts = []
    with receiving(status=status, location=f"http://127.0.0.1/{PATH}") as receiver:
        typed = {
            "webhook": receiver.url(f"/{PATH}"),
            "secret": SECRET,
            "level": "warning",
            "patience": "0",
            "late": "15",
            "failed_per_day": "20",
            "mail_to": "",
            "language": "",
        }
        url = reverse("connections:alarms")
        posted = ({**typed, "test": "1"}, typed, {**typed, "late": "wrong"})
        texts += [admin_page.post(url, fields).content.decode() for fields in posted]
        occurrences.observe([Alarm("disk-full", Level.CRITICAL)], queries.alarm_ways(), now=now)
        telling.tell_due(queries.alarm_ways(), now=now)
        assert receiver.got
        assert PATH in receiver.got[0].path, "it does go where it belongs"
    for key in signing.make_keys("nordlicht.example", now=now):
        signing.activate(key.pk, now=now)
    signer = signer_for("t@nordlicht.example")
    assert signer is not None
    mail = signer.joined(b"From: <t@nordlicht.example>\r\n", b"", b"Subject: x\r\n\r\nx\r\n", now)
    names = ("alarms", "history", "domain", "status", "outgoing", "keystore")
    paths = [*(reverse(f"connections:{name}") for name in names), "/api/v1/connection"]
    texts += [admin_page.get(path).content.decode() for path in paths]
    for words in (
        ("alarms", "show", "--json"),
        ("alarms", "list", "--past", "--json"),
        ("history", "list", "--json"),
        ("domain", "keys", "--json"),
    ):
        out = io.StringIO()
        call_command(*words, stdout=out)
        texts.append(out.getvalue())
    clean("pages and commands", "\n".join(texts))
    clean("a signed mail", mail.decode())
    clean("the log", loud.text)
    clean("the history", repr(history.changes()))
    clean("what is kept in memory", repr((signer, queries.alarm_ways(), actions.webhook_of())))
    clean("a dump", dump())


def test_errors_are_clean(db: Any) -> None:
    try:
        actions.save_alarm_ways({"webhook": f"ftp://h.example/{PATH}", "secret": SECRET, "late": "wrong"})
    except InvalidSettings as error:
        clean("the error", "".join(traceback.format_exception(error)) + repr(error.errors))
    else:
        raise AssertionError("it was saved")
