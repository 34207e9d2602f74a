"""From that heals itself: 100 mails whose From the server refuses arrive once, rewritten (M13)."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from depesche.mailroom.connections import alarms, health_actions, senders
from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections.alarms import Alarm
from depesche.mailroom.connections.models import SenderRule
from depesche.mailroom.connections.queries import Flow
from depesche.mailroom.outbox import actions, queries
from depesche.mailroom.outbox.actions import Category, NewMessage, NewRecipient, SenderKind
from depesche.mailroom.outbox.models import OutboxAttempt, OutboxRecipient
from depesche.mailroom.outbox.states import State
from depesche.mailroom.outbox.worker import Drained
from depesche.smtpclient.testing.server import CUT, Act, Behaviour, Connection, ReceivedMail
from tests.mailroom.outbox.helpers import message, recipient
from tests.mailroom.outbox.servers import configure, message_ids, running
from tests.mailroom.outbox.working import work

pytestmark = [pytest.mark.usefixtures("alone"), pytest.mark.django_db(transaction=True), pytest.mark.contract]

JANE = "Jane Doe <jane@people.example>"
NOT_YOURS = "550 5.7.60 SMTP; Client does not have permissions to send as this sender"


def from_jane(item: str = "NW-1", sender: SenderKind = SenderKind.USER) -> NewMessage:
    plain = message(Category.NOTICE, sender=sender, item=item)
    return NewMessage(
        category=plain.category,
        content=plain.content,
        subject=plain.subject,
        sender=plain.sender,
        author_name="Jane Doe",
        author_address="jane@people.example",
        item=item,
    )


def put(count: int = 1, item: str = "NW-1", sender: SenderKind = SenderKind.USER) -> list[int]:
    new = from_jane(item, sender)
    return actions.enqueue(new, [recipient() for _ in range(count)], now=timezone.now())


def header(mail: ReceivedMail, name: str) -> str:
    head = mail.content.partition(b"\r\n\r\n")[0].decode()
    found = re.findall(rf"^{name}: (.*)$", head.replace("\r\n", "\n"), re.MULTILINE | re.IGNORECASE)
    assert len(found) <= 1, f"{name} stands in the mail more than once"
    return found[0] if found else ""


class Picky:
    """A server that takes no sender but the system address, and says so `where` it wants."""

    def __init__(self, where: str, reply: str, allowed: str = "tracker@example.org") -> None:
        self.where, self.reply, self.allowed = where, reply, allowed
        self.refusals = 0
        self._envelopes: dict[int, str] = {}

    def behaviour(self) -> Behaviour:
        return Behaviour(decide=self._at_command, judge=self._at_content)

    def _at_command(self, stage: str, connection: Connection, argument: str) -> Act:
        if stage == "mail":
            self._envelopes[connection.number] = argument
        if stage != self.where or stage not in ("mail", "rcpt"):
            return None
        return self._unless(self._envelopes[connection.number] == self.allowed)

    def _at_content(self, content: bytes) -> Act:
        if self.where != "content":
            return None
        author = re.search(rb"^From:.*?<?([^\s<>]+@[^\s<>]+)>?\r$", content, re.MULTILINE)
        return self._unless(author is not None and author[1].decode() == self.allowed)

    def _unless(self, permitted: bool) -> Act:
        if permitted:
            return None
        self.refusals += 1
        return self.reply


def told() -> list[Alarm]:
    return [one for one in alarms.current(timezone.now()) if one.code == "from-refused"]


@pytest.mark.parametrize(
    ("where", "reply"),
    [
        ("mail", "553 5.7.1 <support@customer.example>: Sender address rejected: not owned by user tracker"),
        ("mail", NOT_YOURS),
        ("rcpt", "553 5.7.1 <support@customer.example>: Sender address rejected: not owned by user tracker"),
        ("rcpt", "550 5.7.60 SMTP; Client does not have permissions to send as this sender"),
        ("content", NOT_YOURS),
        (
            "content",
            "554 5.2.252 SendAsDenied; tracker@example.org not allowed to send as jane@people.example",
        ),
        (
            "content",
            "550-5.7.26 Unauthenticated mail from people.example is not accepted\n550 5.7.26 by DMARC",
        ),
    ],
)
def test_100_refused_mails_arrive_once_rewritten_and_the_administrator_is_told_once(
    where: str, reply: str
) -> None:
    picky = Picky(where, reply)
    sender = "user"
    if where != "content":
        # Before the content a server sees the reverse-path: a workspace's address in a domain of its own.
        sender = "system"
        senders.save_identity("NW", address="support@customer.example", name="Support")
    with running(picky.behaviour()) as server:
        configure(server.port, sender=sender)
        ids = put(100)
        assert work() == Drained(100)
        assert set(message_ids(server).values()) == {1}
        assert len(message_ids(server)) == 100
        name = "Jane Doe via Your Server" if where == "content" else "Jane Doe via Support via Your Server"
        assert {header(mail, "From") for mail in server.messages} == {f"{name} <tracker@example.org>"}
        assert {mail.reverse_path for mail in server.messages} == {"tracker@example.org"}
        if where == "content":
            assert {header(mail, "Reply-To") for mail in server.messages} == {JANE}
        refused = picky.refusals
        assert 1 <= refused <= 60  # those that were under way before the rule was known
        assert {row.state for row in queries.by_ids(ids).values()} == {State.ACCEPTED}
        assert {row.attempts for row in queries.by_ids(ids).values()} == {1}
        (rule,) = senders.rules(connections.outgoing())
        assert rule.domain == ("people.example" if where == "content" else "customer.example")
        assert rule.reply[:3] == reply[:3]
        assert len(told()) == 1
        put(50)
        assert work() == Drained(50)
        assert picky.refusals == refused  # the rule is known: nothing more is refused
    assert SenderRule.objects.count() == 1
    assert len(told()) == 1
    assert OutboxAttempt.objects.filter(outcome="rewritten").count() == refused
    assert connections.health().flow is Flow.FLOWING


def test_a_revoked_rule_is_tried_again() -> None:
    picky = Picky("content", NOT_YOURS)
    with running(picky.behaviour()) as server:
        configure(server.port, sender="user")
        put(1)
        assert work() == Drained(1)
        (rule,) = senders.rules()
        picky.allowed = "jane@people.example"
        revoked = senders.revoke(rule.id)
        assert revoked is not None
        assert revoked.domain == "people.example"
        assert senders.revoke(rule.id) is None
        put(1)
        assert work() == Drained(1)
        assert [header(mail, "From") for mail in server.messages][-1] == JANE
    assert not senders.rules()
    assert not told()


def test_an_address_for_answers_that_is_there_already_stays() -> None:
    new = recipient()
    own = NewRecipient(new.address, new.message_id, new.header + b"Reply-To: tracker+k7@example.org\r\n")
    with running(Picky("content", NOT_YOURS).behaviour()) as server:
        configure(server.port, sender="user")
        actions.enqueue(from_jane(), [own], now=timezone.now())
        assert work() == Drained(1)
        assert header(server.messages[0], "Reply-To") == "tracker+k7@example.org"


def test_a_program_that_named_its_own_from_is_rewritten_too() -> None:
    with running(Picky("content", NOT_YOURS).behaviour()) as server:
        configure(server.port)
        put(1, sender=SenderKind.GIVEN)
        assert work() == Drained(1)
        assert header(server.messages[0], "From") == "Jane Doe via Your Server <tracker@example.org>"
        assert header(server.messages[0], "Reply-To") == JANE


def test_one_rewrite_for_each_mail_and_no_rule_when_that_is_refused_too() -> None:
    """The server takes no mail of ours at all: the connection rests with its reason, and nothing is lost."""
    picky = Picky("content", NOT_YOURS, allowed="nobody@example.org")
    with running(picky.behaviour()) as server:
        configure(server.port, sender="user", max_connections=1)
        ids = put(1)
        assert work().accepted == 0
        assert picky.refusals == 2
        health = connections.health()
        assert (health.flow, health.cause, health.stage) == (Flow.PAUSED, "header-from-refused", "content")
        assert "permissions to send as" in health.reply
        assert not SenderRule.objects.exists()
        assert queries.by_ids(ids)[ids[0]].state is State.QUEUED
        assert queries.by_ids(ids)[ids[0]].attempts == 0
        picky.allowed = "tracker@example.org"
        configure(server.port, sender="user")
        health_actions.resume(0, now=timezone.now())
        assert work() == Drained(1)
        assert len(server.messages) == 1


def test_the_rewritten_mail_may_be_deferred_or_refused_for_its_own_sake() -> None:
    fate = ["451 4.7.1 Greylisted", "550 5.7.1 Message refused as spam"]

    def judge(content: bytes) -> Act:
        return NOT_YOURS if b"From: Jane Doe <jane" in content else fate[0]

    with running(Behaviour(judge=judge)) as server:
        configure(server.port, sender="user")
        (one,) = put(1)
        work()
        assert queries.by_ids([one])[one].state is State.DEFERRED
        OutboxRecipient.objects.update(next_attempt_at=timezone.now())
        fate.pop(0)
        work()
        row = queries.by_ids([one])[one]
        assert (row.state, row.reply) == (State.FAILED, "550 5.7.1 Message refused as spam")
    detail = queries.recipient(one)
    assert detail is not None
    # One rewrite for each mail: the second attempt went under the system address at once.
    assert [a.outcome for a in detail.attempts] == ["rewritten", "deferred", "failed"]
    assert not SenderRule.objects.exists()


def test_a_mail_stays_rewritten_and_teaches_the_rule_later() -> None:
    fate: list[Act] = ["451 4.7.1 Greylisted", None]
    seen = []

    def judge(content: bytes) -> Act:
        seen.append(b"From: Jane Doe <jane" in content)
        return NOT_YOURS if seen[-1] else fate[0]

    with running(Behaviour(judge=judge)) as server:
        configure(server.port, sender="user")
        (one,) = put(1)
        work()
        OutboxRecipient.objects.update(next_attempt_at=timezone.now())
        fate.pop(0)
        assert work() == Drained(1)
        assert header(server.messages[0], "Reply-To") == JANE
    assert seen == [True, False, False]
    (rule,) = senders.rules(connections.outgoing())
    assert (rule.domain, rule.address) == ("people.example", "jane@people.example")
    # A person who says "try again" begins anew: the server may have been set right.
    OutboxRecipient.objects.update(state=State.FAILED)
    senders.revoke(rule.id)
    actions.retry([one])
    with running(Behaviour(judge=judge)) as server:
        configure(server.port, sender="user")
        assert work() == Drained(1)
    assert seen == [True, False, False, True, False]


def test_a_cut_after_the_rewritten_content_is_uncertain_and_goes_again_rewritten() -> None:
    cuts = [1]

    def decide(stage: str, connection: Connection, argument: str) -> Act:
        return CUT if stage == "after-content" and cuts and cuts.pop() else None

    picky = Picky("content", NOT_YOURS)
    with running(Behaviour(decide=decide, judge=picky.behaviour().judge)) as server:
        configure(server.port, sender="user")
        (one,) = put(1)
        work()
        assert queries.by_ids([one])[one].state is State.UNCERTAIN
        assert not SenderRule.objects.exists()  # nobody knows whether it was accepted
        OutboxRecipient.objects.update(state=State.QUEUED, next_attempt_at=timezone.now())
        assert work() == Drained(1)
        assert set(message_ids(server).values()) == {2}
    assert SenderRule.objects.count() == 1


def test_refused_content_is_no_refused_sender() -> None:
    with running(Behaviour(judge=lambda content: "554 5.7.1 Spam message rejected")) as server:
        configure(server.port, sender="user")
        ids = put(3)
        work()
    assert {row.state for row in queries.by_ids(ids).values()} == {State.FAILED}
    assert not OutboxAttempt.objects.filter(outcome="rewritten").exists()
    assert not SenderRule.objects.exists()


def test_vague_words_make_no_rule_before_they_agree() -> None:
    picky = Picky("content", "550 5.7.1 Message refused by policy")
    with running(picky.behaviour()) as server:
        configure(server.port, sender="user", max_connections=1)
        put(1)
        assert work() == Drained(1)
        assert not SenderRule.objects.exists()
        put(5)
        assert work() == Drained(5)
        assert len(server.messages) == 6
    assert SenderRule.objects.count() == 1


def test_rules_hold_for_their_server_and_login_alone() -> None:
    picky = Picky("content", NOT_YOURS)
    with running(picky.behaviour()) as server:
        configure(server.port, sender="user")
        put(1)
        assert work() == Drained(1)
        assert senders.rules(connections.outgoing())
        configure(server.port, sender="user", host="localhost")
        assert not senders.rules(connections.outgoing())
        assert len(senders.rules()) == 1


@pytest.mark.parametrize("where", ["mail", "rcpt"])
def test_a_refused_reverse_path_rests_the_connection_whoever_the_mails_are_from(where: str) -> None:
    said = "553 5.7.1 <tracker@example.org>: Sender address rejected: not owned by user another"
    with running(Behaviour(faults={where: said})) as server:
        configure(server.port, sender="user")
        ids = put(3)
        assert work().accepted == 0
        health = connections.health()
        assert (health.flow, health.cause, health.stage) == (Flow.PAUSED, "sender-not-owned", where)
        assert {row.state for row in queries.by_ids(ids).values()} == {State.QUEUED}
        assert {row.attempts for row in queries.by_ids(ids).values()} == {0}
    assert not SenderRule.objects.exists()
