"""The worker against a server that misbehaves: every mail ends where the design says, and none is lost."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import pytest
from django.db import connection as db_connection
from django.utils import timezone

from depesche.mailroom.connections import actions as connection_actions
from depesche.mailroom.connections import health_actions
from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections.models import ConnectionHealth, OutgoingConnection
from depesche.mailroom.connections.queries import Flow
from depesche.mailroom.mailboxes import MailboxError, MailboxStage
from depesche.mailroom.outbox import actions, mailbox_first, queries, retry
from depesche.mailroom.outbox.actions import Category, SenderKind
from depesche.mailroom.outbox.delivery import MOST_UNRECORDED
from depesche.mailroom.outbox.desk import Desk
from depesche.mailroom.outbox.models import MailboxLogin, OutboxMessage, OutboxRecipient
from depesche.mailroom.outbox.rights import ClaimedRef
from depesche.mailroom.outbox.states import State
from depesche.mailroom.outbox.worker import Drained
from depesche.smtpclient.errors import Cause
from depesche.smtpclient.testing.server import CUT, Act, Behaviour, Connection
from tests.mailroom.outbox.helpers import message, recipient
from tests.mailroom.outbox.servers import configure, message_ids, running
from tests.mailroom.outbox.working import put, states, work, worker
from tests.support.ports import free_port
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.usefixtures("alone"), pytest.mark.django_db(transaction=True), pytest.mark.contract]


def test_chunking_that_was_announced_and_failed_is_left_alone_from_then_on() -> None:
    does = Behaviour(extensions=("PIPELINING", "CHUNKING"), knows_bdat=False)
    put(5)
    with running(does) as server:
        configure(server.port)
        assert work() == Drained(5)
        assert connections.health().chunking_rests
        put(5)
        assert work() == Drained(5)
    commands = [command for one in server.connections for command in one.commands]
    assert sum(command.startswith("BDAT") for command in commands) == 1
    assert states() == {"accepted": 10}


def test_mails_go_out_joined_from_their_three_parts() -> None:
    put(1, body=b"Hello\r\n")
    put(
        1,
        sender=SenderKind.USER,
    )
    with running() as server:
        configure(server.port)
        assert work() == Drained(2)
    assert states() == {"accepted": 2}
    first = server.messages[0]
    assert first.reverse_path == "tracker@example.org"
    lines = first.content.split(b"\r\n")
    assert lines[0] == b"From: Your Server <tracker@example.org>"
    assert lines[1].startswith(b"To: person")
    assert lines[3] == b"Subject: Hi"
    row = queries.recipients()[0]
    assert row.reply.startswith("250")
    assert row.attempts == 1
    assert queries.slots_used() == 0


def test_nothing_is_begun_while_two_batches_of_results_are_not_on_the_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a worker killed now would submit again stays within what was promised, however slow the disk."""
    asked: list[Desk] = []
    many = MOST_UNRECORDED

    def unrecorded(desk: Desk) -> int:
        asked.append(desk)
        return many

    monkeypatch.setattr(Desk, "unrecorded", property(unrecorded))
    put(5)
    with running() as server:
        configure(server.port)
        with worker():
            wait_until(lambda: asked and states() == {"in_flight": 5}, "the mails in the worker's hands")
            assert server.messages == []
            many = MOST_UNRECORDED - 1
            asked[0]._loop.recorded()
            wait_until(lambda: states() == {"accepted": 5}, "the mails to go out")


def test_a_large_batch_uses_the_cap_and_not_more() -> None:
    put(400)
    with running() as server:
        configure(server.port, max_connections=3)
        assert work() == Drained(400)
    assert server.high_water <= 3
    assert set(message_ids(server).values()) == {1}
    assert len(message_ids(server)) == 400


def test_a_cap_of_one_works() -> None:
    put(30)
    with running() as server:
        configure(server.port, max_connections=1)
        assert work() == Drained(30)
    assert server.high_water == 1


def test_refusals_concern_their_recipient_alone() -> None:
    (bad, later, good) = put(3)
    rows = queries.by_ids([bad, later, good])
    replies: Mapping[str, Act] = {
        rows[bad].recipient: "550 5.1.1 No such user",
        rows[later].recipient: "451 4.7.1 Greylisted",
    }
    with running(Behaviour(recipients={f"TO:<{a}>": r for a, r in replies.items()} | replies)) as server:
        configure(server.port)
        assert work() == Drained(1)
    found = queries.by_ids([bad, later, good])
    assert [found[one].state for one in (bad, later, good)] == [State.FAILED, State.DEFERRED, State.ACCEPTED]
    assert found[bad].reply == "550 5.1.1 No such user"
    wait = found[later].next_attempt_at
    assert wait is not None
    assert timedelta(seconds=40) < wait - timezone.now() < timedelta(seconds=80)
    detail = queries.recipient(later)
    assert detail is not None
    assert [(one.outcome, one.stage) for one in detail.attempts] == [("deferred", "rcpt")]
    assert detail.gives_up_at is not None


