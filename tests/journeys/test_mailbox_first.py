"""Connect to the mailbox first (POP-before-SMTP, M11): a server that relays only after a POP3 login."""

from __future__ import annotations

from contextlib import suppress

import pytest

from depesche.smtpclient.testing.server import Act, Behaviour, Connection, FakeServer, in_thread
from tests.support.mail_host import MailHost
from tests.support.processes import Instance
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.journey, pytest.mark.contract]

DENIED = "550 5.7.1 Relay denied: check your mail first"


class Relay:
    """Relays for whoever logged in to the POP3 server since it was last told to forget."""

    def __init__(self, host: MailHost) -> None:
        self._host = host
        self._forgotten = self._logins()
        self.denied = 0

    def _logins(self) -> int:
        return self._host.dovecot.log().count("pop3-login: Info: Login: user=<tracker>")

    @property
    def logins(self) -> int:
        return self._logins() - self._forgotten

    def decide(self, stage: str, connection: Connection, argument: str) -> Act:
        if stage != "rcpt":
            return None
        with suppress(AssertionError):  # Dovecot writes its log a little after it has answered
            wait_until(lambda: self.logins, "a login", timeout=4)
            return None
        self.denied += 1
        return DENIED

    def forget(self) -> None:
        self._forgotten = self._logins()


def test_logs_in_first_once_and_again_when_relaying_is_denied(
    instance: Instance, mail_host: MailHost
) -> None:
    relay = Relay(mail_host)
    with in_thread(FakeServer(Behaviour(decide=relay.decide))) as server:
        instance.run("init")
        for name in ("alice", "bob"):
            instance.run(
                "person",
                "add",
                f"{name}@example.org",
                "--name",
                name,
                "--password-stdin",
                stdin="Kaltes Wasser 7\n",
            )
        instance.run(
            "workspace", "add", "Plant", "--member", "alice@example.org", "--member", "bob@example.org"
        )
        instance.run("keystore", "import", mail_host.ca_pem)
        instance.run(
            "mailbox", "set", "protocol=pop3", "host=localhost", f"port={mail_host.dovecot.port_pop3s}",
            "encryption=ssl", "username=tracker", "--password-stdin",
            stdin=mail_host.password("tracker") + "\n",
        )  # fmt: skip
        instance.run(
            "connection", "set", "host=127.0.0.1", f"port={server.port}", "encryption=none",
            "auth=mailbox-first", "system_address=tracker@example.org",
        )  # fmt: skip
        key = instance.json(
            "item", "create", "--workspace", "Plant", "--title", "Pump", "--text", "x",
            "--as", "alice@example.org", "--watch", "bob@example.org",
        )["key"]  # fmt: skip
        relay.forget()
        instance.run("worker", "--drain")
        assert len(server.messages) == 1
        assert relay.denied == 0  # the login came first

        relay.forget()  # as when the server's window is shorter than ours
        instance.run("item", "comment", key, "--as", "alice@example.org", "--text", "once more")
        instance.run("worker", "--drain")
        assert len(server.messages) == 2
        assert instance.json("outbox", "stats")["states"] == {"accepted": 2}
