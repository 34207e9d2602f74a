"""What servers do that nothing announces: they refuse what follows a message at once, end a connection after
so many messages, or hang up after too many RSET. Found with Haraka 3.3 and Exim 4.96."""

from __future__ import annotations

import asyncio

import pytest

from depesche.smtpclient import (
    Cause,
    Limits,
    Outcome,
    Pool,
    Reply,
    Result,
    Session,
    Stage,
    SubmissionError,
    Timeouts,
)
from depesche.smtpclient.errors import asks_for_another_connection, asks_for_fewer_connections
from depesche.smtpclient.testing import HANG, Act, Behaviour, Connection, FakeServer
from depesche.smtpclient.testing.model import Answers, ModelServer
from depesche.smtpclient.testing.server import EXTENSIONS
from depesche.smtpclient.wire.protocol import ProtocolViolation
from depesche.smtpclient.wire.states import Command, State
from depesche.smtpclient.wire.under_way import Transaction
from tests.smtpclient.connecting import MAIL, configured, to
from tests.smtpclient.pooling import accepted, once_each, recipient, submit
from tests.smtpclient.wires import LOST, Wire, check, message

CHUNKS = (*EXTENSIONS, "CHUNKING")

# --- nothing behind the final dot ---------------------------------------------------------------------------


def test_an_envelope_that_was_refused_for_its_haste_begins_once_more() -> None:
    server = ModelServer(nothing_behind_content=True)
    transactions = [message(number) for number in range(4)]
    wire = Wire(server, transactions)
    wire.begin()
    wire.run()
    check(wire, server, transactions)
    assert [one.result and one.result.accepted for one in transactions] == [True] * 4
    assert wire.closing is None
    hasty = [octets for octets in wire.written if octets.startswith(b".\r\nMAIL")]
    assert len(hasty) == 1, "once found out, the next envelope waits for the reply"
    assert server.commands.count("RSET") == 1


def test_a_refusal_that_is_about_the_message_stays_one() -> None:
    server = ModelServer([Answers(), Answers(mail=550), Answers(mail=501), Answers()])
    transactions = [message(number) for number in range(4)]
    wire = Wire(server, transactions)
    wire.begin()
    wire.run()
    check(wire, server, transactions)
    assert [one.result and one.result.accepted for one in transactions] == [True, False, False, True]
    assert wire.dialogue._learnt.behind_content


def with_haste() -> tuple[Wire, list[Transaction]]:
    """A message whose final dot is out, and behind it the envelope of the next one; no answer to either."""
    transactions = [message(number) for number in range(2)]
    wire = Wire(ModelServer(), transactions)
    wire.begin()
    wire.pump()
    wire.dialogue.receive(b"250 ok\r\n250 ok\r\n354 go\r\n")
    wire.pump()
    return wire, transactions


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("554 5.5.0 Error: SMTP protocol synchronization", Outcome.NOT_TRIED),
        ("550 pipelining is not for you", Outcome.NOT_TRIED),
        ("421 4.5.0 synchronization error", Outcome.DEFERRED),
        ("550 5.7.1 this sender is not welcome", Outcome.REFUSED),
    ],
)
def test_a_server_that_hangs_up_on_haste_refuses_nobody(said: str, outcome: Outcome) -> None:
    wire, transactions = with_haste()
    wire.dialogue.receive(f"250 taken\r\n{said}\r\n".encode())
    wire.dialogue.lost(LOST)
    assert transactions[1].result is not None
    assert transactions[1].result.recipients[0].outcome is outcome
    assert wire.dialogue._learnt.behind_content is (outcome is Outcome.REFUSED)


def test_what_is_refused_without_haste_too_is_refused() -> None:
    wire, transactions = with_haste()
    wire.dialogue.receive(b"250 taken\r\n" + b"503 not now\r\n" * 3)
    wire.pump()
    assert wire.dialogue.expected[0][0] is Command.RSET
    wire.dialogue.receive(b"250 reset\r\n" + b"503 not now\r\n" * 3)
    wire.pump()
    assert not wire.dialogue.busy
    assert transactions[1].result is not None
    assert transactions[1].result.recipients[0].outcome is Outcome.REFUSED


def test_content_asked_for_behind_a_refused_envelope_gets_none() -> None:
    """Whoever says 354 after a 503 waits for content: another MAIL would be taken for it."""
    wire, transactions = with_haste()
    with pytest.raises(ProtocolViolation):
        wire.dialogue.receive(b"250 taken\r\n503 not now\r\n250 ok\r\n354 go ahead\r\n")
    wire.dialogue.lost(LOST)
    assert wire.dialogue.outgoing() is None
    assert transactions[0].result is not None
    assert transactions[0].result.accepted
    assert transactions[1].result is not None
    assert transactions[1].result.recipients[0].outcome is Outcome.NOT_TRIED


