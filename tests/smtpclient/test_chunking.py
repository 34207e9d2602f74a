"""CHUNKING: a window of transactions, and what is tried before it is trusted."""

from __future__ import annotations

from depesche.smtpclient import Cause, Outcome
from depesche.smtpclient.testing.model import Answers, ModelServer
from depesche.smtpclient.wire.under_way import Transaction
from tests.smtpclient.wires import Wire, check, message

CHUNKS = ("PIPELINING", "CHUNKING")


def test_a_window_of_transactions_goes_out_back_to_back() -> None:
    wire = Wire(ModelServer(extensions=CHUNKS), [message(number) for number in range(6)], chunking=True)
    wire.begin()
    before = len(wire.written)
    wire.pump()
    mail = (
        b"MAIL FROM:<s%d@example.org>\r\nRCPT TO:<r%d.0@example.org>\r\n"
        b"BDAT 20 LAST\r\nSubject: %d\r\n\r\n.dot\r\n"
    )
    assert wire.written[before:] == [
        mail % (0, 0, 0),
        *(b"RSET\r\n" + mail % (number, number, number) for number in (1, 2, 3)),
    ]
    wire.run()
    assert len(wire.server.accepted) == 6


def test_the_first_line_is_tried_before_chunking_is_trusted() -> None:
    wire = Wire(ModelServer(extensions=CHUNKS), [message(number) for number in range(2)])
    wire.begin()
    before = len(wire.written)
    wire.run()
    assert wire.written[before].endswith(b"BDAT 12\r\nSubject: 0\r\n")
    assert wire.written[before + 1] == b"BDAT 8 LAST\r\n\r\n.dot\r\n"
    assert [content for *_, content in wire.server.accepted] == [
        b"Subject: 0\r\n\r\n.dot\r\n",
        b"Subject: 1\r\n\r\n.dot\r\n",
    ]


def test_a_trial_without_a_recipient_tells_nothing() -> None:
    server = ModelServer([Answers(rcpt=(550,)), Answers(mail=550), Answers()], CHUNKS, keeps_open=True)
    transactions = [message(number) for number in range(3)]
    wire = Wire(server, transactions)
    wire.begin()
    wire.run()
    check(wire, server, transactions)
    assert [t.result.accepted for t in transactions if t.result] == [False, False, True]


def test_a_server_that_does_not_know_what_it_announces() -> None:
    server = ModelServer(extensions=CHUNKS, knows_bdat=False)
    transactions = [message(number) for number in range(2)]
    transactions[0].content += b"MAIL FROM:<evil@example.org>\r\n"
    wire = Wire(server, transactions)
    wire.begin()
    wire.run()
    assert wire.closing is not None
    assert wire.closing.cause is Cause.CHUNKING_FAILED
    assert wire.dialogue._learnt.chunking is False
    assert server.commands[-1] == "Subject: 0", "nothing but a header field was taken for a command"
    (first,) = [event for event in wire.events if isinstance(event, Transaction)]
    assert first.result is not None
    assert first.result.recipients[0].outcome is Outcome.NOT_TRIED


def test_content_that_cannot_be_tried_goes_as_data() -> None:
    transaction = message(0)
    transaction.content = b"MAIL FROM:<evil@example.org>\r\n"
    wire = Wire(ModelServer(extensions=CHUNKS), [transaction])
    wire.begin()
    wire.run()
    assert wire.written[-1] == b".\r\n"
    assert len(wire.server.accepted) == 1


def test_large_content_goes_as_data() -> None:
    transaction, following = message(0), message(1)
    transaction.content = b"x" * 70_000
    server = ModelServer(extensions=CHUNKS)
    wire = Wire(server, [following, transaction, message(2)], chunking=True)
    wire.begin()
    wire.run()
    assert [command.split()[0] for command in server.commands if command[:4] in ("BDAT", "DATA")] == [
        *("BDAT", "DATA", "BDAT"),
    ]
    assert len(server.accepted) == 3
