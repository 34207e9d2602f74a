"""The contract of claim, record, sweep and the actions; it holds on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from depesche.mailformat.delivery_report import Action
from depesche.mailroom.outbox import actions, queries, queue
from depesche.mailroom.outbox.actions import Category, Report
from depesche.mailroom.outbox.models import OutboxMessage, OutboxRecipient
from depesche.mailroom.outbox.queue import Claimed, Recorded
from depesche.mailroom.outbox.states import State
from tests.mailroom.outbox.helpers import NOW, enqueue, later, message, recipient
from tests.support.threads import at_once

pytestmark = [pytest.mark.contract, pytest.mark.django_db]
LEASE = timedelta(seconds=30)


def state(recipient_id: int) -> str:
    return OutboxRecipient.objects.values_list("state", flat=True).get(pk=recipient_id)


def claim(owner: str = "a", limit: int = 100, seconds: float = 1) -> list[Claimed]:
    return queue.claim(owner, limit, later(seconds), LEASE)


def accepted(one: Claimed) -> Recorded:
    return Recorded(
        one.id,
        one.attempt,
        State.ACCEPTED,
        250,
        "2.0.0 Ok",
        sensitive=one.sensitive,
        message_id=one.message_id,
    )


def deferred(one: Claimed, seconds: float = 60) -> Recorded:
    return Recorded(one.id, one.attempt, State.DEFERRED, 451, "4.7.1 later", "rcpt", try_at=later(seconds))


def test_enqueue_gives_ids_in_order_and_stores_content_once() -> None:
    ids = actions.enqueue(message(), [recipient(f"p{n}@example.org") for n in range(2500)], now=NOW)
    assert len(set(ids)) == 2500
    rows = queries.by_ids(ids)
    assert [rows[one].recipient for one in ids] == [f"p{n}@example.org" for n in range(2500)]
    assert OutboxMessage.objects.count() == 1
    assert {row.state for row in rows.values()} == {State.QUEUED}
    more = enqueue(3)
    assert not set(more) & set(ids)


def test_enqueue_without_recipients_stores_nothing() -> None:
    assert actions.enqueue(message(), [], now=NOW) == []
    assert OutboxMessage.objects.count() == 0


def test_enqueue_is_part_of_the_callers_transaction() -> None:
    class Undone(Exception):
        pass

    def change() -> None:
        with transaction.atomic():
            enqueue(3)
            raise Undone

    with pytest.raises(Undone):
        change()
    assert OutboxRecipient.objects.count() == OutboxMessage.objects.count() == 0
    assert claim() == []


def test_a_claim_hands_over_what_is_needed_and_no_row_twice() -> None:
    ids = enqueue(5)
    first, second = claim("a", 3), claim("b", 10)
    assert [one.id for one in first] == ids[:3]
    assert [one.id for one in second] == ids[3:]
    assert claim("c") == []
    one = first[0]
    assert (one.attempt, one.waited, one.category, one.item) == (1, 1, "notice", "NW-1")
    assert one.header.startswith(b"To: person")
    assert queue.contents([one.message_id])[one.message_id].endswith(b"\r\n\r\nHello\r\n")


def test_what_was_withdrawn_between_looking_and_taking_is_not_claimed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = enqueue(3)
    look = queue._due

    def and_then_somebody_cancels(cursor: object, limit: int, now: datetime) -> list[Claimed]:
        found = look(cursor, limit, now)
        assert actions.cancel(ids[:1], now=later(1)) == 1
        return found

    monkeypatch.setattr(queue, "_due", and_then_somebody_cancels)
    assert [one.id for one in claim()] == ids[1:]
    assert [state(one) for one in ids] == [State.CANCELLED, State.IN_FLIGHT, State.IN_FLIGHT]


def test_urgent_ones_go_first_then_the_longest_waiting() -> None:
    reminder = enqueue(1, Category.REMINDER, later(-500))
    young = enqueue(1, now=later(-1))
    old = enqueue(1, now=later(-50))
    account = enqueue(1, Category.ACCOUNT)
    assert [one.id for one in claim()] == account + old + young + reminder


def test_what_is_not_due_stays() -> None:
    (one,) = enqueue()
    (claimed,) = claim()
    queue.record("a", [deferred(claimed, 60)], later(1))
    assert state(one) == State.DEFERRED
    assert claim(seconds=59) == []
    assert queue.next_due(later(2)) == later(60)
    (again,) = claim(seconds=60)
    assert (again.attempt, again.waited, again.deferred_since) == (2, 2, later(1))


def test_acceptance_is_recorded_with_the_servers_words() -> None:
    ids = enqueue(3)
    queue.record("a", [accepted(one) for one in claim()], later(2))
    for row in queries.by_ids(ids).values():
        assert (row.state, row.reply, row.accepted_at, row.next_attempt_at) == (
            State.ACCEPTED,
            "2.0.0 Ok",
            later(2),
            None,
        )
    assert queries.stats(later(3)).states == {"accepted": 3}


def test_the_figures_count_what_is_due_and_name_the_oldest() -> None:
    assert queries.stats(NOW).oldest_due_at is None
    enqueue(2, now=later(-50))
    enqueue(1, Category.REMINDER, later(-500))
    first, second = claim(limit=2, seconds=0)  # the older of priority 1
    queue.record("a", [deferred(first, 60)], later(1))
    stats = queries.stats(later(2))
    assert stats.states == {"queued": 1, "in_flight": 1, "deferred": 1}
    assert stats.remaining == 2, "the deferred one has its time"
    assert stats.oldest_due_at == later(-500)
    stats = queries.stats(later(60))
    assert stats.remaining == 3
    queue.record("a", [accepted(second), *map(accepted, claim(seconds=60))], later(61))
    assert queries.stats(later(62)).remaining == 0


def test_what_is_too_late_is_found_by_the_messages_that_end() -> None:
    """Never along the index of what is due: a million waiting mails would be looked at every two seconds."""
    (ended,) = enqueue(1, expires_at=later(-1))
    enqueue(1, expires_at=later(60))
    enqueue(1)
    with CaptureQueriesContext(connection) as captured:
        assert [row[0] for row in queue._late(later(0), 100)] == [ended]
    (query,) = captured.captured_queries
    if connection.vendor != "sqlite":
        return  # PostgreSQL plans by what the tables hold: with three rows its plan says nothing
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + query["sql"])
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "depesche_outbox_expiring" in plan
    assert "depesche_outbox_due" not in plan


def test_failures_leave_a_history() -> None:
    (one,) = enqueue()
    (claimed,) = claim()
    queue.record("a", [deferred(claimed)], later(2))
    (claimed,) = claim(seconds=61)
    queue.record("a", [Recorded(one, claimed.attempt, State.FAILED, 550, "5.1.1 no", "rcpt")], later(62))
    detail = queries.recipient(one)
    assert detail is not None
    assert [(a.number, a.outcome, a.reply) for a in detail.attempts] == [
        (1, "deferred", "4.7.1 later"),
        (2, "failed", "5.1.1 no"),
    ]
    assert detail.row.state is State.FAILED


def test_an_attempt_that_was_given_back_does_not_count() -> None:
    (one,) = enqueue()
    (claimed,) = claim()
    queue.record("a", [Recorded(one, claimed.attempt, State.QUEUED, counts=False, try_at=later(5))], later(2))
    assert claim(seconds=4) == []
    (again,) = claim(seconds=5)
    assert again.attempt == 1
    detail = queries.recipient(one)
    assert detail is not None
    assert detail.attempts == ()


def test_a_lost_lease_brings_the_row_back_and_notes_the_attempt() -> None:
    (one,) = enqueue()
    claim("a")
    assert not queue.sweep(later(30))
    assert queue.sweep(later(32)).abandoned == 1
    assert state(one) == State.QUEUED
    detail = queries.recipient(one)
    assert detail is not None
    assert [a.outcome for a in detail.attempts] == ["abandoned"]
    (again,) = claim("b", seconds=33)
    assert again.attempt == 2


def test_the_rows_of_a_dead_owner_come_back_at_once() -> None:
    enqueue(2)
    claim("a", 1)
    claim("b", 1)
    assert queue.sweep(later(2), dead=["a"]).abandoned == 1
    assert [one.attempt for one in claim("c", seconds=3)] == [2]


def test_a_heartbeat_keeps_the_lease() -> None:
    (one,) = enqueue()
    claim("a")
    queue.extend("a", [one], later(90))
    assert not queue.sweep(later(60))
    assert queue.sweep(later(91)).abandoned == 1


def test_lost_leases_are_held_where_a_person_shall_decide(settings: object) -> None:
    settings.DEPESCHE_HOLD_UNCERTAIN = ["notice"]  # type: ignore[attr-defined]  # pytest-django's wrapper
    (one,) = enqueue()
    claim("a")
    queue.sweep(later(40))
    assert state(one) == State.HELD
    assert actions.retry([one], now=later(41)) == 1
    assert state(one) == State.QUEUED


def test_a_late_acceptance_counts_until_another_attempt_has_begun() -> None:
    first, second = enqueue(2)
    late = claim("a")
    queue.sweep(later(40))
    (taken,) = claim("b", 1, seconds=41)
    assert taken.id == first
    queue.record("a", [accepted(one) for one in late], later(42))
    assert state(first) == State.IN_FLIGHT
    assert state(second) == State.ACCEPTED
    queue.record("b", [deferred(taken)], later(43))
    assert state(first) == State.DEFERRED


def test_a_late_failure_changes_nothing() -> None:
    (one,) = enqueue()
    (late,) = claim("a")
    queue.sweep(later(40))
    queue.record("a", [Recorded(one, late.attempt, State.FAILED, 550, "no")], later(41))
    assert state(one) == State.QUEUED


def test_uncertain_ones_are_queued_again_when_due() -> None:
    (one,) = enqueue()
    (claimed,) = claim()
    queue.record("a", [Recorded(one, claimed.attempt, State.UNCERTAIN, try_at=later(20))], later(2))
    assert not queue.sweep(later(19))
    assert queue.next_due(later(3)) == later(20)
    assert queue.sweep(later(20)).requeued == 1
    assert state(one) == State.QUEUED
    assert [c.id for c in claim(seconds=21)] == [one]


def test_pointless_mails_expire_and_lose_their_content() -> None:
    (one,) = enqueue(1, Category.ACCOUNT, expires_at=later(100))
    assert not queue.sweep(later(99))
    assert queue.sweep(later(100)).expired == 1
    assert state(one) == State.EXPIRED
    assert OutboxMessage.objects.get().erased
    assert actions.retry([one], now=later(101)) == 0


def test_sensitive_content_is_erased_once_all_are_accepted() -> None:
    enqueue(2, Category.ACCOUNT)
    one, other = claim()
    assert queries.by_ids([one.id])[one.id].subject == ""
    queue.record("a", [accepted(one)], later(2))
    assert bytes(OutboxMessage.objects.get().content) != b""
    queue.record("a", [accepted(other)], later(3))
    stored = OutboxMessage.objects.get()
    assert (bytes(stored.content), stored.erased) == (b"", True)
    assert queries.raw_mail(one.id) is None


def test_large_contents_cut_a_claim_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MOST_BYTES", 3000)
    for _ in range(3):
        enqueue(2, body=b"x" * 2000)
    assert len(claim("a")) == 2
    assert len(claim("b", 1)) == 1


def test_retry_cancel_and_what_they_refuse() -> None:
    ids = enqueue(4)
    claimed = claim("a", 2)
    queue.record("a", [Recorded(one.id, one.attempt, State.FAILED, 550, "no") for one in claimed], later(2))
    assert actions.cancel(ids, now=later(3)) == 2
    assert [state(one) for one in ids] == ["failed", "failed", "cancelled", "cancelled"]
    assert actions.retry(ids, now=later(4)) == 2
    assert [state(one) for one in ids] == ["queued", "queued", "cancelled", "cancelled"]
    again = claim("a", seconds=5)
    assert [(one.attempt, one.waited) for one in again] == [(2, 1), (2, 1)]
    assert actions.cancel(ids, now=later(5)) == 0
    queue.record("a", [Recorded(one.id, one.attempt, State.FAILED, 550, "no") for one in again], later(6))
    assert actions.retry_all_failed(now=later(7)) == 2


def test_a_deferred_one_is_tried_at_once_when_a_person_says_so() -> None:
    (one,) = enqueue()
    (claimed,) = claim()
    queue.record("a", [deferred(claimed, 3600)], later(2))
    assert actions.retry([one], now=later(10)) == 1
    (again,) = claim(seconds=11)
    assert (again.waited, again.deferred_since) == (1, None)


def test_reports() -> None:
    new = [recipient("a@example.org"), recipient("b@example.org")]
    ids = actions.enqueue(message(), new, now=NOW)
    queue.record("a", [accepted(one) for one in claim()], later(2))

    def report(index: int, action: Action, address: str | None = None) -> actions.ReportEffect:
        to = new[index].address if address is None else address
        return actions.apply_report(Report(new[index].message_id, to, action, "5.1.1", "gone"), now=later(9))

    assert report(0, Action.DELAYED).state == State.DELAYED
    assert report(0, Action.RELAYED).state == ""
    assert report(0, Action.FAILED) == actions.ReportEffect(ids[0], State.BOUNCED, "", "NW-1")
    assert report(0, Action.DELIVERED).state == ""
    assert report(1, Action.DELIVERED, "rewritten@elsewhere.example").state == State.DELIVERED
    unknown = Report("<x@y>", "a@example.org", Action.FAILED)
    assert actions.apply_report(unknown, now=NOW).recipient_id is None
    assert queries.by_ids(ids)[ids[0]].reply == "5.1.1 gone"


def test_a_report_settles_doubt() -> None:
    new = recipient()
    (one,) = actions.enqueue(message(), [new], now=NOW)
    (claimed,) = claim()
    queue.record("a", [Recorded(one, claimed.attempt, State.UNCERTAIN, try_at=later(60))], later(2))
    actions.apply_report(Report(new.message_id, new.address, Action.DELIVERED), now=later(3))
    assert state(one) == State.DELIVERED


def test_lists_are_filtered_searched_and_continued() -> None:
    ids = enqueue(5)
    other = actions.enqueue(message(subject="Würde", item="NW-2"), [recipient("zoe@example.org")], now=NOW)
    assert [row.id for row in queries.recipients(limit=2)] == [other[0], ids[4]]
    assert [row.id for row in queries.recipients(before_id=ids[1])] == [ids[0]]
    assert [row.id for row in queries.recipients(before_id=ids[4], oldest_first=True)] == other
    assert [row.id for row in queries.recipients(text="zoe@")] == other
    assert [row.id for row in queries.recipients(text="nw-2")] == other
    assert [row.id for row in queries.recipients(item="NW-2")] == other
    assert [row.id for row in queries.recipients(text=queries.by_ids(other)[other[0]].message_id)] == other
    assert queries.recipients(state="failed") == []


def test_plans_do_not_depend_on_how_many_wait() -> None:
    if connection.vendor != "sqlite":
        return  # PostgreSQL plans by its statistics

    def plan(statement: str) -> str:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", ["x"] * statement.count("%s"))
            return " ".join(str(row) for row in cursor.fetchall())

    due = plan(
        f"SELECT id FROM depesche_outbox_outboxrecipient WHERE {queue._DUE}"
        " AND priority = %s AND next_attempt_at <= %s ORDER BY next_attempt_at, id LIMIT 10"
    )
    assert "depesche_outbox_due" in due
    assert "TEMP B-TREE" not in due
    accept = plan(queue._ACCEPT_SQLITE)
    take = plan(queue._TAKE.format(these=queue._ids([1])[1]))
    for found in (accept, take):
        assert "SEARCH r USING INTEGER PRIMARY KEY" in found
        assert "depesche_outbox" not in found


@pytest.mark.django_db(transaction=True)
def test_claims_of_many_threads_never_overlap() -> None:
    enqueue(300)
    taken: list[int] = []
    guard = threading.Lock()

    def work(owner: str) -> None:
        while batch := queue.claim(owner, 7, later(1), LEASE):
            queue.record(owner, [accepted(one) for one in batch], later(2))
            with guard:
                taken.extend(one.id for one in batch)

    at_once(work)
    assert sorted(taken) == sorted(OutboxRecipient.objects.values_list("id", flat=True))
    assert len(taken) == 300


def test_what_stepped_back_is_due_at_once_and_nothing_else() -> None:
    back, other, waiting = enqueue(3)
    in_an_hour = NOW + timedelta(hours=1)
    rows = OutboxRecipient.objects
    rows.filter(pk=back).update(next_attempt_at=in_an_hour, reply_code=554)
    rows.filter(pk=other).update(next_attempt_at=in_an_hour, reply_code=451, state=State.DEFERRED)
    rows.filter(pk=waiting).update(next_attempt_at=in_an_hour)
    assert queue.hasten(NOW) == 1
    due = {row.pk: row.next_attempt_at for row in rows.all()}
    assert (due[back], due[other], due[waiting]) == (NOW, in_an_hour, in_an_hour)
    assert queue.hasten(NOW) == 0
