"""The policy of failures: every result has exactly one consequence, and none loses a mail silently."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.mailroom.outbox import retry
from depesche.mailroom.outbox.categories import POLICIES, Category
from depesche.mailroom.outbox.retry import Losses, Persistence, Scope, Streak, Treatment, Try, decide
from depesche.mailroom.outbox.states import State, permitted
from depesche.smtpclient.errors import Cause, Stage, SubmissionError
from depesche.smtpclient.reply import Reply
from depesche.smtpclient.transaction import LocalRefusal, Outcome, RecipientResult


def refused(text: str, stage: Stage = Stage.RCPT, address: str = "bob@example.org") -> RecipientResult:
    code = int(text[:3])
    outcome = Outcome.DEFERRED if code < 500 else Outcome.REFUSED
    return RecipientResult(address, outcome, Reply(code, text[4:]), stage)


def lost(outcome: Outcome, stage: Stage = Stage.CONTENT) -> RecipientResult:
    return RecipientResult("bob@example.org", outcome, None, stage)


def half() -> float:
    return 0.5


FRESH = Try(1, Category.NOTICE)


@pytest.mark.parametrize(
    ("result", "scope", "state"),
    [
        (refused("550 5.1.1 User unknown"), Scope.RECIPIENT, State.FAILED),
        (refused("452 4.2.2 Mailbox full"), Scope.RECIPIENT, State.DEFERRED),
        (refused("554 5.7.1 Spam", Stage.CONTENT), Scope.MESSAGE, State.FAILED),
        (refused("451 4.7.1 Greylisted", Stage.CONTENT), Scope.MESSAGE, State.DEFERRED),
        (refused("552 5.3.4 Too big", Stage.MAIL), Scope.MESSAGE, State.FAILED),
        (refused("550 5.7.1 Sender not yours", Stage.MAIL), Scope.SENDER, State.QUEUED),
        (refused("451 4.3.0 Try later", Stage.MAIL), Scope.SENDER, State.DEFERRED),
        (refused("530 5.7.0 Authentication required", Stage.MAIL), Scope.CONNECTION, State.QUEUED),
        (refused("530 5.7.0 Must issue STARTTLS first", Stage.RCPT), Scope.CONNECTION, State.QUEUED),
        (refused("421 4.7.0 Too many connections", Stage.RCPT), Scope.CONNECTION, State.QUEUED),
        (refused("421 4.3.2 Closing", Stage.MAIL), Scope.CONNECTION, State.QUEUED),
        (lost(Outcome.UNCERTAIN), Scope.MESSAGE, State.UNCERTAIN),
        (lost(Outcome.NOT_TRIED, Stage.MAIL), Scope.CONNECTION, State.QUEUED),
    ],
)
def test_scopes(result: RecipientResult, scope: Scope, state: State) -> None:
    assert retry.scope_of(result) is scope
    assert decide(result, FRESH, half).state is state


def test_what_the_connection_is_guilty_of_costs_no_attempt() -> None:
    for result in (refused("550 5.7.1 no", Stage.MAIL), refused("530 5.7.0 auth"), lost(Outcome.NOT_TRIED)):
        assert not decide(result, FRESH, half).counts
    assert decide(refused("451 later"), FRESH, half).counts


def test_refused_by_ourselves() -> None:
    for why in LocalRefusal:
        result = RecipientResult("bob@example.org", Outcome.REFUSED, None, Stage.MAIL, "", why)
        assert decide(result, FRESH, half).state is State.FAILED


def test_the_table_is_complete() -> None:
    assert set(retry.POLICY) == set(itertools.product(Scope, Persistence))


def test_uncertain_ones_go_again_or_wait_for_a_person() -> None:
    again = decide(lost(Outcome.UNCERTAIN), FRESH, half)
    assert (again.state, again.after, again.counts) == (State.UNCERTAIN, timedelta(seconds=10), True)
    held = decide(lost(Outcome.UNCERTAIN), Try(1, Category.NOTICE, hold_uncertain=True), half)
    assert (held.state, held.outcome) == (State.HELD, "uncertain")


def test_the_steps_of_the_back_off() -> None:
    minutes = [
        (decide(refused("451 later"), Try(n, "notice"), half).after or timedelta()) / timedelta(minutes=1)
        for n in range(1, 9)
    ]
    assert minutes == [1, 5, 15, 30, 60, 120, 240, 240]


def test_deferrals_end_with_the_queue_lifetime() -> None:
    day = timedelta(days=1)
    late = decide(refused("451 later"), Try(30, "notice", age=3 * day), half)
    assert (late.state, late.outcome) == (State.EXPIRED, "deferred")
    last = decide(refused("451 later"), Try(30, "notice", age=3 * day - timedelta(minutes=7)), half)
    assert last.after == timedelta(minutes=7)
    assert decide(refused("451 later"), Try(3, "account", left=timedelta(0)), half).state is State.EXPIRED


results = st.builds(
    RecipientResult,
    st.just("bob@example.org"),
    st.sampled_from(Outcome),
    st.none() | st.builds(Reply, st.integers(200, 599), st.text(max_size=80)),
    st.sampled_from(Stage),
    st.just(""),
    st.none() | st.sampled_from(LocalRefusal),
)
errors = st.none() | st.builds(SubmissionError, st.sampled_from(Stage), st.sampled_from(Cause))
tries = st.builds(
    Try,
    st.integers(1, 500),
    st.sampled_from(Category),
    st.none() | st.timedeltas(timedelta(0), timedelta(days=10)),
    st.none() | st.timedeltas(-timedelta(days=1), timedelta(days=10)),
    st.booleans(),
)


@given(results, tries, st.floats(0, 1, exclude_max=True), errors)
def test_every_result_has_a_permitted_consequence(
    result: RecipientResult, known: Try, chance: float, error: SubmissionError | None
) -> None:
    made = decide(result, known, lambda: chance, error)
    through = [State.DEFERRED] if made.state is State.EXPIRED else []
    assert permitted(State.IN_FLIGHT, *through, made.state)
    assert (made.state is State.ACCEPTED) == (result.outcome is Outcome.ACCEPTED)
    assert made.counts or made.state is State.QUEUED
    if result.outcome is Outcome.UNCERTAIN:
        assert made.state in (State.UNCERTAIN, State.HELD)
    if made.state in (State.DEFERRED, State.UNCERTAIN):
        assert made.after is not None
        assert timedelta(0) < made.after <= retry.BACK_OFF[-1] * (1 + retry.JITTER)
    if made.state is State.DEFERRED and made.after is not None:
        end = POLICIES[Category(known.category)].lifetime - (known.age or timedelta(0))
        assert made.after <= max(end, timedelta(seconds=1))


@given(st.integers(-5, 1000), st.floats(0, 1, exclude_max=True))
def test_back_off_stays_near_its_step(attempts: int, chance: float) -> None:
    step = retry.BACK_OFF[min(max(attempts, 1), len(retry.BACK_OFF)) - 1]
    delay = retry.back_off(attempts, retry.BACK_OFF, lambda: chance)
    assert step * (1 - retry.JITTER) <= delay <= step * (1 + retry.JITTER)


# --- five in a row ------------------------------------------------------------------------------------------


def relay_denied(number: int) -> RecipientResult:
    address = f"person{number}@example.org"
    return refused(f"554 5.7.1 <{address}>: Relay access denied", address=address)


def test_five_alike_are_a_fault_of_the_connection() -> None:
    streak = Streak()
    found = [streak.refused(n, retry.blames_connection(relay_denied(n))) for n in range(8)]
    assert found == [(), (), (), (), (0, 1, 2, 3, 4), (5,), (6,), (7,)]


def test_an_acceptance_between_ends_the_row() -> None:
    streak = Streak()
    for n in range(4):
        assert streak.refused(n, "x") == ()
    streak.accepted()
    assert streak.refused(5, "x") == ()


def test_the_same_recipient_counts_once() -> None:
    streak = Streak()
    assert [streak.refused(1, "x") for _ in range(9)] == [()] * 9


@pytest.mark.parametrize(
    "words",
    [
        "554 5.7.1 <a7@example.org>: Relay access denied",
        "550 5.7.1 Client host rejected: Access denied",
        "550 relay not permitted",
        "503 5.5.4 Error: send AUTH command first",
        "550-5.7.26 This mail is unauthenticated 00a1b2c3d4-gsmtp",
        "535 Authentication required",
    ],
)
def test_refusals_that_a_setting_may_cause(words: str) -> None:
    assert retry.blames_connection(refused(words))
    assert retry.may_be_the_settings(refused(words))


@pytest.mark.parametrize(
    "words",
    [
        "550 5.1.1 <a@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
        "550 No such user here",
        "552 5.2.2 Over quota",
        "550 Requested action not taken: mailbox unavailable",
        "550 user doesn't exist",
        "552 5.3.4 Message too big",
        "451 4.7.1 later",
    ],
)
def test_refusals_that_are_the_recipients_own(words: str) -> None:
    assert retry.blames_connection(refused(words)) == ""
    assert not retry.may_be_the_settings(refused(words))


def test_what_other_settings_may_put_right_beside_refusals() -> None:
    assert retry.may_be_the_settings(refused("421 4.3.2 closing"))
    assert retry.may_be_the_settings(lost(Outcome.NOT_TRIED, Stage.MAIL))
    assert not retry.may_be_the_settings(lost(Outcome.UNCERTAIN)), "it may have been taken"


def test_numbers_and_addresses_make_no_difference() -> None:
    one = retry.blames_connection(refused("550 5.7.1 <a@b.example>: denied (id 4F1C2A07)"))
    other = retry.blames_connection(refused("550 5.7.1 <zz@y.example>: denied (id 88B0D113)"))
    assert one == other != retry.blames_connection(refused("550 5.7.1 <zz@y.example>: not wanted"))


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from("abc")), max_size=60))
def test_nobody_is_given_back_twice(events: list[tuple[int, str]]) -> None:
    streak = Streak()
    given: list[int] = []
    for recipient_id, signature in events:
        back = streak.refused(recipient_id, signature)
        assert len(set(back)) == len(back)
        assert len(back) in (0, 1, retry.STREAK)
        given += back
    assert set(given) <= {one for one, _ in events}


# --- losses, cap, probes ------------------------------------------------------------------------------------


def test_sessions_lost_in_a_row() -> None:
    losses = Losses(3)
    assert [losses.lost(), losses.lost()] == [False, False]
    losses.accepted()
    assert [losses.lost(), losses.lost(), losses.lost()] == [False, False, True]


@given(st.integers(0, 600), st.integers(1, 500))
def test_the_cap_shrinks_and_grows_within_its_bounds(in_use: int, configured: int) -> None:
    cap = retry.smaller_cap(in_use, configured)
    assert 1 <= cap <= max(1, configured - 1)
    steps = 0
    while cap < configured:
        larger = retry.larger_cap(cap, configured)
        assert cap < larger <= configured
        cap, steps = larger, steps + 1
    assert steps < 40


def test_failures_to_open_a_session_concern_the_set_up() -> None:
    assert retry.concerns_set_up(SubmissionError(Stage.AUTH, Cause.AUTH_REFUSED))
    assert retry.concerns_set_up(SubmissionError(Stage.CONNECT, Cause.REFUSED))
    assert not retry.concerns_set_up(SubmissionError(Stage.GREETING, Cause.TOO_MANY_CONNECTIONS))
    assert not retry.concerns_set_up(SubmissionError(Stage.CONTENT, Cause.CONNECTION_LOST))
    opened = decide(
        lost(Outcome.NOT_TRIED, Stage.AUTH), FRESH, half, SubmissionError(Stage.AUTH, Cause.AUTH_REFUSED)
    )
    assert (opened.state, opened.treatment) == (State.QUEUED, Treatment.PAUSE)


def test_probes_come_less_often() -> None:
    delays = [retry.probe_after(n, half) for n in range(1, 10)]
    assert delays == sorted(delays)
    assert delays[-1] == timedelta(minutes=5)
