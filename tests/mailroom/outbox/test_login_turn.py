"""Who may log in: one at a time until it is known that it works, one a back-off step once it did not."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from depesche.mailroom.connections import health_actions
from depesche.mailroom.connections import queries as connections
from depesche.mailroom.outbox import identity, login_turn
from depesche.mailroom.outbox.login_turn import AFTER_FAILURE, LEASE, Answer, LoginGuard, ask, failed, worked
from depesche.mailroom.outbox.models import LoginTurn
from tests.mailroom.outbox.servers import configure

pytestmark = [pytest.mark.django_db, pytest.mark.contract]
GO, WAIT, REST = Answer.GO, Answer.WAIT, Answer.REST


def test_one_tries_and_the_others_wait_until_it_has_worked() -> None:
    configure(2525)
    assert [ask(0, "one", 1), ask(0, "two", 1), ask(0, "three", 1)] == [GO, WAIT, WAIT]
    worked(0, "one", 1)
    assert [ask(0, "two", 1), ask(0, "three", 1)] == [GO, GO]


def test_what_worked_long_ago_proves_nothing() -> None:
    configure(2525)
    ask(0, "one", 1)
    worked(0, "one", 1)
    LoginTurn.objects.update(worked_at=timezone.now() - timedelta(seconds=6))
    assert [ask(0, "two", 1), ask(0, "three", 1)] == [GO, WAIT]


def test_a_failure_keeps_the_others_away_until_the_connection_rests() -> None:
    configure(2525)
    assert ask(0, "one", 1) is GO
    failed(0, "one")
    assert ask(0, "two", 1) is WAIT
    assert ask(0, "two", 2) is GO  # other settings may be right


def test_while_it_rests_one_takes_the_probe_that_is_due() -> None:
    configure(2525)
    now = timezone.now()
    later = now + timedelta(seconds=30)
    health_actions.pause(0, cause="auth-refused", next_probe_at=later, now=now)
    assert [ask(0, "one", 1), ask(0, "two", 1)] == [REST, REST]
    assert ask(0, "one", 1, impatient=True) is GO
    health_actions.pause(0, cause="auth-refused", next_probe_at=now - timedelta(seconds=1), now=now)
    assert [ask(0, "one", 1), ask(0, "two", 1), ask(0, "three", 1)] == [GO, REST, REST]
    due = connections.health().next_probe_at
    assert due is not None
    assert due > now + LEASE / 2  # a worker killed meanwhile leaves it to the others after a while


def test_each_connection_has_its_own_turn() -> None:
    configure(2525)
    assert [ask(0, "one", 1), ask(1, "two", 1)] == [GO, GO]


def test_the_turn_of_a_killed_worker_is_free_at_once() -> None:
    configure(2525)
    assert ask(0, f"{identity.machine()}.999999999.1.abc", 1) is GO
    assert ask(0, "two", 1) is GO


def given_up(monkeypatch: pytest.MonkeyPatch, *, while_asking: bool) -> None:
    """A login that is cancelled: while the database is asked for the turn, or under way."""
    asked, go_on = threading.Event(), threading.Event()

    def slowly(*words: Any, **more: Any) -> Answer:
        asked.set()
        assert go_on.wait(30)
        return ask(*words, **more)

    monkeypatch.setattr(login_turn, "ask", slowly)
    begun, settings = asyncio.Event(), connections.outgoing()

    async def log_in() -> None:
        async with LoginGuard(lambda: settings, lambda: False)():
            begun.set()
            await asyncio.Event().wait()

    async def main() -> None:
        task = asyncio.ensure_future(log_in())
        await asyncio.to_thread(asked.wait, 30)
        if while_asking:
            task.cancel()
            await asyncio.sleep(0)
        go_on.set()
        if not while_asking:
            await begun.wait()
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    monkeypatch.undo()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("while_asking", [True, False])
def test_a_login_that_is_given_up_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch, *, while_asking: bool
) -> None:
    configure(2525)
    given_up(monkeypatch, while_asking=while_asking)
    row = LoginTurn.objects.get()
    assert row.until is not None
    assert row.until <= timezone.now() + AFTER_FAILURE


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("while_asking", [True, False])
def test_a_probe_that_is_given_up_is_due_again(
    monkeypatch: pytest.MonkeyPatch, *, while_asking: bool
) -> None:
    configure(2525)
    now = timezone.now()
    health_actions.pause(0, cause="auth-refused", next_probe_at=now - timedelta(seconds=1), now=now)
    given_up(monkeypatch, while_asking=while_asking)
    due = connections.health().next_probe_at
    assert due is not None
    assert due <= timezone.now() + AFTER_FAILURE
