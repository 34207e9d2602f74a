"""Every reply belongs to its message: for every pattern of refusals, a 421 anywhere, a cut at any octet.

The invariant, checked against the model server's own books:
accepted is what it took and said so; uncertain is what was handed over and never answered; whatever is called
refused, deferred or untried it does not have.
"""

from __future__ import annotations

from itertools import cycle
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.smtpclient import Cause, Envelope, Outcome, Reply, Stage
from depesche.smtpclient.testing.model import Answers, ModelServer
from depesche.smtpclient.wire import commands, protocol
from depesche.smtpclient.wire.content import SharedContent
from depesche.smtpclient.wire.protocol import (
    Answer,
    InjectedBeforeTls,
    ProtocolViolation,
)
from depesche.smtpclient.wire.reply_parser import MalformedReply
from depesche.smtpclient.wire.states import Command, State
from depesche.smtpclient.wire.under_way import Transaction
from tests.smtpclient.wires import LOST, Wire, check, message

CODES = st.sampled_from([250] * 6 + [450, 550])
ANSWERS = st.builds(
    Answers,
    mail=st.sampled_from([250] * 8 + [451, 553, 421]),
    rcpt=st.lists(st.sampled_from([250] * 6 + [251, 450, 550, 550, 421]), max_size=3).map(tuple),
    data=st.sampled_from([354] * 8 + [451, 554, 421]),
    content=st.sampled_from([250] * 8 + [452, 554, 421]),
)


@given(
    answers=st.lists(ANSWERS, min_size=1, max_size=7),
    recipients=st.lists(st.integers(1, 3), min_size=7, max_size=7),
    extensions=st.sampled_from(
        [
            ("PIPELINING",),
            ("PIPELINING", "CHUNKING"),
            ("PIPELINING", "CHUNKING", "SIZE 99999"),
            (),
            ("CHUNKING",),
        ]
    ),
    chunking=st.sampled_from([None, True, False]),
    keeps_open=st.booleans(),
    takes_empty=st.booleans(),
    fears=st.booleans(),
    sizes=st.lists(st.integers(1, 60) | st.just(10_000), min_size=1, max_size=5),
    cut_after=st.none() | st.integers(0, 900),
    watched=st.booleans(),
)
def test_every_reply_is_attributed_to_its_message(
    *,
    answers: list[Answers],
    recipients: list[int],
    extensions: tuple[str, ...],
    chunking: bool | None,
    keeps_open: bool,
    takes_empty: bool,
    fears: bool,
    sizes: list[int],
    cut_after: int | None,
    watched: bool,
) -> None:
    transactions = [message(number, recipients[number]) for number in range(len(answers))]
    server = ModelServer(
        answers, extensions, keeps_open=keeps_open, takes_empty=takes_empty, nothing_behind_content=fears
    )
    wire = Wire(server, transactions, chunking=chunking, watched=watched)
    wire.begin()
    wire.sizes = cycle(sizes)
    wire.run(cut_after=cut_after)
    check(wire, server, transactions)


def test_one_round_trip_per_message() -> None:
    wire = Wire(ModelServer(), [message(number) for number in range(3)])
    wire.begin()
    before = len(wire.written)
    wire.run()
    envelope = b"MAIL FROM:<s%d@example.org>\r\nRCPT TO:<r%d.0@example.org>\r\nDATA\r\n"
    content = b"Subject: %d\r\n\r\n..dot\r\n"
    assert wire.written[before:] == [
        envelope % (0, 0),
        content % 0,
        b".\r\n" + envelope % (1, 1),
        content % 1,
        b".\r\n" + envelope % (2, 2),
        content % 2,
        b".\r\n",
    ]


