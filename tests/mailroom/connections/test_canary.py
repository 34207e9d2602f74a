"""One password goes in everywhere, and is looked for everywhere it must not be."""

from __future__ import annotations

import base64
import logging
import traceback
from typing import Any

import pytest
from django.core import serializers
from django.db import connection
from django.urls import reverse

from depesche.mailroom.connections import access, actions, models, queries
from depesche.smtpclient.testing import CUT, NOISE, Behaviour, FakeServer, in_thread
from tests.mailroom.connections.support import CANARY

FORMS = [
    CANARY,
    base64.b64encode(CANARY.encode()).decode(),
    base64.b64encode(f"\0tracker\0{CANARY}".encode()).decode(),
]


def assert_clean(text: str) -> None:
    assert not [form for form in FORMS if form in text]


@pytest.fixture
def loud(caplog: Any) -> Any:
    caplog.set_level(logging.DEBUG)
    logging.getLogger().setLevel(logging.DEBUG)
    return caplog


def dump() -> str:
    """Every row of ours as a dump would hold it, binary columns included."""
    rows: list[str] = []
    for model in (
        models.OutgoingConnection,
        models.IncomingMailbox,
        models.KeystoreEntry,
        models.DiagnosisRun,
    ):
        rows.append(serializers.serialize("json", model.objects.all()))
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {model._meta.db_table}")
            rows += [
                bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
                for row in cursor.fetchall()
                for value in row
            ]
    return "\n".join(rows)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"])
@pytest.mark.parametrize(
    "faults",
    [
        {},
        {"auth": f"535 5.7.8 no: {CANARY}"},
        {"auth": f"454 4.7.0 {base64.b64encode(CANARY.encode()).decode()}"},
        {"auth": NOISE},
        {"auth": CUT},
        {"mail": f"550 5.7.1 {CANARY} is not allowed"},
    ],
)
def test_no_test_shows_the_password(
    admin_page: Any, loud: Any, mechanism: str, faults: dict[str, Any]
) -> None:
    behaviour = Behaviour(mechanisms=(mechanism,), users={"tracker": CANARY}, faults=faults)
    with in_thread(FakeServer(behaviour)) as server:
        values = {
            "host": "127.0.0.1",
            "port": str(server.port),
            "encryption": "none",
            "auth": "password",
            "username": "tracker",
            "password": CANARY,
            "allow_clear_password": "on",
            "system_address": "tracker@nordlicht.example",
            "system_name": "Tracker",
            "sender": "system",
            "charset": "utf-8",
            "maxNoOfSMTPConnections": "10",
            "to": "jana@nordlicht.example",
        }
        tested = admin_page.post(reverse("connections:test-outgoing"), values).content.decode()
        admin_page.post(reverse("connections:outgoing"), values)
        again = admin_page.post(
            reverse("connections:test-outgoing"), {**values, "password": ""}
        ).content.decode()
    assert "step-name" in tested
    assert "step-name" in again
    assert_clean(tested + again)
    assert_clean(loud.text)
    assert_clean(dump())
    assert queries.outgoing().has_password


def test_settings_values_and_errors_are_clean(saved: Any) -> None:
    settings = queries.outgoing()
    config = access.smtp_config(settings)
    assert_clean(repr((saved, settings, queries.health(), config)))
    try:
        actions.save_outgoing({"port": "x"}, password=CANARY)
    except actions.InvalidSettings as error:
        assert_clean("".join(traceback.format_exception(error)) + repr(error.errors))
    else:
        raise AssertionError("it was saved")
    assert_clean(dump())