@pytest.mark.parametrize("chunking", [None, True])
def test_nothing_goes_in_chunks_behind_a_dot(*, chunking: bool | None) -> None:
    """A large message goes by DATA even where BDAT is known."""
    server = ModelServer(extensions=("PIPELINING", "CHUNKING"), nothing_behind_content=True)
    transactions = [message(number) for number in range(4)]
    transactions[0].content += b"x" * 998 + b"\r\n"
    transactions[0].content *= 70
    wire = Wire(server, transactions, chunking=chunking)
    wire.begin()
    wire.run()
    check(wire, server, transactions)
    assert [one.result and one.result.accepted for one in transactions] == [True] * 4


def test_the_last_one_may_begin_once_more_though_the_session_is_about_to_end() -> None:
    server = ModelServer(nothing_behind_content=True)
    transactions = [message(number) for number in range(2)]
    wire = Wire(server, transactions)
    wire.begin()
    while wire.dialogue.state is not State.SPOILT:
        wire.pump()
        piece, wire.to_server = wire.to_server, b""
        wire.dialogue.receive(server.feed(piece) or b"")
        wire.dialogue.open_for_transactions = bool(wire.waiting)
    assert wire.dialogue.busy
    wire.run()
    assert [one.result and one.result.accepted for one in transactions] == [True, True]
    assert not wire.dialogue.busy


async def test_a_session_and_a_pool_go_on_with_such_a_server() -> None:
    async with FakeServer(Behaviour(nothing_behind_content=True)) as server:
        async with Session(configured(server.port)) as session:
            results = await asyncio.gather(*(session.submit(to(recipient(n)), MAIL) for n in range(5)))
        assert all(result.accepted for result in results)
        async with Pool(configured(server.port), size=3) as pool:
            assert accepted(await submit(pool, 60, first=5))
            assert not pool.learnt.behind_content
        assert once_each(server, 65)
        assert server.violations == []


async def test_a_server_that_throws_it_away_is_waited_for_once() -> None:
    def silent(stage: str, connection: Connection, argument: str) -> Act:
        return HANG if stage == "mail" and connection.mails and connection.number == 1 else None

    async with FakeServer(Behaviour(decide=silent)) as server:
        config = configured(server.port, timeouts=Timeouts(mail=1.0))
        async with Pool(config, size=1) as pool:
            _, lost = await submit(pool, 2)
            assert isinstance(lost, SubmissionError)
            assert (lost.stage, lost.cause) == (Stage.MAIL, Cause.TIMEOUT)
            assert not pool.learnt.behind_content


# --- so many messages a connection --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("421 too many messages in this connection", True),  # Exim
        ("421 4.7.0 Too many mails in one session", True),
        ("452 4.5.3 Too many recipients this session", True),
        ("451 4.7.1 Maximum number of messages per connection exceeded", True),
        ("421 4.7.0 Message limit for this connection reached: 100 messages per connection", True),
        ("421 4.7.0 Message limit for this session reached", True),
        ("421 Max message per connection reached, closing transmission channel", True),
        ("452 4.3.1 Too many emails sent on this session", True),
        ("450 4.7.1 Transaction count exceeded for the same SMTP connection", True),
        # A pace for the sender, whatever becomes of the connection:
        ("450 4.7.1 Too many messages from this sender; connection throttled", False),
        ("421 4.7.0 Too many messages from your address, closing connection", False),
        ("421 4.4.2 Message submission rate exceeded, closing transmission channel", False),
        ("421 4.7.0 too many connections", False),
        ("421 4.3.2 too many concurrent sessions", False),
        ("450 4.7.1 connection rate limit exceeded", False),
        ("452 4.5.3 too many recipients", False),
        ("550 5.7.1 too many messages in this connection", False),
    ],
)
def test_words_that_want_another_connection(said: str, means: bool) -> None:
    code, _, text = said.partition(" ")
    reply = Reply(int(code), text)
    assert asks_for_another_connection(reply) is means
    if means:
        assert not asks_for_fewer_connections(reply)


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("421 4.7.0 too many connections", True),
        ("421 4.7.0 too many", True),
        ("451 4.7.0 Too many concurrent SMTP connections; please try again later", True),
        ("421 4.7.0 mail.example.org Error: too many new TLS sessions from 192.0.2.1", True),  # Postfix
        ("450 4.7.1 Too many messages from this sender; slow down", True),
        ("421 Too many clients, try again later", True),
        ("451 4.7.1 Too many requests.", True),
        ("554 5.7.1 too many connections from your host", True),
        ("421 4.7.0 Too many from 192.0.2.1", True),
        ("554 5.4.0 Error: too many hops", False),  # of this mail alone, whatever is left of the connection
        ("554 5.6.0 Message has too many attachments", False),
        ("554 5.7.1 Too many links in the message", False),
        ("451 4.6.0 Too many MIME parts", False),
        ("452 4.2.2 Mailbox full: too many messages in the mailbox", False),
        ("421 4.7.0 mail.example.org Error: too many errors", False),  # Postfix, of our commands
        ("421 Too many nonmail commands", False),  # Exim
        ("421 Too many syntax or protocol errors", False),  # Exim
        ("421 4.7.0 Too many bad commands; closing connection", False),
        ("450 4.7.1 Too many failed login attempts", False),
        ("450 4.5.3 Too many invalid recipients", False),
    ],
)
def test_words_that_want_fewer_connections(said: str, means: bool) -> None:
    code, _, text = said.partition(" ")
    assert asks_for_fewer_connections(Reply(int(code), text)) is means


