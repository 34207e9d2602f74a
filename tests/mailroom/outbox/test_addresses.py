"""Addresses that fail: suppressed with a reason, account mails still tried, and the ways back."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from depesche.mailformat.delivery_report import Action
from depesche.mailroom.outbox import actions, addresses, queries, queue
from depesche.mailroom.outbox.actions import Category, Report
from depesche.mailroom.outbox.addresses import WatchRefusals
from depesche.mailroom.outbox.queue import Recorded
from depesche.mailroom.outbox.states import State
from depesche.mailroom.outbox.suppression import CROWD, SOFT_DAYS, SOFT_TIMES
from tests.mailroom.outbox.helpers import message, recipient
from tests.mailroom.outbox.test_pages import person, text

pytestmark = [pytest.mark.contract, pytest.mark.django_db]
WHO = "Dead@Example.net"


def put(address: str = WHO, category: Category = Category.NOTICE) -> int:
    (one,) = actions.enqueue(message(category), [recipient(address)], now=timezone.now())
    return one


def state(pk: int) -> str:
    return str(queries.by_ids([pk])[pk].state)


def settle(result: State, words: str = "250 ok", stage: str = "") -> None:
    now = timezone.now()
    claimed = queue.claim("x", 100, now)
    queue.record(
        "x", [Recorded(one.id, one.attempt, result, 550, words, stage, now, now) for one in claimed], now
    )


def bounce(status: str = "5.1.1", address: str = WHO, at: Any = None) -> int:
    pk = put(address)
    settle(State.ACCEPTED)
    mail = queries.by_ids([pk])[pk].message_id
    report = Report(mail, address, Action.FAILED, status, "user unknown" if status == "5.1.1" else "no")
    actions.apply_report(report, now=at or timezone.now())
    return pk


def test_an_address_that_does_not_exist_is_not_tried_any_more() -> None:
    waiting = put()
    other = put("alive@example.net")
    actions.cancel([other])
    account = put(category=Category.ACCOUNT)
    assert state(bounce()) == "bounced"
    # What waited had been taken along by the claims above; what is queued from now on is not tried.
    fresh, for_account, elsewhere = put(), put(category=Category.ACCOUNT), put("alive@example.net")
    assert [state(one) for one in (fresh, for_account, elsewhere)] == ["suppressed", "queued", "queued"]
    assert "came back" in queries.by_ids([fresh])[fresh].reply
    assert {state(waiting), state(account)} == {"accepted"}
    row = addresses.suppressed_reason("dead@example.NET")
    assert row is not None
    assert (row.reason, row.status) == ("dead", "5.1.1")


def test_what_waits_for_it_is_held_back_too() -> None:
    first = bounce("5.2.2")
    assert state(first) == "bounced"
    waiting, account = put(), put(category=Category.ACCOUNT)
    addresses.failed(WHO, recipient_id=10**6, status="5.1.1", words="", now=timezone.now())
    assert (state(waiting), state(account)) == ("suppressed", "queued")


def test_a_full_mailbox_is_tried_for_long() -> None:
    now = timezone.now()
    for number in range(SOFT_TIMES):
        assert addresses.suppressed_reason(WHO) is None
        bounce("5.2.2", at=now - timedelta(days=number % SOFT_DAYS))
    row = addresses.suppressed_reason(WHO)
    assert row is not None
    assert row.reason == "failing"


def test_policy_and_spam_say_nothing_about_an_address() -> None:
    for _ in range(12):
        bounce("5.7.1")
    assert addresses.record_of(WHO) is None


def test_a_directory_that_is_away_silences_nobody() -> None:
    for number in range(CROWD + 3):
        bounce(address=f"p{number}@big.example")
    suppressed = [row.address for row in addresses.listed()]
    assert len(suppressed) == CROWD


def test_a_mail_that_arrives_is_the_way_back() -> None:
    account = put(category=Category.ACCOUNT)
    settle(State.ACCEPTED)
    bounce()
    mail = queries.by_ids([account])[account].message_id
    actions.apply_report(Report(mail, WHO, Action.DELIVERED, "2.0.0"), now=timezone.now())
    assert addresses.suppressed_reason(WHO) is None
    assert state(put()) == "queued"
    row = addresses.record_of(WHO)
    assert row is not None
    assert row.lifted_by == "delivered"


def test_a_person_lifts_it_and_the_next_failure_ends_it_again() -> None:
    bounce()
    assert addresses.lift(WHO, by="Jana", now=timezone.now())
    assert not addresses.lift(WHO, by="Jana", now=timezone.now())
    assert state(put()) == "queued"
    bounce()
    assert addresses.suppressed_reason(WHO) is not None


def test_what_was_suppressed_can_be_sent_again() -> None:
    bounce()
    held = put()
    assert actions.retry([held]) == 1
    assert state(held) == "queued"


def test_a_refusal_at_once_counts_as_a_report_does() -> None:
    task = WatchRefusals()
    task.run(timezone.now(), threading.Event())  # what was before it is the past
    put()
    settle(State.FAILED, "550 5.1.1 <dead@example.net>: user unknown", "rcpt")
    put("greylisted@example.net")
    settle(State.DEFERRED, "450 4.2.0 later", "rcpt")
    put("spam@example.net")
    settle(State.FAILED, "554 5.7.1 spam", "content")
    assert task.run(timezone.now(), threading.Event()) > 0
    assert [row.address for row in addresses.listed()] == ["dead@example.net"]
    assert task.run(timezone.now(), threading.Event()) == 0
    addresses.lift(WHO, by="x", now=timezone.now())
    assert task.run(timezone.now(), threading.Event()) == 0  # each refusal counts once
    assert addresses.listed() == []


def test_a_refusal_that_was_taken_back_does_not_count() -> None:
    """Where the connection was at fault, the worker queues its victims again."""
    task = WatchRefusals()
    task.run(timezone.now(), threading.Event())
    pk = put()
    settle(State.FAILED, "550 5.1.1 user unknown", "rcpt")
    queue.revive([pk], timezone.now())
    task.run(timezone.now(), threading.Event())
    assert addresses.record_of(WHO) is None


def test_the_page_lists_and_lifts() -> None:
    admin = person("admin@example.org", administrator=True)
    url = reverse("outbox:addresses")
    assert "every address is tried" in text(admin, url)
    bounce()
    page = text(admin, url)
    assert "dead@example.net" in page
    assert "5.1.1" in page
    assert "Addresses not tried (1)" in text(admin, reverse("outbox:list"))
    admin.post(reverse("outbox:lift-address"), {"address": "dead@example.net"})
    assert addresses.listed() == []
    assert "admin@example.org" in text(admin, url + "?all=1")
    bounce(address="again@example.net")
    held = put("again@example.net")
    german = person("frieda@example.org", administrator=True, language="de")
    page = text(german, reverse("outbox:detail", args=[held]))
    assert "Frühere Mails an diese Adresse kamen zurück" in page
    assert f"{url}?q=again%40example.net" in page
    member = person("member@example.org", administrator=False)
    assert member.get(url).status_code == 403
    assert member.post(reverse("outbox:lift-address"), {"address": WHO}).status_code == 403


def test_by_command() -> None:
    bounce()
    out = StringIO()
    call_command("outbox", "addresses", "--json", stdout=out)
    assert json.loads(out.getvalue())["address"] == "dead@example.net"
    call_command("outbox", "lift", WHO, stdout=StringIO())
    assert addresses.listed() == []
    with pytest.raises(CommandError):
        call_command("outbox", "lift", WHO, stdout=StringIO())


def test_ten_thousand_recipients_are_looked_up_in_few_queries(django_assert_max_num_queries: Any) -> None:
    bounce()
    many = [recipient() for _ in range(3000)]
    with django_assert_max_num_queries(20):
        ids = actions.enqueue(message(), [*many, recipient(WHO)], now=timezone.now())
    assert state(ids[-1]) == "suppressed"
    assert state(ids[0]) == "queued"
