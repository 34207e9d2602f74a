"""Two connections: the failover has the mails while the first one rests, each with a cap of its own."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from depesche.mailroom.connections import actions as connection_actions
from depesche.mailroom.connections import health_actions
from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections.models import ConnectionHealth, OutgoingConnection
from depesche.mailroom.connections.queries import Flow
from depesche.mailroom.outbox import queries
from depesche.mailroom.outbox.models import OutboxRecipient
from depesche.mailroom.outbox.states import State
from depesche.mailroom.outbox.worker import Drained
from depesche.smtpclient.testing.server import CUT, Act, Behaviour, Connection
from tests.mailroom.outbox.servers import configure, message_ids, running
from tests.mailroom.outbox.working import put, states, work, worker
from tests.support.ports import free_port
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.usefixtures("alone"), pytest.mark.django_db(transaction=True), pytest.mark.contract]


def failover(port: int, **values: object) -> None:
    settings = {"host": "127.0.0.1", "port": port, "encryption": "none", "system_name": "", **values}
    row, _ = OutgoingConnection.objects.update_or_create(place=1, defaults=settings)
    OutgoingConnection.objects.filter(pk=row.pk).update(revision=row.revision + 1)


def stands_by(caplog: pytest.LogCaptureFixture) -> None:
    """Wait until the failover's desk has seen that the first works: what it claimed until then is its own."""
    said = "The failover stands by."
    wait_until(lambda: said in [record.getMessage() for record in caplog.records], "the failover standing by")


def probe_now() -> None:
    ConnectionHealth.objects.filter(connection__place=0).update(next_probe_at=timezone.now())


def test_the_failover_has_the_mails_while_the_first_is_down_and_gives_them_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with running() as second:
        first_port = free_port()
        configure(first_port)
        failover(second.port)
        with worker():
            put(40)
            wait_until(lambda: states() == {"accepted": 40}, "the mails through the failover")
            assert connections.health().flow is Flow.PAUSED
            assert connections.health(1).flow is Flow.FLOWING
            assert connections.place_in_use() == 1
            assert len(second.messages) == 40
            # what the failover's settings leave open is as the connection has it
            assert second.messages[0].content.startswith(b"From: Your Server <tracker@example.org>\r\n")
            with running(port=first_port) as first:
                probe_now()
                wait_until(lambda: connections.health().flow is Flow.FLOWING, "the first to work again")
                assert not first.messages  # it was enough to open a session
                assert connections.place_in_use() == 0
                stands_by(caplog)
                put(20)
                wait_until(lambda: states() == {"accepted": 60}, "the mails through the first")
                assert len(first.messages) == 20
                assert len(second.messages) == 40


def test_a_drain_goes_through_the_failover() -> None:
    with running() as second:
        configure(free_port())
        failover(second.port)
        put(7)
        assert work() == Drained(7)
        assert len(second.messages) == 7


def test_both_down_says_why_and_loses_nothing() -> None:
    configure(free_port())
    failover(free_port())
    put(3)
    ended = work()
    assert ended.accepted == 0
    assert ended.reason
    assert connections.health(0).flow is Flow.PAUSED
    assert connections.health(1).flow is Flow.PAUSED
    assert states() == {"queued": 3}


def test_a_failover_that_had_a_fault_is_looked_at_while_it_stands_by() -> None:
    with running() as first, running() as second:
        configure(first.port)
        failover(second.port)
        now = timezone.now()
        health_actions.pause(1, cause="refused", stage="connect", next_probe_at=now, now=now)
        with worker():
            wait_until(lambda: connections.health(1).flow is Flow.FLOWING, "the failover in order again")
        assert not second.messages
        assert connections.health().flow is Flow.FLOWING


def test_the_failover_is_left_alone_while_the_first_works() -> None:
    with running() as first, running() as second:
        configure(first.port)
        failover(second.port)
        put(50)
        assert work() == Drained(50)
        assert len(first.messages) == 50
        assert not second.connections


def test_each_has_its_cap() -> None:
    with running(Behaviour(reply_delay=0.002)) as second:
        configure(free_port(), max_connections=9)
        failover(second.port, max_connections=2)
        put(120)
        assert work() == Drained(120)
        assert 1 <= second.high_water <= 2


def test_a_refused_login_hands_over_too_and_a_mail_is_no_guinea_pig() -> None:
    with running(Behaviour(faults={"greeting": "554 5.7.1 Not you"})) as first, running() as second:
        configure(first.port)
        failover(second.port)
        put(10)
        assert work() == Drained(10)
        assert len(second.messages) == 10
        assert connections.health().stage == "greeting"


