"""The command line in German, where the locale is."""

from __future__ import annotations

import pytest

from depesche.smtpclient.testing.server import Behaviour, FakeServer, in_thread
from tests.support.processes import Instance

pytestmark = [pytest.mark.journey]


def test_commands_speak_german_and_machines_read_the_same(instance: Instance) -> None:
    instance.run("init")
    plain = instance.run("check", "--json", status=None).stdout
    instance.environment["LC_ALL"] = "de_DE.UTF-8"
    said = instance.run("check", status=None).stdout
    assert "Kein SMTP-Server ist eingerichtet: Die Mails warten im Postausgang." in said
    assert instance.run("check", "--json", status=None).stdout == plain
    refused = Behaviour(faults={"mail": "550 5.7.1 not you"})
    with in_thread(FakeServer(refused)) as server:
        instance.run(
            "connection", "set", "host=127.0.0.1", f"port={server.port}", "encryption=none", "auth=none",
            "system_address=tracker@example.org",
        )  # fmt: skip
        done = instance.run("connection", "test", "--to", "jana@example.org", status=1)
        assert "Ursache:" in done.stdout
        assert "Abhilfe:" in done.stdout
        tested = instance.run("connection", "test", "--to", "jana@example.org", "--json", status=1)
        assert "Abhilfe" not in tested.stdout
        instance.run("person", "add", "jana@example.org", "--name", "Jana")  # its mail must wait
        drained = instance.run("worker", "--drain", status=1)
        assert "0 angenommen." in drained.stdout
        assert "550 5.7.1 not you" in drained.stderr
        assert "Der Server erlaubt nur den eigenen Absender." in drained.stderr
    instance.environment["LC_ALL"] = "C.UTF-8"
    assert "0 accepted." in instance.run("worker", "--drain", status=1).stdout
