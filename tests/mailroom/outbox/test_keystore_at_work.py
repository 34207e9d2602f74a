"""The keystore under a running worker: what is trusted works at once, what is removed too (M10)."""

from __future__ import annotations

import pytest

from depesche.mailroom.connections import actions as connection_actions
from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections.queries import Flow
from depesche.smtpclient.testing import FakeServer, in_thread
from tests.mailroom.connections.scenes import GOOD, ROOT, server_context
from tests.mailroom.connections.support import pem
from tests.mailroom.outbox.working import put, worker
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_trusted_and_removed_while_the_worker_runs(alone: None) -> None:
    with in_thread(FakeServer(context=server_context(GOOD), implicit_tls=True)) as server:
        connection_actions.save_outgoing(
            {
                "host": "localhost",
                "port": str(server.port),
                "encryption": "ssl",
                "system_address": "tracker@example.org",
            }
        )
        put()
        with worker():
            wait_until(lambda: connections.health().flow is Flow.PAUSED, "the pause")
            assert connections.health().cause == "cert-unknown-ca"
            assert server.messages == []

            (row,) = connection_actions.import_certificates(pem(ROOT))
            wait_until(lambda: len(server.messages) == 1, "the mail, as soon as the authority is trusted")
            assert server.open == 1  # the session stays for more

            connection_actions.remove_certificate(row.id)
            wait_until(lambda: server.open == 0, "the end of the session that was open")
            put()
            wait_until(lambda: connections.health().flow is Flow.PAUSED, "the pause after the removal")
            assert connections.health().cause == "cert-unknown-ca"
            assert len(server.messages) == 1

            # An entry for another server changes nothing here.
            connection_actions.import_certificates(pem(GOOD), host="localhost", port=server.port + 1)
            wait_until(lambda: connections.health().flow is Flow.PAUSED, "the pause goes on")
            assert len(server.messages) == 1

            connection_actions.import_certificates(pem(GOOD), host="localhost", port=server.port)
            wait_until(lambda: len(server.messages) == 2, "the second mail")