SAID = st.lists(
    st.one_of(
        st.sampled_from(
            [b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", b"250 ok\r\n251 will forward\r\n354 go\r\n"]
        ),
        st.sampled_from([b"250 ok\r\n", b"354 go\r\n", b"250-a\r\n250 b\r\n", b"250\r\n", b"250 ok\n"]),
        st.sampled_from([b"421 bye\r\n", b"550 no\r\n", b"452 later\r\n", b"250 \xff\r\r\n", b"2", b"x\r\n"]),
        st.just(b"250 " + b"a" * 4200 + b"\r\n"),
    ),
    max_size=6,
)


@given(pieces=st.lists(SAID.map(b"".join), max_size=8), cut=st.booleans())
def test_the_short_way_ends_where_the_general_way_does(pieces: list[bytes], cut: bool) -> None:
    """Whatever a server says: with a transcript every reply goes the general way, without one those of a
    long run are taken at one stroke."""

    def end(*, watched: bool) -> object:
        transactions = [message(number) for number in range(8)]
        wire = Wire(ModelServer(), transactions, watched=watched)
        wire.begin()
        wire.pump()
        raised = ""
        for piece in (b"250 ok\r\n250 ok\r\n354 go\r\n", *pieces):
            try:
                wire.dialogue.receive(piece)
            except (ProtocolViolation, MalformedReply) as error:
                raised = str(error)
                wire.dialogue.lost(LOST)
            wire.take_events()
            if raised or wire.closing is not None:
                break
            wire.pump()
        if cut:
            wire.dialogue.lost(LOST)
            wire.take_events()
        dialogue = wire.dialogue
        return (
            [repr(one.result) for one in transactions],
            [[one.mail_reply, *one.rcpt_replies, one.data_reply, one.final_reply] for one in transactions],
            [transactions.index(event) for event in wire.events if isinstance(event, Transaction)],
            (wire.written, raised, str(wire.closing)),
            (dialogue.state, dialogue.awaiting, dialogue.answered, dialogue.refusals_in_a_row, dialogue.busy),
        )

    assert end(watched=True) == end(watched=False)


def test_a_long_run_takes_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    transactions = [message(number) for number in range(5)]
    wire = Wire(ModelServer(), transactions, watched=False)
    wire.begin()
    fed: list[bytes] = []
    parser = wire.dialogue._parser
    monkeypatch.setattr(
        wire.dialogue,
        "_parser",
        SimpleNamespace(feed=lambda data: fed.append(data) or parser.feed(data), pending=False, failed=None),
    )
    wire.run()
    assert len(fed) == 2, "the first envelope and the last content"
    assert all(one.result is not None and one.result.accepted for one in transactions)


def test_content_in_two_parts_is_what_it_is_in_one() -> None:
    shared = SharedContent(b".begins with a dot\r\nbody\r\n.\r\n")
    transactions = [
        Transaction(Envelope("s@example.org", (f"r{n}@example.org",)), b"To: r%d\r\n" % n, shared)
        for n in range(3)
    ]
    server = ModelServer(extensions=("PIPELINING", "SIZE 9999"))
    wire = Wire(server, transactions)
    wire.begin()
    wire.run()
    assert [content for _, _, content in server.accepted] == [
        b"To: r%d\r\n" % n + shared.octets for n in range(3)
    ]
    assert f"MAIL FROM:<s@example.org> SIZE={len(b'To: r0') + 2 + len(shared.octets)}" in server.commands


def test_without_pipelining_each_command_waits() -> None:
    wire = Wire(ModelServer(extensions=()), [message(0, 2), message(1)])
    wire.begin()
    before = len(wire.written)
    wire.run()
    assert [piece.split(b" ")[0].strip() for piece in wire.written[before:] if b"Subject" not in piece] == [
        *(b"MAIL", b"RCPT", b"RCPT", b"DATA", b"."),
        *(b"MAIL", b"RCPT", b"DATA", b"."),
    ]


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
def test_after_a_refusal_rset_comes_first(extensions: tuple[str, ...]) -> None:
    server = ModelServer([Answers(rcpt=(550,)), Answers()], extensions, keeps_open=True)
    wire = Wire(server, [message(0), message(1)])
    wire.begin()
    wire.run()
    check(wire, server, [])
    assert server.commands.index("RSET") < server.commands.index("MAIL FROM:<s1@example.org>")
    assert len(server.accepted) == 1


def test_content_for_nobody_is_a_single_dot() -> None:
    server = ModelServer([Answers(rcpt=(550,)), Answers()], takes_empty=True)
    first, second = message(0), message(1)
    wire = Wire(server, [first, second])
    wire.begin()
    wire.run()
    assert b".\r\nMAIL FROM:<s1@example.org>\r\nRCPT TO:<r1.0@example.org>\r\nDATA\r\n" in wire.written
    assert first.result is not None
    assert first.result.recipients[0].outcome is Outcome.REFUSED
    assert first.result.recipients[0].stage is Stage.RCPT
    assert second.result is not None
    assert second.result.accepted


def greeted() -> Wire:
    wire = Wire(ModelServer(), [message(0), message(1)])
    wire.begin()
    wire.pump()
    return wire


@pytest.mark.parametrize(
    "said",
    [
        b"354 go ahead\r\n",  # in answer to MAIL
        b"250 ok\r\n354 go ahead\r\n",  # to RCPT
        b"250 ok\r\n250 ok\r\n250 ok\r\n",  # to DATA
        b"550 no\r\n250 ok\r\n354 go ahead\r\n",  # to DATA after a refused sender
    ],
)
def test_a_reply_that_cannot_be_ends_the_session(said: bytes) -> None:
    wire = greeted()
    with pytest.raises(ProtocolViolation):
        wire.dialogue.receive(said)
    wire.dialogue.lost(LOST)
    outcomes = [event.result for event in wire.take_events() if isinstance(event, Transaction)]
    assert len(outcomes) == 1
    assert outcomes[0] is not None
    assert outcomes[0].recipients[0].outcome is not Outcome.ACCEPTED


def test_a_reply_that_nobody_asked_for() -> None:
    wire = Wire(ModelServer(), [])
    wire.begin()
    with pytest.raises(ProtocolViolation, match="nothing"):
        wire.dialogue.receive(b"250 whatever\r\n")


def test_a_late_421_closes_an_idle_session() -> None:
    wire = Wire(ModelServer(), [])
    wire.begin()
    wire.dialogue.receive(b"421 4.4.2 idle for too long\r\n")
    wire.take_events()
    assert wire.closing is not None
    assert wire.closing.cause is Cause.SERVICE_CLOSING
    assert wire.dialogue.state is State.CLOSING


def test_421_too_many_is_told_apart() -> None:
    wire = greeted()
    wire.dialogue.receive(b"421 4.7.0 too many concurrent connections\r\n")
    wire.take_events()
    assert wire.closing is not None
    assert wire.closing.cause is Cause.TOO_MANY_CONNECTIONS


@pytest.mark.parametrize("tail", [b"250 injected\r\n", b"2", b"250-x", b"\r\n", b"\x16\x03\x01"], ids=repr)
@pytest.mark.parametrize("together", [True, False])
def test_nothing_may_follow_starttls_in_clear(tail: bytes, together: bool) -> None:
    wire = Wire(ModelServer(), [])
    wire.begin()
    wire.dialogue.send(Command.STARTTLS, commands.STARTTLS)
    wire.pump()
    reply = b"220 go ahead\r\n"
    if not together:
        wire.dialogue.receive(reply)
        reply = b""
    with pytest.raises(InjectedBeforeTls):
        wire.dialogue.receive(reply + tail)


def test_large_content_goes_in_pieces_and_only_its_end_makes_it_uncertain() -> None:
    transaction = message(0)
    transaction.content = b"x" * 76 * 4000
    wire = Wire(ModelServer(), [transaction])
    wire.begin()
    wire.pump()
    wire.dialogue.receive(b"250 ok\r\n250 ok\r\n354 go\r\n")
    pieces = []
    while not transaction.handed_over:
        piece = wire.dialogue.outgoing()
        assert piece is not None
        assert len(piece) <= protocol.BLOCK
        pieces.append(bytes(piece))
        if len(pieces) == 2:
            assert transaction.decide(LOST).recipients[0].outcome is Outcome.NOT_TRIED
    assert b"".join(pieces) == transaction.content + b"\r\n.\r\n"
    assert transaction.decide(LOST).recipients[0].outcome is Outcome.UNCERTAIN


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (b"552 5.3.4 too much\r\n", Outcome.REFUSED),
        (b"452 4.3.1 full\r\n", Outcome.DEFERRED),
        (b"421 4.3.0 bye\r\n", Outcome.DEFERRED),
    ],
)
def test_a_refusal_in_the_middle_of_the_content(said: bytes, outcome: Outcome) -> None:
    transaction, following = message(0), message(1)
    transaction.content = b"x" * 76 * 4000
    wire = Wire(ModelServer(), [transaction, following])
    wire.begin()
    wire.pump()
    wire.dialogue.receive(b"250 ok\r\n250 ok\r\n354 go\r\n")
    wire.dialogue.outgoing()
    wire.dialogue.receive(said)
    wire.take_events()
    assert transaction.result is not None
    assert transaction.result.recipients[0].outcome is outcome
    assert wire.closing is not None
    assert wire.dialogue.outgoing() is None
    assert following.result is None