def test_without_a_server_mails_wait() -> None:
    put(2)
    ended = work()
    assert (ended.accepted, bool(ended.reason)) == (0, True)
    assert states() == {"queued": 2}


def test_nothing_to_do_without_a_server_is_fine() -> None:
    assert work() == Drained(0)


def test_a_server_that_is_away_pauses_the_connection_and_costs_no_attempt() -> None:
    ids = put(3)
    configure(free_port())
    ended = work()
    assert ended.accepted == 0
    assert ended.reason
    health = connections.health()
    assert (health.flow, health.cause, health.stage) == (Flow.PAUSED, "refused", "connect")
    assert states() == {"queued": 3}
    assert {row.attempts for row in queries.by_ids(ids).values()} == {0}


def test_a_refused_login_pauses_with_the_servers_words() -> None:
    put(2)
    with running(Behaviour(faults={"greeting": "554 5.7.1 Your host is not welcome"})) as server:
        configure(server.port)
        assert work().accepted == 0
    health = connections.health()
    assert health.flow is Flow.PAUSED
    assert "not welcome" in health.reply
    assert states() == {"queued": 2}


@pytest.mark.parametrize(
    ("where", "reply", "followed"),
    [
        ("greeting", "554 5.7.1 Your host is not welcome", False),
        ("mail", "553 5.7.1 Sender address not owned by you", False),
        ("mail", "553 5.7.1 Sender address not owned by you", True),
    ],
)
def test_what_failed_with_settings_of_before_stops_nobody(
    caplog: pytest.LogCaptureFixture, where: str, reply: str, *, followed: bool
) -> None:
    """They are changed while the server is about to refuse; `followed`: the worker uses others by then."""
    mails = 8 if followed else 2
    put(mails)
    with running() as right:

        def change(stage: str, connection: Connection, argument: str) -> Act:
            if stage != where:
                return None
            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join(30)
            return reply

        def elsewhere() -> None:
            configure(right.port)
            db_connection.close()
            if followed:
                wait_until(lambda: right.messages, "others through the right one")

        with running(Behaviour(decide=change)) as wrong:
            configure(wrong.port)
            with worker():
                wait_until(lambda: states() == {"accepted": mails}, "all of them through the right one")
        assert followed or len(wrong.connections) == 1
    assert "Submission rests" not in caplog.text
    assert connections.health().flow is Flow.FLOWING


def test_what_was_put_off_goes_again_though_nothing_else_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """On PostgreSQL nobody is told of what a worker itself writes down."""
    monkeypatch.setattr(retry, "BACK_OFF", (timedelta(seconds=0.5),))
    asked: list[str] = []

    def greylisted(stage: str, connection: Connection, argument: str) -> Act:
        if stage != "rcpt" or argument in asked:
            return None
        asked.append(argument)
        return "451 4.7.1 Greylisted, please try again"

    put(1)
    with running(Behaviour(decide=greylisted)) as server:
        configure(server.port)
        with worker():
            wait_until(lambda: states() == {"accepted": 1}, "the second try")


def test_a_refused_system_address_pauses_the_connection() -> None:
    put(3)
    with running(Behaviour(faults={"mail": "553 5.7.1 Sender address not owned by you"})) as server:
        configure(server.port)
        assert work().accepted == 0
    health = connections.health()
    assert (health.flow, health.stage) == (Flow.PAUSED, "mail")
    assert states() == {"queued": 3}


def test_five_refused_alike_are_queued_again_and_the_connection_rests() -> None:
    ids = put(12)
    with running(Behaviour(faults={"rcpt": "554 5.7.1 Relay access denied"})) as server:
        configure(server.port)
        assert work().accepted == 0
        health = connections.health()
        assert (health.flow, health.cause) == (Flow.PAUSED, "relay-denied")
        assert states() == {"queued": 12}
        server.behaviour = Behaviour()
        configure(server.port)
        health_actions.resume(0, now=timezone.now())
        assert work().accepted == 12
    assert {row.state for row in queries.by_ids(ids).values()} == {State.ACCEPTED}


