"""A dialogue and a model server, joined by pipes that deliver in pieces and may be cut."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import cycle

from depesche.smtpclient import Cause, Envelope, Outcome, Stage, SubmissionError, Transcript
from depesche.smtpclient.testing.model import ModelServer
from depesche.smtpclient.wire import commands
from depesche.smtpclient.wire.extensions import parse_ehlo
from depesche.smtpclient.wire.protocol import (
    Answer,
    Closing,
    Dialogue,
    Event,
)
from depesche.smtpclient.wire.states import Command, State
from depesche.smtpclient.wire.under_way import Learnt, Transaction

LOST = SubmissionError(Stage.CONTENT, Cause.CONNECTION_LOST)


def never(content: bytes) -> bytes:
    raise AssertionError("nothing here needs converting")


class Wire:
    """A dialogue and a model server, joined by two pipes that deliver in pieces and may be cut."""

    def __init__(
        self,
        server: ModelServer,
        transactions: Sequence[Transaction],
        *,
        sizes: Sequence[int] = (10_000,),
        chunking: bool | None = None,
        watched: bool = True,
    ) -> None:
        self.waiting = deque(transactions)
        self.server = server
        self.transcript = Transcript(limit=100_000)
        self.dialogue = Dialogue(
            self._source,
            to_seven_bit=never,
            tap=self.transcript if watched else None,
            learnt=Learnt(chunking=chunking),
            window=4,
        )
        self.sizes: Iterator[int] = cycle(sizes)
        self.to_server = b""
        self.to_client = server.greet()
        self.delivered = 0  # octets that the client has read
        self.events: list[Event] = []
        self.closing: SubmissionError | None = None
        self.written: list[bytes] = []

    def _source(self) -> Transaction | None:
        return self.waiting.popleft() if self.waiting else None

    def pump(self) -> None:
        while (octets := self.dialogue.outgoing()) is not None:
            self.written.append(bytes(octets))
            self.to_server += bytes(octets)

    def take_events(self) -> list[Event]:
        events, self.dialogue.events = self.dialogue.events, []
        self.events += events
        for event in events:
            if isinstance(event, Closing):
                self.closing = event.error
        return events

    def run(self, *, cut_after: int | None = None) -> None:
        """Until nothing moves any more; or until the client has read so many octets, then the line is cut."""
        while self.closing is None:
            self.pump()
            self.take_events()
            moved = False
            if self.to_server:
                size = next(self.sizes)
                piece, self.to_server = self.to_server[:size], self.to_server[size:]
                self.to_client += self.server.feed(piece)
                moved = True
            if self.to_client:
                size = next(self.sizes)
                if cut_after is not None:
                    size = min(size, cut_after - self.delivered)
                piece, self.to_client = self.to_client[:size], self.to_client[size:]
                if piece:
                    self.delivered += len(piece)
                    self.dialogue.receive(piece)
                    self.take_events()
                    moved = True
            if (cut_after is not None and self.delivered >= cut_after) or not moved:
                break
        if self.closing is None and (cut_after is not None or self.server.closed):
            self.dialogue.lost(LOST)
            self.take_events()

    def begin(self) -> None:
        """Greeting and EHLO."""
        self.run()
        self.dialogue.send(Command.EHLO, commands.ehlo("client.example.org"))
        self.run()
        answer = self.events[-1]
        assert isinstance(answer, Answer)
        self.dialogue.learn(parse_ehlo(answer.reply))
        self.delivered = 0
        self.dialogue.open_for_transactions = True


def message(number: int, recipients: int = 1) -> Transaction:
    addresses = tuple(f"r{number}.{index}@example.org" for index in range(recipients))
    content = f"Subject: {number}\r\n\r\n.dot\r\n".encode()
    return Transaction(Envelope(f"s{number}@example.org", addresses), content)


def check(wire: Wire, server: ModelServer, transactions: Sequence[Transaction]) -> None:
    assert server.violations == []
    taken = {(recipient, content) for _, all_of, content in server.accepted for recipient in all_of}
    assert len(taken) == sum(len(all_of) for _, all_of, _ in server.accepted), "nothing twice"
    for number, transaction in enumerate(transactions):
        result = transaction.result
        if result is None:
            assert transaction in wire.waiting, "begun and never decided"
            continue
        assert [one.address for one in result.recipients] == list(transaction.envelope.recipients)
        for index, one in enumerate(result.recipients):
            has_it = (one.address, transaction.content) in taken
            if one.outcome is Outcome.ACCEPTED:
                assert has_it
            elif one.outcome is not Outcome.UNCERTAIN:
                assert not has_it, f"{one} is with the server"
            if one.outcome in (Outcome.UNCERTAIN, Outcome.NOT_TRIED):
                assert one.reply is None
                assert result.error is not None
            elif one.reply is not None and one.reply.code != 503:
                label = one.reply.text
                assert f"<mail {number} " in label, f"message {number} got {label}"
                if one.stage is Stage.RCPT:
                    assert f"rcpt {index}>" in label
    if wire.closing is None and wire.dialogue.state is not State.CLOSED:
        assert not wire.waiting
        assert not wire.dialogue.busy
        for transaction in transactions:
            assert transaction.result is not None
            assert all(
                one.outcome not in (Outcome.UNCERTAIN, Outcome.NOT_TRIED)
                for one in transaction.result.recipients
            )