def test_relay_denied_at_the_first_goes_through_the_failover_at_once() -> None:
    relay = "554 5.7.1 <x@example.org>: Relay access denied"
    with running(Behaviour(faults={"rcpt": relay})) as first, running() as second:
        configure(first.port)
        failover(second.port)
        ids = put(3)
        assert work() == Drained(3)
        assert len(second.messages) == 3
        assert connections.health().cause == "relay-denied"
        assert {row.state for row in queries.by_ids(ids).values()} == {State.ACCEPTED}
        # Only a mail tells whether that is over: one is left to the first, the others go on meanwhile.
        first.behaviour = Behaviour()
        count = 3
        with worker():
            probe_now()
            while connections.health().flow is not Flow.FLOWING:
                count += len(put(2))
                wait_until(lambda: list(states()) == ["accepted"], "all mails")
                assert count < 500
        assert first.messages
        assert len(first.messages) + len(second.messages) == count


@pytest.mark.parametrize(
    "said",
    ["554 5.7.1 <x@example.org>: Relay access denied", "503 5.5.1 This server requires authentication"],
)
def test_relay_denied_in_a_small_team_loses_no_mail(said: str) -> None:
    """Three mails are all there are: no five refusals in a row are needed to see whose fault it is."""
    with running(Behaviour(faults={"rcpt": said})) as server:
        configure(server.port)
        ids = put(3)
        ended = work()
        assert (ended.accepted, bool(ended.reason)) == (0, True)
        assert connections.health().flow is Flow.PAUSED
        assert {row.state for row in queries.by_ids(ids).values()} == {State.QUEUED}
        assert {row.attempts for row in queries.by_ids(ids).values()} == {0}
        server.behaviour = Behaviour()
        configure(server.port)
        health_actions.resume(0, now=timezone.now())
        assert work() == Drained(3)


def test_one_recipient_whom_the_server_rightly_denies_stops_nobody() -> None:
    (denied,) = put(1)
    address = queries.by_ids([denied])[denied].recipient
    with running(Behaviour(recipients={address: "554 5.7.1 Relay access denied"})) as server:
        configure(server.port, max_connections=1)
        with worker():
            wait_until(lambda: connections.health().flow is Flow.PAUSED, "the pause")
            put(3)  # the next probe is made with one of these
            wait_until(lambda: states() == {"accepted": 3, "failed": 1}, "three accepted and one failed")
    assert connections.health().flow is Flow.FLOWING
    assert queries.by_ids([denied])[denied].state is State.FAILED


def test_an_uncertain_mail_is_doubled_once_at_most() -> None:
    """The first takes the content and hangs up before it answers, and then is gone."""

    def cut(stage: str, connection: Connection, argument: str) -> Act:
        return CUT if stage == "after-content" else None

    with running(Behaviour(decide=cut)) as first, running() as second:
        configure(first.port, max_connections=2)
        failover(second.port)
        ids = put(30)
        with worker():

            def done() -> bool:
                OutboxRecipient.objects.filter(state__in=["uncertain", "queued"]).update(
                    next_attempt_at=timezone.now()
                )
                return states() == {"accepted": 30}

            wait_until(done, "all mails", timeout=60)
        seen = Counter(message_ids(first)) + Counter(message_ids(second))
        assert set(message_ids(second).values()) == {1}
        tries = {row.message_id: row.attempts for row in queries.by_ids(ids).values()}
        # Nobody got it more often than there were attempts of which nobody knows: each is on record.
        assert all(seen[one] <= tries[one] for one in tries)
        assert len(message_ids(second)) == 30


def test_settings_of_the_first_put_right_bring_the_mails_back_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with running() as first, running() as second:
        configure(free_port())
        failover(second.port)
        with worker():
            put(3)
            wait_until(lambda: states() == {"accepted": 3}, "the mails through the failover")
            ConnectionHealth.objects.update(next_probe_at=timezone.now() + timedelta(hours=1))
            connection_actions.save_outgoing({"host": "127.0.0.1", "port": str(first.port)})
            wait_until(lambda: connections.place_in_use() == 0, "the first in use")
            stands_by(caplog)
            put(4)
            wait_until(lambda: states() == {"accepted": 7}, "the mails through the first")
        assert len(first.messages) == 4