@pytest.mark.parametrize("extensions", [EXTENSIONS, CHUNKS, ()])
@pytest.mark.parametrize(
    "said", ["421 too many messages in this connection", "451 4.7.0 too many mails in one session"]
)
async def test_a_limit_of_messages_is_learnt_and_makes_the_cap_no_smaller(
    extensions: tuple[str, ...], said: str
) -> None:
    def decide(stage: str, connection: Connection, argument: str) -> Act:
        return said if stage == "mail" and connection.mails >= 10 else None

    async with FakeServer(Behaviour(extensions=extensions, decide=decide)) as server:
        async with Pool(configured(server.port), size=2) as pool:
            results = await submit(pool, 200)
            assert accepted(results), "nothing uncertain, nothing put off"
            assert pool.stats.effective == 2
        assert once_each(server, 200)
        told = [one for one in server.connections if not one.ended_by_quit]
        assert len(told) <= 2 + 2 * (said[:3] == "451"), "the others said QUIT before they were told"
        assert len(server.connections) <= 25


# --- behind a good-bye --------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["RSET", "MAIL", "RCPT"])
def test_what_is_behind_a_421_was_not_tried_though_its_content_is_out(where: str) -> None:
    answers = [Answers()] * 3
    server = ModelServer(answers, extensions=("PIPELINING", "CHUNKING"))
    transactions = [message(number) for number in range(3)]
    wire = Wire(server, transactions, chunking=True)
    wire.begin()
    wire.pump()
    assert wire.dialogue.expected[-1][0] is Command.BDAT
    assert all(one.handed_over for one in transactions)
    first = {"MAIL": [], "RCPT": ["250 ok"], "RSET": ["250 ok", "250 ok", "250 taken"]}[where]
    wire.dialogue.receive("".join(f"{line}\r\n" for line in [*first, "421 4.7.0 bye"]).encode())
    outcomes = [one.result and one.result.recipients[0].outcome for one in transactions]
    begun = Outcome.ACCEPTED if where == "RSET" else Outcome.DEFERRED
    assert outcomes == [begun, Outcome.NOT_TRIED, Outcome.NOT_TRIED]


# --- too many RSET ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extensions", [EXTENSIONS, CHUNKS])
async def test_a_session_ends_before_its_resets_are_too_many(extensions: tuple[str, ...]) -> None:
    """Exim hangs up after the tenth RSET of a transaction in which nothing was submitted."""
    refused = {recipient(number): "550 5.1.1 unknown" for number in range(0, 120, 2)}
    async with FakeServer(Behaviour(extensions=extensions, recipients=refused)) as server:
        async with Pool(configured(server.port, limits=Limits(refusals_in_a_row=100)), size=2) as pool:
            results = await submit(pool, 120)
        for number, result in enumerate(results):
            assert isinstance(result, Result)
            wanted = Outcome.REFUSED if recipient(number) in refused else Outcome.ACCEPTED
            assert result.recipients[0].outcome is wanted
        for connection in server.connections:
            asked = [line for line in connection.commands if line.startswith("RCPT")]
            assert sum(any(one in line for one in refused) for line in asked) < 10
            assert connection.ended_by_quit
