"""A session against the server that fails: each cause is provoked, and what is said is what happened."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from depesche.smtpclient import (
    Cause,
    Encryption,
    Envelope,
    LocalRefusal,
    OAuthToken,
    Outcome,
    Password,
    Reply,
    Session,
    Stage,
    SubmissionError,
    Timeouts,
    Transcript,
)
from depesche.smtpclient.errors import SENTENCES, asks_for_mailbox_login
from depesche.smtpclient.testing import CUT, HANG, MECHANISMS, NOISE, SLOW, Act, Behaviour, FakeServer
from depesche.smtpclient.wire.under_way import Learnt
from tests.smtpclient.conftest import Certificates
from tests.smtpclient.connecting import MAIL, configured, listening, to


async def failure(server: FakeServer, *, submit: bool = False, **more: object) -> SubmissionError:
    async def all_of_it() -> None:
        async with Session(configured(server.port, **more)) as session:
            assert submit, "the session should not have opened"
            await session.submit(to("alice@example.org"), MAIL)

    with pytest.raises(SubmissionError) as caught:
        await all_of_it()
    assert SENTENCES[caught.value.cause] in str(caught.value)
    return caught.value


def test_each_cause_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Cause)


async def test_a_message_arrives() -> None:
    async with FakeServer() as server:
        session = await Session.open(configured(server.port))
        assert session.capabilities.pipelining
        assert session.greeting is not None
        assert not session.encrypted
        result = await session.submit(to("alice@example.org", "bob@example.org"), MAIL)
        await session.quit()
    assert result.accepted
    assert [one.address for one in result.recipients] == ["alice@example.org", "bob@example.org"]
    assert result.recipients[0].reply is not None
    assert server.contents == [MAIL]
    assert server.messages[0].recipients == ["alice@example.org", "bob@example.org"]
    assert server.connections[0].commands[0] == "EHLO client.example.org"
    assert server.connections[0].ended_by_quit
    assert session.error is not None
    with pytest.raises(SubmissionError):
        await session.submit(to("alice@example.org"), MAIL)


@pytest.mark.parametrize("fragment", [0, 1])
@pytest.mark.parametrize("extensions", [("PIPELINING",), ("PIPELINING", "CHUNKING"), ()])
async def test_many_messages_keep_their_replies(fragment: int, extensions: tuple[str, ...]) -> None:
    refused = {f"no{number}@example.org": f"550 5.1.1 no{number} is unknown" for number in range(0, 60, 7)}
    refused |= {f"no{number}@example.org": f"450 4.2.1 no{number} is full" for number in range(3, 60, 7)}
    does = Behaviour(
        extensions=extensions, recipients=refused, fragment=fragment, keep_open_after_refused_data=True
    )

    def name(number: int) -> str:
        return f"no{number}@example.org"

    async with (
        FakeServer(does) as server,
        Session(configured(server.port), learnt=Learnt()) as session,
    ):
        messages = ((to(name(number)), b"%d\r\n" % number) for number in range(60))
        results = [result async for result in session.submit_many(messages)]
    assert server.violations == []
    for number, result in enumerate(results):
        (one,) = result.recipients
        assert one.address == name(number)
        assert one.reply is not None
        if number % 7 in (0, 3):
            assert f"no{number} is" in one.reply.text
            assert one.outcome is (Outcome.REFUSED if number % 7 == 0 else Outcome.DEFERRED)
        else:
            assert one.reply.text.endswith(f"for {name(number)}")
    assert server.contents == [b"%d\r\n" % number for number in range(60) if number % 7 not in (0, 3)]


async def test_large_content_and_an_asynchronous_source() -> None:
    content = b"x" * 75 + b"\r\n"
    content *= 40_000

    async def source() -> AsyncIterator[tuple[Envelope, bytes]]:
        yield to("alice@example.org"), content
        yield to("bob@example.org"), content

    async with FakeServer() as server, Session(configured(server.port)) as session:
        results = [result async for result in session.submit_many(source(), ahead=1)]
    assert all(result.accepted for result in results)
    assert server.contents == [content, content]


# ---- refusals are results


@pytest.mark.parametrize(
    ("faults", "outcome", "stage"),
    [
        ({"mail": "550 5.7.1 not you"}, Outcome.REFUSED, Stage.MAIL),
        ({"mail": "451 4.3.0 later"}, Outcome.DEFERRED, Stage.MAIL),
        ({"rcpt": "550 5.1.1 unknown"}, Outcome.REFUSED, Stage.RCPT),
        ({"rcpt": "450 4.2.0 greylisted"}, Outcome.DEFERRED, Stage.RCPT),
        ({"data": "554 5.7.0 no"}, Outcome.REFUSED, Stage.DATA),
        ({"data": "451 4.3.0 no"}, Outcome.DEFERRED, Stage.DATA),
        ({"content": "554 5.7.1 spam"}, Outcome.REFUSED, Stage.CONTENT),
        ({"content": "452 4.3.1 full"}, Outcome.DEFERRED, Stage.CONTENT),
    ],
)
@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
async def test_refusals(
    faults: dict[str, str], outcome: Outcome, stage: Stage, extensions: tuple[str, ...]
) -> None:
    does = Behaviour(extensions=extensions, faults=faults)
    async with FakeServer(does) as server, Session(configured(server.port)) as session:
        result = await session.submit(to("alice@example.org"), MAIL)
        (one,) = result.recipients
        assert (one.outcome, one.stage) == (outcome, stage)
        assert str(one.reply) == next(iter(faults.values()))
        assert result.error is None
        server.behaviour = Behaviour(extensions=extensions)
        assert (await session.submit(to("bob@example.org"), MAIL)).accepted
    assert server.violations == []


async def test_one_of_two_recipients() -> None:
    does = Behaviour(recipients={"bob@example.org": "550 5.1.1 unknown"})
    async with FakeServer(does) as server, Session(configured(server.port)) as session:
        result = await session.submit(to("alice@example.org", "bob@example.org"), MAIL)
    assert [one.outcome for one in result.recipients] == [Outcome.ACCEPTED, Outcome.REFUSED]
    assert not result.accepted
    assert [one.address for one in result.with_outcome(Outcome.REFUSED)] == ["bob@example.org"]


async def test_a_message_that_is_too_large_is_never_begun() -> None:
    does = Behaviour(extensions=("SIZE 10",))
    async with FakeServer(does) as server, Session(configured(server.port)) as session:
        result = await session.submit(to("alice@example.org"), MAIL)
    assert result.recipients[0].local is LocalRefusal.TOO_LARGE
    assert result.recipients[0].reply is None
    assert not any(command.startswith("MAIL") for command in server.connections[0].commands)


async def test_eight_bit_and_international() -> None:
    envelope = Envelope("tracker@example.org", ("jörg@example.org",))
    async with FakeServer() as server, Session(configured(server.port)) as session:
        assert (await session.submit(envelope, "ä".encode())).accepted
    assert server.messages[0].parameters == "SIZE=4 BODY=8BITMIME SMTPUTF8"
    assert server.messages[0].recipients == ["jörg@example.org"]


# ---- the connection's own failures


async def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(SubmissionError) as caught:
        await Session.open(configured(port))
    assert (caught.value.stage, caught.value.cause) == (Stage.CONNECT, Cause.REFUSED)
    assert "127.0.0.1" in caught.value.detail
    assert caught.value.transient


async def test_an_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(host: str, port: int, **more: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    session = Session(configured(25, encryption=Encryption.NONE))
    object.__setattr__(session.config, "host", "nowhere.example.org")
    with pytest.raises(SubmissionError) as caught:
        await session.connect()
    assert (caught.value.stage, caught.value.cause) == (Stage.RESOLVE, Cause.NAME_NOT_FOUND)
    assert not caught.value.transient
    await session.abort()


@pytest.mark.parametrize(
    ("behaviour", "stage", "cause"),
    [
        (Behaviour(faults={"greeting": "554 5.7.1 go away"}), Stage.GREETING, Cause.GREETING_REFUSED),
        (Behaviour(faults={"greeting": "421 too many"}), Stage.GREETING, Cause.TOO_MANY_CONNECTIONS),
        (Behaviour(faults={"greeting": "421 4.3.0 closing"}), Stage.GREETING, Cause.SERVICE_CLOSING),
        (Behaviour(faults={"greeting": CUT}), Stage.GREETING, Cause.CONNECTION_LOST),
        (Behaviour(faults={"greeting": NOISE}), Stage.GREETING, Cause.NOT_SMTP),
        (Behaviour(connections=0), Stage.GREETING, Cause.TOO_MANY_CONNECTIONS),
        (Behaviour(faults={"ehlo": "450 later"}), Stage.EHLO, Cause.EHLO_REFUSED),
        (Behaviour(faults={"ehlo": "502 no", "helo": "502 no"}), Stage.EHLO, Cause.EHLO_REFUSED),
        (Behaviour(faults={"ehlo": CUT}), Stage.EHLO, Cause.CONNECTION_LOST),
        (Behaviour(faults={"ehlo": NOISE}), Stage.EHLO, Cause.PROTOCOL_ERROR),
        (Behaviour(faults={"ehlo": "354 what?"}), Stage.EHLO, Cause.PROTOCOL_ERROR),
        (Behaviour(faults={"ehlo": "421 4.3.2 bye"}), Stage.EHLO, Cause.SERVICE_CLOSING),
    ],
)  # fmt: skip
async def test_failures_before_a_transaction(behaviour: Behaviour, stage: Stage, cause: Cause) -> None:
    async with FakeServer(behaviour) as server:
        error = await failure(server)
        assert (error.stage, error.cause) == (stage, cause)
        assert server.messages == []


@pytest.mark.parametrize(
    ("stage", "timeouts"),
    [
        (Stage.GREETING, Timeouts(greeting=0.2)),
        (Stage.EHLO, Timeouts(command=0.2)),
        (Stage.MAIL, Timeouts(mail=0.2)),
        (Stage.RCPT, Timeouts(rcpt=0.2)),
        (Stage.DATA, Timeouts(data_init=0.2)),
    ],
)
async def test_a_server_that_hangs(stage: Stage, timeouts: Timeouts) -> None:
    async with FakeServer(Behaviour(faults={stage.value: HANG})) as server:
        error = await failure(server, timeouts=timeouts, submit=True)
        assert (error.stage, error.cause) == (stage, Cause.TIMEOUT)
        assert error.transient


async def test_a_slow_server_is_waited_for() -> None:
    slow = dict.fromkeys(("greeting", "ehlo", "mail", "rcpt", "data", "content", "quit"), SLOW)
    async with FakeServer(Behaviour(faults=slow)) as server, Session(configured(server.port)) as session:
        assert (await session.submit(to("alice@example.org"), MAIL)).accepted


async def test_an_old_server_gets_helo() -> None:
    does = Behaviour(faults={"ehlo": "500 what?"})
    async with FakeServer(does) as server, Session(configured(server.port)) as session:
        assert not session.capabilities.keywords
        result = await session.submit(to("alice@example.org"), b"x")
    assert result.accepted
    assert "HELO client.example.org" in server.connections[0].commands


@pytest.mark.parametrize("after", ["after-content", "content"])
@pytest.mark.parametrize("fault", [CUT, HANG])
async def test_content_without_an_answer_is_uncertain(after: str, fault: object) -> None:
    behaviour = Behaviour(faults={after: fault})  # type: ignore[dict-item]  # from the table
    async with FakeServer(behaviour) as server:
        session = await Session.open(configured(server.port, timeouts=Timeouts(data_end=0.3)))
        first = session.submit_nowait(to("alice@example.org"), MAIL)
        second = session.submit_nowait(to("bob@example.org"), MAIL)
        result = await first
        assert [one.outcome for one in result.recipients] == [Outcome.UNCERTAIN]
        assert result.error is not None
        assert result.error.stage is Stage.CONTENT
        with pytest.raises(SubmissionError):  # its envelope was on its way, its content was not
            await second
        await session.quit()


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
async def test_a_cut_before_the_content_leaves_nothing_in_doubt(
    stage: str, extensions: tuple[str, ...]
) -> None:
    async with FakeServer(Behaviour(extensions=extensions, faults={stage: CUT})) as server:
        error = await failure(server, submit=True)
        assert error.cause is Cause.CONNECTION_LOST
        assert server.messages == []


async def test_421_in_a_transaction() -> None:
    async with FakeServer(Behaviour(messages_per_connection=1)) as server:
        session = await Session.open(configured(server.port))
        results = await asyncio.gather(
            *(session.submit(to(f"r{number}@example.org"), MAIL) for number in range(3)),
            return_exceptions=True,
        )
        first, second, third = results
        assert not isinstance(first, BaseException)
        assert first.accepted
        assert not isinstance(second, BaseException)
        assert second.recipients[0].outcome is Outcome.DEFERRED
        assert second.recipients[0].reply == Reply(421, "4.7.0 enough for this connection")
        assert isinstance(third, SubmissionError)
        assert third.cause is Cause.SERVICE_CLOSING
        await session.quit()


async def test_the_whole_transaction_has_a_deadline() -> None:
    """A server that answers each command just in time cannot hold us for ever."""
    timeouts = Timeouts(transaction=0.3)
    behaviour = Behaviour(
        extensions=(), recipients={f"r{n}@example.org": SLOW for n in range(100)}, slow_seconds=0.05
    )
    async with FakeServer(behaviour) as server:
        session = await Session.open(configured(server.port, timeouts=timeouts))
        with pytest.raises(SubmissionError) as caught:
            await session.submit(to(*(f"r{n}@example.org" for n in range(100))), MAIL)
        assert caught.value.cause is Cause.TIMEOUT
        await session.quit()


# ---- the end


@pytest.mark.parametrize("fault", [CUT, HANG, NOISE, "500 no", "421 bye"])
async def test_quit_never_hangs_and_never_fails(fault: object) -> None:
    behaviour = Behaviour(faults={"quit": fault})  # type: ignore[dict-item]  # from the table
    async with FakeServer(behaviour) as server:
        session = await Session.open(configured(server.port, timeouts=Timeouts(quit=0.2)))
        await session.quit()
        await session.quit()
        assert session.error is not None


async def test_quit_waits_for_what_is_under_way() -> None:
    async with FakeServer(Behaviour(faults={"content": SLOW})) as server:
        session = await Session.open(configured(server.port))
        future = session.submit_nowait(to("alice@example.org"), MAIL)
        await session.quit()
        assert (await future).accepted
        assert server.connections[0].ended_by_quit


async def test_abort_tells_everybody() -> None:
    async with FakeServer(Behaviour(faults={"content": HANG})) as server:
        session = await Session.open(configured(server.port))
        futures = [session.submit_nowait(to(f"r{n}@example.org"), MAIL) for n in range(3)]
        while not session.dialogue.awaiting or session.dialogue.awaiting.name != "CONTENT":
            await asyncio.sleep(0)
        while session.dialogue.writing_content:
            await asyncio.sleep(0)
        await session.abort()
        results = await asyncio.gather(*futures, return_exceptions=True)
    assert not isinstance(results[0], BaseException)
    assert results[0].recipients[0].outcome is Outcome.UNCERTAIN
    assert [type(one) for one in results[1:]] == [SubmissionError, SubmissionError]


async def test_a_cancelled_submission_spoils_nothing() -> None:
    does = Behaviour(faults={"mail": SLOW})
    async with FakeServer(does) as server, Session(configured(server.port)) as session:
        first = asyncio.ensure_future(session.submit(to("first@example.org"), MAIL))
        waiting = asyncio.ensure_future(session.submit(to("never@example.org"), MAIL))
        await asyncio.sleep(0)
        first.cancel()
        waiting.cancel()
        assert (await session.submit(to("third@example.org"), MAIL)).accepted
    names = [message.recipients[0] for message in server.messages]
    assert names in (["first@example.org", "third@example.org"], ["third@example.org"])


@pytest.mark.parametrize("stage", ["greeting", "ehlo", "starttls", "tls", "auth"])
async def test_opening_can_be_given_up_at_each_step(certificates: Certificates, stage: str) -> None:
    reached = asyncio.Event()

    def decide(now: str, connection: object, argument: str) -> Act:
        if now != stage:
            return None
        reached.set()
        return HANG

    does = Behaviour(decide=decide, starttls=True, mechanisms=("PLAIN",), users=USERS)
    async with FakeServer(does, context=certificates.context()) as server:
        config = configured(
            server.port,
            encryption=Encryption.TLS,
            trust=certificates.trust,
            credentials=Password("me", "hunter2"),
        )
        opening = asyncio.ensure_future(Session.open(config))
        await reached.wait()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        async with asyncio.timeout(30):
            while server.open:
                await asyncio.sleep(0.002)


async def test_a_late_goodbye_is_noticed() -> None:
    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        await reader.readline()
        writer.write(b"250 hello\r\n421 4.4.2 idle\r\n")
        await reader.read()

    async with listening(closing) as port:
        session = await Session.open(configured(port))
        with pytest.raises(SubmissionError) as caught:
            await session.submit(to("alice@example.org"), MAIL)
        assert caught.value.cause is Cause.SERVICE_CLOSING
        await session.abort()


async def test_a_reply_that_nobody_waits_for_any_more_is_given_to_nobody_else() -> None:
    async with FakeServer(Behaviour(faults={"noop": SLOW})) as server:
        session = await Session.open(configured(server.port))
        impatient = asyncio.ensure_future(session.noop())
        await asyncio.sleep(0)
        impatient.cancel()
        assert (await session.rset()).text == "reset"
        assert (await session.submit(to("alice@example.org"), MAIL)).accepted
        both = await asyncio.gather(session.noop(), session.rset())
        assert [reply.text for reply in both] == ["ok", "reset"]
        await asyncio.gather(session.quit(), session.quit())
        assert server.connections[0].ended_by_quit


async def test_several_may_wait_for_the_end_of_a_transaction() -> None:
    does = Behaviour(faults={"content": SLOW})
    async with FakeServer(does) as server, Session(configured(server.port)) as session:
        future = session.submit_nowait(to("alice@example.org"), MAIL)
        one, two, three = (asyncio.ensure_future(session.drained()) for _ in range(3))
        await asyncio.sleep(0)
        two.cancel()
        await asyncio.gather(one, three)
        assert future.done()


async def test_senders_and_recipients_can_be_tried() -> None:
    behaviour = Behaviour(
        senders={"jane@example.org": "553 5.7.1 not yours"}, recipients={"x@example.org": "550 5.1.1 no"}
    )
    async with FakeServer(behaviour) as server, Session(configured(server.port)) as session:
        assert (await session.try_sender("jane@example.org")).code == 553
        assert (await session.rset()).code == 250
        assert (await session.try_sender("tracker@example.org")).code == 250
        assert (await session.try_recipient("x@example.org")).code == 550
        assert (await session.try_recipient("y@example.org")).code == 250
        assert (await session.rset()).code == 250
        assert (await session.noop()).code == 250
        assert (await session.submit(to("alice@example.org"), MAIL)).accepted
        with pytest.raises(ValueError, match="address"):
            await session.try_sender("a@b>\r\nRSET")
    assert server.violations == []


# ---- logging in

USERS = {"me": "hunter2", "jörg": "pässword", "me@example.org": "ya29.token"}


@pytest.mark.parametrize("mechanism", [m for m in MECHANISMS if "OAUTH" not in m and m != "XOAUTH2"])
@pytest.mark.parametrize("user", ["me", "jörg"])
async def test_logins(mechanism: str, user: str) -> None:
    transcript = Transcript()
    does = Behaviour(mechanisms=(mechanism,), users=USERS, login_required=True)
    async with FakeServer(does) as server:
        config = configured(server.port, credentials=Password(user, USERS[user]), allow_clear_password=True)
        session = await Session.open(config, observer=transcript)
        assert session.mechanism == mechanism
        assert (await session.submit(to("alice@example.org"), MAIL)).accepted
        await session.quit()
    assert server.messages[0].user == user
    text = str(transcript)
    assert f"C: AUTH {mechanism}" in text
    assert USERS[user] not in text
    for line in server.connections[0].commands:
        if line.startswith("AUTH ") and line.count(" ") > 1:
            assert line.split()[2] not in text


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
@pytest.mark.parametrize("length", [10, 2000])
async def test_tokens(certificates: Certificates, mechanism: str, length: int) -> None:
    token = "t" * length
    does = Behaviour(mechanisms=(mechanism,), users={"me": token}, starttls=True)
    async with FakeServer(does, context=certificates.context()) as server:
        more = {"encryption": Encryption.TLS, "trust": certificates.trust}
        session = await Session.open(configured(server.port, credentials=OAuthToken("me", token), **more))
        assert session.mechanism == mechanism
        await session.quit()
        assert all(len(command) < 512 for command in server.connections[0].commands)
        error = await failure(server, credentials=OAuthToken("me", "wrong"), **more)
    assert error.cause is Cause.TOKEN_REFUSED
    assert '"status":"401"' in error.detail


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [
        (Behaviour(mechanisms=("PLAIN",), users=USERS), Cause.AUTH_REFUSED),
        (Behaviour(mechanisms=("SCRAM-SHA-256",), users=USERS), Cause.AUTH_REFUSED),
        (Behaviour(), Cause.AUTH_NOT_OFFERED),
        (Behaviour(mechanisms=("GSSAPI",)), Cause.AUTH_NO_COMMON_MECHANISM),
        (Behaviour(mechanisms=("PLAIN",), faults={"auth": "454 4.7.0 no database"}), Cause.AUTH_TEMPORARY),
        (Behaviour(mechanisms=("PLAIN",), faults={"auth": "535 wrong is wrong"}), Cause.AUTH_REFUSED),
        (Behaviour(mechanisms=("PLAIN",), faults={"auth": "421 4.7.0 bye"}), Cause.SERVICE_CLOSING),
        (Behaviour(mechanisms=("PLAIN",), faults={"auth": "535 use POP3 first"}), Cause.POP_LOGIN_NEEDED),
        (Behaviour(mechanisms=("CRAM-MD5",), faults={"auth": "334 !"}), Cause.PROTOCOL_ERROR),
        (Behaviour(mechanisms=("PLAIN",), faults={"auth": "334 "}), Cause.PROTOCOL_ERROR),
        (Behaviour(mechanisms=("CRAM-MD5",), faults={"auth": "235 in"}), Cause.AUTH_SERVER_UNPROVEN),
    ],
)  # fmt: skip
async def test_logins_that_fail(behaviour: Behaviour, cause: Cause) -> None:
    async with FakeServer(behaviour) as server:
        error = await failure(server, credentials=Password("me", "wrong is wrong"), allow_clear_password=True)
        assert (error.stage, error.cause) == (Stage.AUTH, cause)
        assert "wrong is wrong" not in str(error)


async def test_a_server_that_cannot_prove_itself() -> None:
    does = Behaviour(mechanisms=("SCRAM-SHA-256",), users=USERS, faults={"scram-signature": "broken"})
    async with FakeServer(does) as server:
        error = await failure(server, credentials=Password("me", "hunter2"))
    assert error.cause is Cause.AUTH_SERVER_UNPROVEN


async def test_a_password_in_clear_needs_permission() -> None:
    does = Behaviour(mechanisms=("PLAIN", "LOGIN"), users=USERS)
    async with FakeServer(does) as server:
        credentials = Password("me", "hunter2")
        assert (await failure(server, credentials=credentials)).cause is Cause.CLEAR_PASSWORD_FORBIDDEN
        error = await failure(
            server,
            credentials=credentials,
            encryption=Encryption.TLS_IF_AVAILABLE,
            allow_clear_password=True,
        )
        assert error.cause is Cause.CLEAR_PASSWORD_FORBIDDEN
        assert not any(c.startswith("AUTH") for one in server.connections for c in one.commands)


async def test_a_hash_that_is_no_good_is_followed_by_one_more_attempt() -> None:
    def decide(stage: str, connection: object, argument: str) -> str | None:
        return "535 5.7.8 no" if stage == "auth" and argument.startswith(("SCRAM", "CRAM")) else None

    does = Behaviour(mechanisms=("CRAM-MD5", "PLAIN"), users=USERS, decide=decide)
    async with FakeServer(does) as server:
        config = configured(server.port, credentials=Password("me", "hunter2"), allow_clear_password=True)
        session = await Session.open(config)
        assert session.mechanism == "PLAIN"
        await session.quit()
        server.behaviour = Behaviour(mechanisms=MECHANISMS, users=USERS, decide=decide)
        await failure(server, credentials=Password("me", "hunter2"), allow_clear_password=True)
        attempts = [c for c in server.connections[1].commands if c.startswith("AUTH")]
        assert len(attempts) == 2, "more would lock the account"


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Please authenticate via POP3 first", True),
        ("5.7.1 POP-before-SMTP required", True),
        ("You must check for new mail before sending mail", True),
        ("Please get your messages first", True),
        ("5.1.1 user unknown", False),
        ("relay access denied", False),
    ],
)
def test_a_server_that_wants_the_mailbox_first(text: str, asks: bool) -> None:
    assert asks_for_mailbox_login(Reply(550, text)) is asks
    assert not asks_for_mailbox_login(Reply(250, text))