def test_an_acceptance_in_the_middle_of_the_content_is_believed_by_nobody() -> None:
    transaction = message(0)
    transaction.content = b"x" * 76 * 4000
    wire = Wire(ModelServer(), [transaction])
    wire.begin()
    wire.pump()
    wire.dialogue.receive(b"250 ok\r\n250 ok\r\n354 go\r\n")
    wire.dialogue.outgoing()
    with pytest.raises(ProtocolViolation):
        wire.dialogue.receive(b"250 taken\r\n")
    wire.dialogue.lost(LOST)
    assert transaction.result is not None
    assert transaction.result.recipients[0].outcome is Outcome.NOT_TRIED


@given(st.binary(max_size=200), st.booleans())
def test_no_server_can_do_more_than_end_the_session(octets: bytes, after_ehlo: bool) -> None:
    wire = greeted() if after_ehlo else Wire(ModelServer(), [message(0)])
    try:
        wire.dialogue.receive(octets)
    except (ProtocolViolation, ValueError):
        wire.dialogue.lost(LOST)
    for event in wire.take_events():
        if isinstance(event, Transaction):
            assert event.result is not None
            assert not event.result.accepted


def test_errors_are_counted_until_something_is_accepted() -> None:
    server = ModelServer([Answers(rcpt=(550,)), Answers(rcpt=(550,)), Answers(), Answers(mail=550)])
    wire = Wire(server, [message(number) for number in range(2)])
    wire.begin()
    wire.run()
    assert wire.dialogue.refusals_in_a_row == 4  # RCPT and DATA, twice
    wire.waiting.extend([message(2)])
    wire.run()
    assert wire.dialogue.refusals_in_a_row == 0


def test_the_transcript_shows_content_as_a_number() -> None:
    wire = Wire(ModelServer(), [message(0)])
    wire.begin()
    wire.run()
    text = str(wire.transcript)
    assert "C: (21 bytes)\nC: .\nS: 250 2.0.0 <mail 0 content>" in text
    assert "Subject" not in text


def test_challenges_of_a_login_are_not_shown() -> None:
    wire = Wire(ModelServer(), [])
    wire.begin()
    wire.dialogue.send(Command.AUTH, b"AUTH CRAM-MD5\r\n")
    wire.dialogue.receive(b"334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\r\n")
    assert wire.transcript.lines[-1] == "S: 334 (challenge)"
    assert wire.take_events()[-1] == Answer(
        Command.AUTH, Reply(334, "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+")
    )