def test_settings_that_are_put_right_resume_at_once() -> None:
    put(4)
    with running() as server:
        configure(free_port())
        with worker():
            wait_until(lambda: connections.health().flow is Flow.PAUSED, "the pause")
            ConnectionHealth.objects.update(next_probe_at=timezone.now() + timedelta(hours=1))
            connection_actions.save_outgoing({"host": "127.0.0.1", "port": str(server.port)})
            wait_until(lambda: states() == {"accepted": 4}, "the mails", timeout=10)


def test_a_paused_connection_is_probed_with_one_mail() -> None:
    put(6)
    with running() as server:
        configure(server.port)
        now = timezone.now()
        health_actions.pause(0, cause="timeout", stage="connect", next_probe_at=now, now=now)
        with worker():
            wait_until(lambda: states() == {"accepted": 6}, "the mails")
        assert connections.health().flow is Flow.FLOWING


def test_the_cap_changes_while_mails_go_out() -> None:
    put(300)
    with running(Behaviour(reply_delay=0.003)) as server:
        configure(server.port, max_connections=2)
        with worker():
            wait_until(lambda: len(server.messages) > 20, "the first mails")
            assert server.high_water <= 2
            row = OutgoingConnection.objects.get()
            OutgoingConnection.objects.update(max_connections=6, revision=row.revision + 1)
            wait_until(lambda: server.high_water > 2, "more connections", timeout=10)
            wait_until(lambda: states() == {"accepted": 300}, "the mails")
    assert server.high_water <= 6


def test_a_mail_cut_before_the_reply_is_uncertain_and_goes_again_as_the_same() -> None:
    (one,) = put(1)
    cut = [CUT]

    def once(stage: str, connection_: Connection, argument: str) -> Act:
        return cut.pop() if stage == "after-content" and cut else None

    with running(Behaviour(decide=once)) as server:
        configure(server.port)
        assert work() == Drained(0)
        row = queries.by_ids([one])[one]
        assert row.state is State.UNCERTAIN
        assert row.next_attempt_at is not None
        OutboxRecipient.objects.update(next_attempt_at=timezone.now())
        with worker():
            wait_until(lambda: states() == {"accepted": 1}, "the second try")
    assert list(message_ids(server).values()) == [2]
    detail = queries.recipient(one)
    assert detail is not None
    assert [a.outcome for a in detail.attempts] == ["uncertain"]


def test_uncertain_ones_are_held_where_a_person_shall_decide(settings: object) -> None:
    settings.DEPESCHE_HOLD_UNCERTAIN = ["account"]  # type: ignore[attr-defined]  # pytest-django's wrapper
    (one,) = put(1, Category.ACCOUNT)
    with running(Behaviour(faults={"after-content": CUT})) as server:
        configure(server.port)
        work()
    assert states() == {"held": 1}
    assert actions.cancel([one]) == 1
    assert OutboxMessage.objects.get().erased


def test_a_server_that_hangs_up_now_and_then_loses_nothing() -> None:
    put(120)
    seen = iter(range(10**6))

    def sometimes(stage: str, connection_: Connection, argument: str) -> Act:
        return CUT if stage in ("rcpt", "data", "after-content") and next(seen) % 29 == 28 else None

    with running(Behaviour(decide=sometimes)) as server:
        configure(server.port, max_connections=4)
        with worker():

            def done() -> bool:
                OutboxRecipient.objects.filter(state__in=["uncertain", "queued"]).update(
                    next_attempt_at=timezone.now()
                )
                return states() == {"accepted": 120}

            wait_until(done, "all mails", timeout=60)
    assert len(message_ids(server)) == 120


def test_account_mails_pass_the_others_and_are_erased() -> None:
    put(200)
    put(1, Category.ACCOUNT, subject="urgent")
    with running(Behaviour(reply_delay=0.001)) as server:
        configure(server.port, max_connections=1)
        work()
    first = [index for index, mail in enumerate(server.messages) if b"Subject: urgent" in mail.content]
    assert first[0] < 5
    assert OutboxMessage.objects.get(category="account").erased


def test_rights_are_checked_again(settings: object) -> None:
    settings.DEPESCHE_RIGHTS_CHECK = f"{__name__}.withdrawn"  # type: ignore[attr-defined]  # pytest-django's
    new = [recipient(person="may"), recipient(person="may not"), recipient()]
    ids = actions.enqueue(message(), new, now=timezone.now())
    with running() as server:
        configure(server.port)
        work()
    rows = queries.by_ids(ids)
    assert [rows[one].state for one in ids] == [State.ACCEPTED, State.CANCELLED, State.ACCEPTED]
    assert rows[ids[1]].reply == "no longer a member"
    assert len(server.messages) == 2


def withdrawn(claimed: Sequence[ClaimedRef]) -> Mapping[int, str]:
    return {one.recipient_id: "no longer a member" for one in claimed if one.person == "may not"}


