"""The same promises, kept by the fake and by a real Postfix: what the fake says about servers is true."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from depesche.smtpclient import (
    Cause,
    ConnectionConfig,
    Encryption,
    Envelope,
    Limits,
    LocalRefusal,
    Outcome,
    Password,
    Pool,
    Session,
    Stage,
    SubmissionError,
    Timeouts,
    Transcript,
    Trust,
)
from depesche.smtpclient.testing import Behaviour, FakeServer
from depesche.smtpclient.wire.under_way import Learnt
from tests.smtpclient.conftest import Certificates
from tests.support.postfix import Postfix

ALICE, BOB, NOBODY = "alice@example.org", "bob@example.org", "nobody@example.org"
SENDER = "tracker@example.org"
PATIENT = Timeouts.each(60)


@dataclass
class Server:
    """A server as the tests see it: ports for each way in, and what has arrived."""

    plain: int
    starttls: int
    tls: int
    login: int
    ca_pem: bytes
    password: str
    arrived: Callable[[], int]

    def config(self, port: int, encryption: Encryption, **more: object) -> ConnectionConfig:
        values: dict[str, object] = {
            "trust": Trust(ca_pems=(self.ca_pem,)),
            "timeouts": PATIENT,
            "local_hostname": "client.example.org",
        } | more
        return ConnectionConfig("localhost", port, encryption, **values)  # type: ignore[arg-type]  # by name


@pytest.fixture
async def fake(certificates: Certificates) -> AsyncIterator[Server]:
    context = certificates.context()
    recipients = {NOBODY: "550 5.1.1 <nobody@example.org>: Recipient address rejected"}
    size = "SIZE 50000000"
    usual = (*(size if word.startswith("SIZE") else word for word in Behaviour().extensions), "CHUNKING")
    does = Behaviour(extensions=usual, recipients=recipients, keep_open_after_refused_data=True)
    secure = Behaviour(extensions=usual, recipients=recipients, starttls=True, tls_required=True)
    login = Behaviour(
        recipients=recipients,
        starttls=True,
        tls_required=True,
        login_required=True,
        mechanisms=("PLAIN", "LOGIN"),
        users={"alice": "alice-secret"},
    )
    async with (
        FakeServer(does) as plain,
        FakeServer(secure, context=context) as starttls,
        FakeServer(does, context=context, implicit_tls=True) as tls,
        FakeServer(login, context=context) as with_login,
    ):
        servers = (plain, starttls, tls, with_login)
        yield Server(
            plain.port,
            starttls.port,
            tls.port,
            with_login.port,
            certificates.ca_pem,
            "alice-secret",
            lambda: sum(m.recipients.count(ALICE) for one in servers for m in one.messages),
        )
        for one in servers:
            assert one.violations == []


@pytest.fixture
def real(postfix: Postfix) -> Server:
    from tests.support.waiting import wait_until

    def arrived() -> int:
        queue = Path(postfix.folder / "queue")

        def empty() -> bool:
            return not any(
                path.is_file()
                for name in ("incoming", "active", "maildrop")
                for path in (queue / name).rglob("*")
            )

        wait_until(empty, "Postfix's queue to empty")
        return len(postfix.maildir("alice").raw())

    return Server(
        postfix.port_plain,
        postfix.port_starttls,
        postfix.port_tls,
        postfix.port_login,
        postfix.ca_pem.read_bytes(),
        postfix.dovecot.users["alice"],
        arrived,
    )


@pytest.fixture(
    params=[
        "fake",
        pytest.param("real", marks=[pytest.mark.journey, pytest.mark.needs("postfix", "dovecot")]),
    ]
)
def server(request: pytest.FixtureRequest) -> Server:
    chosen = request.getfixturevalue(request.param)
    assert isinstance(chosen, Server)
    return chosen


def mail(number: int = 0, *, text: str = "Hello") -> bytes:
    return f"From: {SENDER}\r\nTo: {ALICE}\r\nSubject: {number}\r\n\r\n{text}\r\n.\r\n..dots\r\n".encode()


def to(*recipients: str) -> Envelope:
    return Envelope(SENDER, recipients)


async def test_each_encryption(server: Server) -> None:
    ways = [
        (server.plain, Encryption.NONE, False),
        (server.plain, Encryption.TLS_IF_AVAILABLE, False),
        (server.starttls, Encryption.TLS, True),
        (server.starttls, Encryption.TLS_IF_AVAILABLE, True),
        (server.tls, Encryption.SSL, True),
    ]
    for port, encryption, encrypted in ways:
        async with Session(server.config(port, encryption)) as session:
            assert session.encrypted is encrypted
            assert session.capabilities.pipelining
            assert session.capabilities.size == 50_000_000
            assert (await session.submit(to(ALICE), mail())).accepted
    assert server.arrived() == len(ways)


async def test_nothing_in_clear_where_tls_is_required(server: Server) -> None:
    with pytest.raises(SubmissionError) as caught:
        await Session.open(server.config(server.plain, Encryption.TLS))
    assert caught.value.cause is Cause.STARTTLS_NOT_OFFERED
    async with Session(server.config(server.starttls, Encryption.NONE)) as session:
        result = await session.submit(to(ALICE), mail())
    assert result.recipients[0].outcome is Outcome.REFUSED
    assert result.recipients[0].stage is Stage.MAIL
    assert server.arrived() == 0


async def test_the_authority_must_be_known(server: Server) -> None:
    for port, encryption in ((server.starttls, Encryption.TLS), (server.tls, Encryption.SSL)):
        with pytest.raises(SubmissionError) as caught:
            await Session.open(server.config(port, encryption, trust=Trust()))
        assert caught.value.cause is Cause.CERT_UNKNOWN_CA


async def test_the_wrong_port(server: Server) -> None:
    with pytest.raises(SubmissionError) as caught:
        await Session.open(server.config(server.plain, Encryption.SSL))
    assert caught.value.cause is Cause.PLAIN_ON_TLS_PORT
    with pytest.raises(SubmissionError) as caught:
        await Session.open(server.config(server.tls, Encryption.NONE, timeouts=Timeouts(greeting=1)))
    assert caught.value.cause is Cause.TLS_ON_PLAIN_PORT


async def test_logging_in(server: Server) -> None:
    transcript = Transcript()
    good = server.config(server.login, Encryption.TLS, credentials=Password("alice", server.password))
    session = await Session.open(good, observer=transcript)
    assert session.mechanism is not None
    assert (await session.submit(Envelope(ALICE, (ALICE,)), mail())).accepted
    await session.quit()
    assert server.password not in str(transcript)
    wrong = server.config(server.login, Encryption.TLS, credentials=Password("alice", "wrong"))
    with pytest.raises(SubmissionError) as caught:
        await Session.open(wrong)
    assert (caught.value.stage, caught.value.cause) == (Stage.AUTH, Cause.AUTH_REFUSED)
    without = server.config(server.login, Encryption.TLS)
    async with Session(without) as session:
        result = await session.submit(to(ALICE), mail())
    assert result.recipients[0].outcome is Outcome.REFUSED


@pytest.mark.parametrize("way", ["chunking", "pipelining", "one by one"])
async def test_refused_recipients_between_accepted_ones(server: Server, way: str) -> None:
    """Postfix keeps a transaction open after it refused DATA: without RSET the next one would be spoilt."""
    config = server.config(server.plain, Encryption.NONE, limits=Limits(pipelining=way != "one by one"))
    learnt = Learnt() if way == "chunking" else None
    recipients = [(ALICE,), (NOBODY,), (ALICE,), (NOBODY, ALICE), (NOBODY,), (NOBODY,), (ALICE, BOB)]
    async with Session(config, learnt=learnt) as session:
        messages = [(to(*some), mail(number)) for number, some in enumerate(recipients)]
        results = [result async for result in session.submit_many(messages)]
    for some, result in zip(recipients, results, strict=True):
        assert tuple(one.address for one in result.recipients) == some
        for one in result.recipients:
            assert one.outcome is (Outcome.REFUSED if one.address == NOBODY else Outcome.ACCEPTED)
            if one.address == NOBODY:
                assert one.reply is not None
                assert one.stage is Stage.RCPT
                assert str(one.reply.enhanced) == "5.1.1"
                assert NOBODY in one.reply.text
    assert server.arrived() == 4
    assert learnt is None or learnt.chunking


async def test_a_pool(server: Server) -> None:
    async with Pool(server.config(server.starttls, Encryption.TLS), size=3) as pool:
        futures = [pool.submit_nowait(to(ALICE), mail(number)) for number in range(60)]
        results = [await future for future in futures]
        assert all(result.accepted for result in results)
        assert pool.stats.ready <= 3
    assert server.arrived() == 60


async def test_large_and_eight_bit_content(server: Server) -> None:
    async with Session(server.config(server.plain, Encryption.NONE)) as session:
        assert (await session.submit(to(ALICE), mail(text="ä" * 400))).accepted
        assert (await session.submit(to(ALICE), mail(text="x\r\n" * 400_000))).accepted
        assert (await session.submit(to("jörg@exämple.org", ALICE), mail())).recipients[1].outcome is (
            Outcome.ACCEPTED
        )
        result = await session.submit(to(ALICE), b"x" * 50_000_001)
        assert result.recipients[0].local is LocalRefusal.TOO_LARGE
    assert server.arrived() == 3


async def test_trying_addresses(server: Server) -> None:
    async with Session(server.config(server.plain, Encryption.NONE)) as session:
        assert (await session.try_sender(SENDER)).positive
        assert (await session.try_recipient(ALICE)).positive
        assert (await session.try_recipient(NOBODY)).code == 550
        assert (await session.rset()).positive
        assert (await session.submit(to(ALICE), mail())).accepted
    assert server.arrived() == 1
