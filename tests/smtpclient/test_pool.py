"""The pool: never more connections than permitted, no slot lost, no message lost or forgotten."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest

from depesche.smtpclient import (
    Cause,
    ConnectionConfig,
    Limits,
    LocalSlots,
    Outcome,
    Password,
    Pool,
    Result,
    SharedContent,
    Slot,
    Stage,
    SubmissionError,
    Timeouts,
)
from depesche.smtpclient.testing import CUT, HANG, SLOW, Act, Behaviour, Connection, FakeServer
from tests.smtpclient.connecting import MAIL, configured, to
from tests.smtpclient.pooling import accepted, once_each, recipient, submit, until

# ---- the cap


@pytest.mark.parametrize("size", [1, 2, 5])
async def test_never_more_connections_than_permitted(size: int) -> None:
    async with FakeServer(Behaviour(faults={"content": SLOW}, slow_seconds=0.005)) as server:
        async with Pool(configured(server.port), size=size) as pool:
            assert accepted(await submit(pool, 60))
            assert pool.stats.connections <= size
        await until(lambda: server.open == 0)
        assert server.high_water == size
        assert once_each(server, 60)
        assert server.violations == []
        assert all(connection.ended_by_quit for connection in server.connections)


async def test_one_message_needs_one_connection() -> None:
    async with FakeServer() as server, Pool(configured(server.port)) as pool:
        for number in range(5):
            assert accepted(await submit(pool, 1, first=number))
        assert len(server.connections) == 1
        assert pool.stats.ready == 1
        assert pool.stats.busy == 0
        assert pool.stats.decided == 5


async def test_several_pools_share_their_slots() -> None:
    slots = LocalSlots(3)
    async with FakeServer(Behaviour(faults={"content": SLOW}, slow_seconds=0.005)) as server:
        limits = Limits(messages_per_connection=5)
        config = configured(server.port, limits=limits)
        async with Pool(config, slots=slots) as one, Pool(config, slots=slots) as other:
            first, second = await asyncio.gather(submit(one, 40), submit(other, 40, first=40))
            assert accepted(first + second)
        assert server.high_water <= 3
        assert once_each(server, 80)
    assert slots.held == 0


async def test_what_is_given_up_while_it_opens_says_quit_before_its_slot_is_anothers() -> None:
    """A server that is slow to greet counts a connection that was cut until it notices."""
    slots = LocalSlots(4)
    async with FakeServer(Behaviour(reply_delay=0.1)) as server:
        config = configured(server.port)
        async with Pool(config, slots=slots, size=4) as one, Pool(config, slots=slots, size=4) as other:
            first = asyncio.ensure_future(submit(one, 12))
            await until(lambda: server.open == 4)
            one.resize(1)
            assert accepted(await submit(other, 12, first=12))
            assert accepted(await first)
        assert server.high_water == 4
        assert all(connection.ended_by_quit for connection in server.connections)


async def test_one_that_does_not_come_to_open_is_cut_after_a_moment() -> None:
    def hang(stage: str, connection: Connection, argument: str) -> Act:
        return HANG if stage == "greeting" and connection.number > 1 else None

    behaviour = Behaviour(decide=hang, reply_delay=0.01)
    async with FakeServer(behaviour) as server, Pool(configured(server.port), size=4) as pool:
        futures = [pool.submit_nowait(to(recipient(n)), MAIL) for n in range(40)]
        await until(lambda: server.open == 4)
        pool.resize(1)
        await until(lambda: server.open == 1)
        assert accepted(list(await asyncio.gather(*futures)))


async def test_resizing() -> None:
    async with FakeServer(Behaviour(faults={"content": SLOW}, slow_seconds=0.01)) as server:
        async with Pool(configured(server.port), size=6) as pool:
            futures = [pool.submit_nowait(to(recipient(n)), MAIL) for n in range(200)]
            await until(lambda: server.open == 6)
            pool.resize(2)
            await until(lambda: server.open <= 2)
            assert pool.stats.configured == 2
            assert not all(future.done() for future in futures)
            pool.resize(4)
            await until(lambda: server.open == 4)
            results = await asyncio.gather(*futures)
            assert accepted(list(results))
        assert once_each(server, 200)
        with pytest.raises(ValueError, match="at least"):
            pool.resize(0)
    with pytest.raises(ValueError, match="at least"):
        Pool(configured(25), size=0)


@pytest.mark.parametrize(
    "reply", ["421 4.7.0 too many connections", "421 4.3.2 not now", "450 4.7.1 connection rate limit"]
)
async def test_too_many_connections_shrink_the_cap(reply: str) -> None:
    def decide(stage: str, connection: Connection, argument: str) -> Act:
        return reply if stage == "greeting" and server.open > 2 else None

    does = Behaviour(decide=decide, faults={"content": SLOW}, slow_seconds=0.005)
    async with FakeServer(does) as server, Pool(configured(server.port), size=8) as pool:
        assert accepted(await submit(pool, 100))
        assert 1 <= pool.stats.effective <= 2
        assert pool.stats.last_error is not None
        assert once_each(server, 100)


async def test_the_cap_grows_back() -> None:
    def decide(stage: str, connection: Connection, argument: str) -> Act:
        return "421 4.7.0 too many" if stage == "greeting" and server.open > 1 and strict else None

    strict = True
    does = Behaviour(decide=decide, faults={"content": SLOW}, slow_seconds=0.005)
    async with (
        FakeServer(does) as server,
        Pool(configured(server.port), size=3, regrow_seconds=0.05) as pool,
    ):
        assert accepted(await submit(pool, 20))
        strict = False
        futures = [pool.submit_nowait(to(recipient(n)), MAIL) for n in range(20, 2000)]
        await until(lambda: server.open == 3)
        for future in futures:
            future.cancel()


async def test_a_reply_in_a_transaction_shrinks_it_too() -> None:
    """Exchange Online says 432 4.3.2 to the message, not 421 to the connection."""
    does = Behaviour(recipients={recipient(7): "432 4.3.2 Concurrent connections limit exceeded"})
    async with FakeServer(does) as server, Pool(configured(server.port), size=4) as pool:
        results = await submit(pool, 30)
        (one,) = [r for r in results if isinstance(r, Result) and not r.accepted]
        assert one.recipients[0].outcome is Outcome.DEFERRED
        assert pool.stats.effective < 4


async def test_the_pace_is_held() -> None:
    config = configured(25, limits=Limits(messages_per_second=20))
    async with FakeServer() as server, Pool(replace(config, port=server.port), size=3) as pool:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        assert accepted(await submit(pool, 40))
        assert loop.time() - begun > 0.8, "20 at once, the other 20 in a second"
        assert once_each(server, 40)


# ---- sessions come and go


async def test_a_session_is_retired_by_count() -> None:
    limits = Limits(messages_per_connection=3)
    async with FakeServer() as server:
        async with Pool(configured(server.port, limits=limits), size=1) as pool:
            assert accepted(await submit(pool, 10))
        assert [connection.mails for connection in server.connections] == [3, 3, 3, 1]
        assert all(connection.ended_by_quit for connection in server.connections)


async def test_a_server_that_takes_few_messages_per_connection() -> None:
    async with FakeServer(Behaviour(messages_per_connection=3)) as server:
        async with Pool(configured(server.port), size=2) as pool:
            assert accepted(await submit(pool, 20))
        assert once_each(server, 20)


async def test_idle_sessions_end() -> None:
    limits = Limits(max_idle=0.05)
    async with FakeServer() as server, Pool(configured(server.port, limits=limits)) as pool:
        assert accepted(await submit(pool, 4))
        await until(lambda: server.open == 0)
        await until(lambda: pool.stats.connections == 0)  # the server sees the end a moment before we do
        assert accepted(await submit(pool, 1))


async def test_a_session_that_only_says_goodbye_holds_nobody_up() -> None:
    config = configured(25, limits=Limits(messages_per_connection=1), timeouts=Timeouts(quit=30))
    async with FakeServer(Behaviour(faults={"quit": HANG})) as server:
        pool = Pool(replace(config, port=server.port), size=2)
        async with asyncio.timeout(20):
            assert accepted(await submit(pool, 1))
            assert accepted(await submit(pool, 1, first=1))
        assert len(server.connections) == 2
        await server.stop()
        await pool.close()


async def test_old_sessions_end() -> None:
    limits = Limits(max_age=0.05)
    async with FakeServer() as server, Pool(configured(server.port, limits=limits)) as pool:
        assert accepted(await submit(pool, 1))
        await until(lambda: server.open == 0)


async def test_after_many_refusals_another_session_goes_on() -> None:
    """Postfix slows a session down after 10 errors and ends it at 20."""
    refused = {recipient(number): "550 5.1.1 unknown" for number in range(40)}
    limits = Limits(refusals_in_a_row=8)
    async with FakeServer(Behaviour(recipients=refused)) as server:
        async with Pool(configured(server.port, limits=limits), size=1) as pool:
            results = await submit(pool, 40)
        assert all(isinstance(r, Result) and r.recipients[0].outcome is Outcome.REFUSED for r in results)
        for connection in server.connections:
            assert sum(c.startswith("RCPT") for c in connection.commands) <= 5


async def test_a_session_that_was_cut_while_idle_is_replaced_unnoticed() -> None:
    async with FakeServer() as server, Pool(configured(server.port)) as pool:
        assert accepted(await submit(pool, 1))
        port = server.port
        await server.stop()
        await server.start()
        assert server.port == port
        assert accepted(await submit(pool, 1, first=1))
        assert once_each(server, 2)


@pytest.mark.parametrize("cuts", [1, 2])
async def test_a_cut_before_the_content_goes_to_another_session_once(cuts: int) -> None:
    remaining = cuts

    def decide(stage: str, connection: Connection, argument: str) -> Act:
        nonlocal remaining
        if stage == "rcpt" and argument == recipient(5) and remaining:
            remaining -= 1
            return CUT
        return None

    async with FakeServer(Behaviour(decide=decide)) as server, Pool(configured(server.port), size=1) as pool:
        assert accepted(await submit(pool, 4))
        results = await submit(pool, 4, first=4)
        if cuts == 1:
            assert accepted(results)
            assert once_each(server, 8)
        else:
            assert isinstance(results[1], SubmissionError)
            assert results[1].cause is Cause.CONNECTION_LOST


async def test_the_other_session_may_be_an_idle_one() -> None:
    cut = False

    def decide(stage: str, connection: Connection, argument: str) -> Act:
        nonlocal cut
        if stage == "greeting" and connection.number > 2:
            return "554 5.7.1 enough"
        if stage == "rcpt" and argument == recipient(50) and not cut:
            cut = True
            return CUT
        return None

    limits = Limits(max_idle=1000)
    does = Behaviour(decide=decide, faults={"content": SLOW})
    async with FakeServer(does) as server, Pool(configured(server.port, limits=limits), size=2) as pool:
        assert accepted(await submit(pool, 30))
        await until(lambda: pool.stats.ready == 2)
        assert accepted(await submit(pool, 1, first=50))
        assert cut


async def test_a_cut_after_the_content_is_uncertain_and_not_repeated() -> None:
    def decide(stage: str, connection: Connection, argument: str) -> Act:
        return CUT if stage == "after-content" and argument == recipient(3) else None

    async with FakeServer(Behaviour(decide=decide)) as server, Pool(configured(server.port), size=1) as pool:
        results = await submit(pool, 10)
        for number, result in enumerate(results):
            assert isinstance(result, Result)
            expected = Outcome.UNCERTAIN if number == 3 else Outcome.ACCEPTED
            assert result.recipients[0].outcome is expected
        assert once_each(server, 10)


@pytest.mark.parametrize("broken", ["unknown", "cut"])
async def test_chunking_that_is_announced_and_does_not_work(broken: str) -> None:
    faults: dict[str, Act] = {"bdat": CUT} if broken == "cut" else {}
    does = Behaviour(extensions=("PIPELINING", "CHUNKING"), knows_bdat=broken != "unknown", faults=faults)
    async with FakeServer(does) as server, Pool(configured(server.port), size=3) as pool:
        assert accepted(await submit(pool, 30))
        assert once_each(server, 30)
        tried = [one for one in server.connections if any(c.startswith("BDAT") for c in one.commands)]
        assert len(tried) == 1, "it is remembered"


async def test_chunking_is_tried_once_and_then_used() -> None:
    does = Behaviour(extensions=("PIPELINING", "CHUNKING"))
    async with FakeServer(does) as server, Pool(configured(server.port), size=3) as pool:
        assert accepted(await submit(pool, 60))
        assert once_each(server, 60)
        commands = [command for one in server.connections for command in one.commands]
        assert "DATA" not in commands
        assert sum(command.startswith("BDAT") and "LAST" not in command for command in commands) == 1
        assert server.violations == []


# ---- failures of the connection


async def test_no_session_can_be_had() -> None:
    async with FakeServer() as server:
        port = server.port
    async with Pool(configured(port)) as pool:
        results = await submit(pool, 20)
        for result in results:
            assert isinstance(result, SubmissionError)
            assert (result.stage, result.cause) == (Stage.CONNECT, Cause.REFUSED)
        assert len({id(result) for result in results}) == 20
        assert pool.stats.waiting == 0
        assert pool.stats.last_error is not None


async def test_a_wrong_password_is_tried_once_not_ten_times() -> None:
    does = Behaviour(mechanisms=("PLAIN",), users={"me": "right"})
    async with FakeServer(does) as server:
        config = configured(server.port, credentials=Password("me", "wrong"), allow_clear_password=True)
        async with Pool(config) as pool:
            results = await submit(pool, 50)
            assert all(isinstance(r, SubmissionError) and r.cause is Cause.AUTH_REFUSED for r in results)
            assert len(server.connections) == 1
            pool.reconfigure(replace(config, credentials=Password("me", "right")))
            assert accepted(await submit(pool, 50))


async def test_a_server_that_cuts_each_session_at_its_first_message() -> None:
    async with FakeServer(Behaviour(faults={"mail": CUT})) as server, Pool(configured(server.port)) as pool:
        results = await submit(pool, 30)
        assert all(isinstance(r, SubmissionError) and r.cause is Cause.CONNECTION_LOST for r in results)
        assert len(server.connections) <= 12


async def test_new_settings_from_the_next_message_on() -> None:
    async with FakeServer(Behaviour(faults={"content": SLOW})) as old, FakeServer() as new:
        async with Pool(configured(old.port), size=2) as pool:
            futures = [pool.submit_nowait(to(recipient(n)), MAIL) for n in range(40)]
            await until(lambda: len(old.messages) >= 2)
            pool.reconfigure(configured(new.port))
            pool.reconfigure(configured(new.port))
            assert accepted(list(await asyncio.gather(*futures)))
            await until(lambda: old.open == 0)
        assert len(new.messages) + len(old.messages) == 40
        assert new.messages


async def test_something_comes_before_each_connection() -> None:
    seen = 0

    async def prepare(config: ConnectionConfig) -> ConnectionConfig:
        nonlocal seen
        seen += 1
        if seen == 1:
            raise SubmissionError(Stage.AUTH, Cause.POP_LOGIN_NEEDED)
        return replace(config, credentials=Password("me", "hunter2"))

    does = Behaviour(mechanisms=("CRAM-MD5",), users={"me": "hunter2"}, login_required=True)
    async with FakeServer(does) as server, Pool(configured(server.port), prepare=prepare) as pool:
        (first,) = await submit(pool, 1)
        assert isinstance(first, SubmissionError)
        assert accepted(await submit(pool, 1))
        assert seen == 2


# ---- slots


class Slots:
    """Counts; slots whose lease the test can end."""

    def __init__(self) -> None:
        self.given: list[_Slot] = []
        self.returned = 0
        self.hangs = False

    async def acquire(self) -> Slot:
        if self.hangs:
            await asyncio.Event().wait()
        self.given.append(_Slot())
        return self.given[-1]

    async def release(self, slot: Slot) -> None:
        assert isinstance(slot, _Slot)
        assert not slot.back
        slot.back = True
        self.returned += 1


class _Slot:
    def __init__(self) -> None:
        self.held_until = float("inf")
        self.back = False


async def test_a_lost_lease_ends_the_session() -> None:
    slots = Slots()
    async with FakeServer() as server, Pool(configured(server.port), slots=slots, size=1) as pool:
        assert accepted(await submit(pool, 2))
        slots.given[0].held_until = 0.0
        assert accepted(await submit(pool, 2, first=2))
        assert slots.given[0].back
        assert len(server.connections) == 2
        assert [connection.mails for connection in server.connections] == [2, 2]
        slots.given[1].held_until = 0.0
        await until(lambda: server.open == 0)  # an idle session notices it too
        await until(lambda: slots.returned == 2)


@pytest.mark.parametrize(
    "stage", ["greeting", "ehlo", "mail", "rcpt", "data", "content", "after-content", "quit"]
)
async def test_after_cancellation_no_slot_is_lost(stage: str) -> None:
    slots = Slots()
    async with FakeServer(Behaviour(faults={stage: HANG})) as server:
        timeouts = Timeouts(quit=0.1)
        pool = Pool(configured(server.port, timeouts=timeouts), slots=slots, size=3)
        waiting = [asyncio.ensure_future(pool.submit(to(recipient(n)), MAIL)) for n in range(10)]
        if stage == "quit":
            await asyncio.gather(*waiting)
        else:
            await until(lambda: bool(server.connections))
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await pool.close(grace=0)
        assert slots.returned == len(slots.given) > 0
        assert all(slot.back for slot in slots.given)
        assert pool.stats.connections == 0
        await until(lambda: server.open == 0)


async def test_waiting_for_a_slot_can_be_given_up() -> None:
    slots = Slots()
    slots.hangs = True
    pool = Pool(configured(9), slots=slots)
    future = pool.submit_nowait(to(recipient(1)), MAIL)
    await asyncio.sleep(0)
    assert pool.stats.opening == 1
    await pool.close(grace=0)
    with pytest.raises(SubmissionError):
        await future
    assert pool.stats.connections == 0


async def test_closing_waits_then_cuts() -> None:
    def decide(stage: str, connection: Connection, argument: str) -> Act:
        return HANG if stage == "after-content" and argument == recipient(5) else None

    async with FakeServer(Behaviour(decide=decide)) as server:
        pool = Pool(configured(server.port), size=1)
        futures = [pool.submit_nowait(to(recipient(n)), MAIL) for n in range(8)]
        await until(lambda: len(server.messages) == 6)
        await pool.close(grace=0.05)
        results = await asyncio.gather(*futures, return_exceptions=True)
        assert accepted(results[:5])
        assert isinstance(results[5], Result)
        assert results[5].recipients[0].outcome is Outcome.UNCERTAIN
        assert all(isinstance(r, SubmissionError) and r.cause is Cause.ABORTED for r in results[6:])
        with pytest.raises(SubmissionError):
            await pool.submit(to(recipient(9)), MAIL)


async def test_who_wants_no_future_is_called() -> None:
    told: list[Result | SubmissionError] = []
    shared = SharedContent(b"Subject: all\r\n\r\nthe same\r\n")
    async with FakeServer(Behaviour(recipients={recipient(3): CUT})) as server:
        async with Pool(configured(server.port), size=2) as pool:
            for n in range(8):
                pool.submit_then(to(recipient(n)), b"To: r%d\r\n" % n, told.append, shared)
            await until(lambda: len(told) == 8)
        lost = [one for one in told if isinstance(one, SubmissionError)]
        assert [error.cause for error in lost] == [Cause.CONNECTION_LOST]
        assert len(server.messages) == 7
        assert {message.content for message in server.messages} >= {b"To: r0\r\n" + shared.octets}
    pool.submit_then(to(recipient(9)), MAIL, told.append)
    late = told[-1]
    assert isinstance(late, SubmissionError)
    assert late.cause is Cause.ABORTED


async def test_a_cancelled_message_is_not_submitted() -> None:
    async with FakeServer(Behaviour(faults={"mail": SLOW})) as server:
        async with Pool(configured(server.port), size=1) as pool:
            futures = [pool.submit_nowait(to(recipient(n)), MAIL) for n in range(6)]
            futures[3].cancel()
            await asyncio.gather(*futures, return_exceptions=True)
        assert sorted(m.recipients[0] for m in server.messages) == [recipient(n) for n in (0, 1, 2, 4, 5)]


@pytest.mark.parametrize("turns", [0, 1, 2, 5, 20])
async def test_closing_does_not_wait_for_what_was_cancelled(turns: int) -> None:
    async with FakeServer() as server:
        pool = Pool(configured(server.port))
        futures = [pool.submit_nowait(to(recipient(n)), MAIL) for n in range(3)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for future in futures:
            future.cancel()
        async with asyncio.timeout(20):
            await pool.close()


@pytest.mark.parametrize("extensions", [("PIPELINING",), ("PIPELINING", "CHUNKING"), ()])
@pytest.mark.parametrize("seed", range(4))
async def test_a_bad_day(seed: int, extensions: tuple[str, ...]) -> None:
    """Everything fails now and then, callers give up, the size changes. The books are right all the same:
    nothing accepted is missing, nothing is there twice unless it was uncertain, no connection and no slot is
    lost.
    """
    chance = random.Random(seed)
    faults: dict[str, tuple[Act, ...]] = {
        "greeting": (CUT, "421 4.7.0 too many connections", "554 no"),
        "ehlo": (CUT,),
        "mail": (CUT, "451 4.3.0 later", "421 4.3.0 bye"),
        "rcpt": (CUT, "550 5.1.1 unknown", "450 4.2.0 later"),
        "data": (CUT, "451 4.3.0 later"),
        "bdat": (CUT, "451 4.3.0 later"),
        "content": (CUT, "554 5.7.1 no", SLOW),
        "after-content": (CUT, SLOW),
        "quit": (CUT,),
    }

    def decide(stage: str, connection: Connection, argument: str) -> Act:
        return chance.choice(faults[stage]) if stage in faults and chance.random() < 0.03 else None

    slots = LocalSlots(5)
    does = Behaviour(
        extensions=extensions, decide=decide, slow_seconds=0.005, keep_open_after_refused_data=True
    )
    results: dict[int, Result | None] = {}

    async def one(pool: Pool, number: int) -> None:
        for _ in range(50):
            try:
                results[number] = await pool.submit(to(recipient(number)), MAIL)
            except SubmissionError:
                continue
            return

    async with FakeServer(does) as server:
        pool = Pool(configured(server.port), slots=slots, size=4, regrow_seconds=0.01)
        tasks = [asyncio.ensure_future(one(pool, number)) for number in range(200)]
        for number in chance.sample(range(200), 20):
            await asyncio.sleep(0.002)
            tasks[number].cancel()
            pool.resize(chance.randint(1, 5))
        async with asyncio.timeout(60):
            await asyncio.gather(*tasks, return_exceptions=True)
        await pool.close()
        assert slots.held == 0
        assert pool.stats.connections == 0
        await until(lambda: server.open == 0)
        assert server.high_water <= 5
        assert server.violations == []
        arrived = [message.recipients[0] for message in server.messages]
        for number, result in results.items():
            assert result is not None
            outcome, count = result.recipients[0].outcome, arrived.count(recipient(number))
            if outcome is Outcome.ACCEPTED:
                assert count == 1
            elif outcome is Outcome.UNCERTAIN:
                assert count <= 1
            else:
                assert count == 0
        missing = [number for number in range(200) if number not in results and not tasks[number].cancelled()]
        assert missing == []