class Counting:
    """A task that has two things to do, and fails once."""

    name = "counting"
    pause = 0.01
    wakes_on_change = True
    runs = 0

    def run(self, now: datetime, stop: threading.Event) -> int:
        Counting.runs += 1
        if Counting.runs == 1:
            raise RuntimeError("a bad day")
        return 1 if Counting.runs in (2, 3) else 0


def test_tasks_go_on_after_a_failure(settings: object, caplog: pytest.LogCaptureFixture) -> None:
    settings.DEPESCHE_WORKER_TASKS = [f"{__name__}.Counting"]  # type: ignore[attr-defined]  # pytest-django's
    Counting.runs = 0
    with worker():
        wait_until(lambda: Counting.runs > 5, "the runs")
    assert "counting failed" in caplog.text


def test_the_end_waits_for_what_is_under_way() -> None:
    put(50)
    with running(Behaviour(reply_delay=0.01)) as server:
        configure(server.port, max_connections=2)
        with worker():
            wait_until(lambda: server.messages, "the first mail")
    db_connection.close()
    counted = states()
    assert set(counted) <= {"accepted", "queued"}
    assert counted["accepted"] == len(server.messages)
    assert set(message_ids(server).values()) == {1}
    assert queries.slots_used() == 0


def test_a_server_that_breaks_off_at_every_mail_makes_the_connection_rest() -> None:
    put(8)
    with running(Behaviour(faults={"content": "421 4.3.2 Going down"})) as server:
        configure(server.port, max_connections=2)
        with worker():
            wait_until(lambda: connections.health().flow is Flow.PAUSED, "the pause")
        assert len(server.connections) < 40
    assert states() == {"queued": 8}


# --- the mailbox first --------------------------------------------------------------------------------


class PopBeforeSmtp:
    """A server that relays only for who logged in to the mailbox; it forgets a login when told to."""

    def __init__(self) -> None:
        self.logins = 0
        self.known = False
        self.refused = 0
        self.fails: MailboxError | None = None

    def log_in(self, config: object) -> None:
        self.logins += 1
        if self.fails is not None:
            raise self.fails
        self.known = True

    def decide(self, stage: str, connection_: Connection, argument: str) -> Act:
        if stage == "rcpt" and not self.known:
            self.refused += 1
            return "554 5.7.1 Relay access denied"
        return None


@pytest.fixture
def pop(monkeypatch: pytest.MonkeyPatch) -> PopBeforeSmtp:
    made = PopBeforeSmtp()
    monkeypatch.setattr(mailbox_first, "login_only", made.log_in)
    monkeypatch.setattr(mailbox_first.access, "mailbox_config", lambda settings: _Pop3())
    return made


class _Pop3:
    protocol = "pop3"


def test_one_login_to_the_mailbox_comes_first(pop: PopBeforeSmtp) -> None:
    put(60)
    with running(Behaviour(decide=pop.decide)) as server:
        configure(server.port, auth="mailbox-first", max_connections=4)
        assert work() == Drained(60)
        put(5)
        assert work() == Drained(5)
    assert (pop.logins, pop.refused) == (1, 0)


def test_a_forgotten_login_is_repeated_once(pop: PopBeforeSmtp) -> None:
    put(1)
    with running(Behaviour(decide=pop.decide)) as server:
        configure(server.port, auth="mailbox-first")
        assert work() == Drained(1)
        pop.known = False
        MailboxLogin.objects.update(logged_in_at=timezone.now() - timedelta(minutes=2))
        put(1)
        assert work() == Drained(1)
    assert (pop.logins, pop.refused) == (2, 1)


def test_a_login_that_does_not_help_is_not_repeated_for_ever(pop: PopBeforeSmtp) -> None:
    put(12)
    with running(Behaviour(faults={"rcpt": "554 5.7.1 Relay access denied"})) as server:
        configure(server.port, auth="mailbox-first")
        assert work().accepted == 0
    assert pop.logins <= 2
    assert connections.health().cause == "relay-denied"
    assert states() == {"queued": 12}


def test_a_mailbox_that_refuses_the_login_pauses_the_connection(pop: PopBeforeSmtp) -> None:
    pop.fails = MailboxError(MailboxStage.LOGIN, Cause.AUTH_REFUSED, reply="-ERR [AUTH] no")
    put(2)
    with running(Behaviour(decide=pop.decide)) as server:
        configure(server.port, auth="mailbox-first")
        assert work().accepted == 0
        assert server.messages == []
    health = connections.health()
    assert (health.flow, health.cause) == (Flow.PAUSED, "mailbox-login")
    assert states() == {"queued": 2}
