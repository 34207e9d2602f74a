"""The outbox page: administrators only; state, next step, the server's words; retry and cancel."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from depesche.mailroom.outbox import queries, queue
from depesche.mailroom.outbox.actions import Category
from depesche.mailroom.outbox.queue import Recorded
from depesche.mailroom.outbox.states import State
from tests.mailroom.outbox.working import put

pytestmark = pytest.mark.django_db


def person(email: str, *, administrator: bool, language: str = "en") -> Client:
    made = get_user_model()(email=email, is_admin=administrator, language=language)
    made.save()
    client = Client()
    client.force_login(made)
    return client


@pytest.fixture
def admin() -> Client:
    return person("admin@example.org", administrator=True)


def settle(state: State, words: str, count: int = 1) -> None:
    now = timezone.now()
    claimed = queue.claim("x", count, now)
    results = [Recorded(one.id, one.attempt, state, 550, words, "rcpt", now, now) for one in claimed]
    queue.record("x", results, now)


def text(client: Client, url: str, **headers: str) -> str:
    response = client.get(url, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("before", ["9" * 5000, "9" * 19, "-1", "²", "x"])
def test_an_address_that_nobody_was_given_begins_the_list_anew(admin: Client, before: str) -> None:
    (one,) = put()
    assert reverse("outbox:detail", args=[one]) in text(admin, reverse("outbox:list") + f"?before={before}")


def test_only_administrators() -> None:
    (one,) = put()
    member = person("member@example.org", administrator=False)
    for url in (reverse("outbox:list"), reverse("outbox:detail", args=[one])):
        assert member.get(url).status_code == 403
        assert Client().get(url).status_code == 302
    for name in ("outbox:retry", "outbox:cancel"):
        assert member.post(reverse(name, args=[one])).status_code == 403
    assert member.post(reverse("outbox:retry-failed")).status_code == 403


def test_the_list(admin: Client) -> None:
    put(2)
    settle(State.FAILED, "550 5.1.1 <script>User unknown")
    shown = text(admin, reverse("outbox:list"))
    assert "550 5.1.1 &lt;script&gt;User unknown" in shown
    assert "retry-failed" in shown
    rows = queries.recipients()
    failed = next(row for row in rows if row.state is State.FAILED)
    other = next(row for row in rows if row.state is not State.FAILED)
    only = text(admin, reverse("outbox:list") + "?state=failed")
    assert failed.recipient in only
    assert other.recipient not in only
    assert failed.recipient in text(admin, reverse("outbox:list") + f"?q={failed.recipient}")
    assert "<html" not in text(admin, reverse("outbox:list"), **{"HX-Target": "outbox-live"})
    assert admin.get(reverse("outbox:list") + "?state=nonsense&before=x").status_code == 200


def test_a_long_list_is_paged(admin: Client) -> None:
    ids = put(60)
    first = text(admin, reverse("outbox:list"))
    assert f"before={ids[10]}" in first
    older = text(admin, reverse("outbox:list") + f"?before={ids[10]}")
    assert queries.by_ids(ids)[ids[0]].recipient in older


@pytest.mark.parametrize("state", list(State))
def test_every_state_says_what_happens_next(admin: Client, state: State) -> None:
    from depesche.mailroom.outbox.models import OutboxRecipient

    (one,) = put()
    OutboxRecipient.objects.update(state=state, attempts=1, reply="250 fine")
    shown = text(admin, reverse("outbox:detail", args=[one]))
    assert queries.by_ids([one])[one].message_id.replace("<", "&lt;").replace(">", "&gt;") in shown
    assert "What happens next" in shown


def test_the_history_of_a_mail(admin: Client) -> None:
    (one,) = put()
    settle(State.DEFERRED, "451 4.7.1 Greylisted")
    shown = text(admin, reverse("outbox:detail", args=[one]))
    assert "451 4.7.1 Greylisted" in shown
    assert reverse("outbox:retry", args=[one]) in shown
    assert reverse("outbox:cancel", args=[one]) in shown
    assert admin.get(reverse("outbox:detail", args=[one + 1])).status_code == 404


def test_retry_and_cancel(admin: Client) -> None:
    one, other = put(2)
    settle(State.FAILED, "550 no", 2)
    assert admin.get(reverse("outbox:retry", args=[one])).status_code == 405
    admin.post(reverse("outbox:retry", args=[one]))
    assert queries.by_ids([one])[one].state is State.QUEUED
    admin.post(reverse("outbox:cancel", args=[one]))
    assert queries.by_ids([one])[one].state is State.CANCELLED
    admin.post(reverse("outbox:retry", args=[one]))
    assert queries.by_ids([one])[one].state is State.CANCELLED
    admin.post(reverse("outbox:retry-failed"))
    assert queries.by_ids([other])[other].state is State.QUEUED


def test_sensitive_mails_show_no_subject(admin: Client) -> None:
    (one,) = put(1, Category.ACCOUNT)
    assert "(confidential)" in text(admin, reverse("outbox:detail", args=[one]))


def test_german() -> None:
    (one,) = put()
    settle(State.DEFERRED, "451 later")
    admin = person("jana@example.org", administrator=True, language="de")
    shown = text(admin, reverse("outbox:detail", args=[one]))
    assert "Was als Nächstes geschieht" in shown
    assert "aufgeschoben" in shown
