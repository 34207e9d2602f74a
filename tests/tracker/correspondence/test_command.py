"""`depesche correspondence`: the same rules by command."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from depesche.tracker.accounts.models import Person
from depesche.tracker.correspondence import blocking, rules
from depesche.tracker.items.models import Item
from depesche.tracker.threads import queries as threads
from tests.tracker.correspondence.support import mails

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = StringIO()
    call_command("correspondence", *words, stdout=out)
    return out.getvalue()


def test_rules_of_all_and_of_one(item: Item) -> None:
    shown: dict[str, Any] = json.loads(
        run("set", "strangers=guest", "commands=on", "reply_days=30", "--json")
    )
    assert (shown["strangers"], shown["commands"], shown["reply_days"]) == ("guest", "on", 30)
    run("set", "--workspace", "NW", "proof=strict")
    assert json.loads(run("show", "--workspace", "nw", "--json")) | {} == {
        **shown,
        "proof": "strict",
        "own": True,
    }
    run("set", "--workspace", "NW", "--follow-all")
    assert not rules.rules_for(item.workspace).own


@pytest.mark.parametrize(
    "words",
    [
        ("set",),
        ("set", "odd=1"),
        ("set", "proof=odd"),
        ("set", "reply_days=-1"),
        ("set", "--follow-all"),
        ("show", "--workspace", "odd"),
        ("revoke",),
        ("revoke", "--all", "--item", "NW-1"),
        ("revoke", "--item", "NW-99"),
        ("unblock", "spam@elsewhere.example"),
        ("block", "nonsense"),
    ],
)
def test_what_is_wrong_is_one_sentence(item: Item, words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as caught:
        run(*words)
    assert "\n" not in str(caught.value)


def test_reply_addresses_are_revoked(item: Item, people: dict[str, Person]) -> None:
    run("revoke", "--person", "tomasz@example.org", "--item", "NW-1")
    assert threads.revoked_until(item.pk, people["tomasz"].pk) is not None
    assert threads.revoked_until(item.pk, people["jana"].pk) is None
    run("revoke", "--all")
    assert threads.revoked_until(item.pk, people["jana"].pk) is not None


def test_blocked_senders() -> None:
    run("block", "Spam@elsewhere.example")
    (row,) = blocking.blocked_senders()
    assert json.loads(run("blocked", "--json"))["address"] == row.address
    run("unblock", "spam@elsewhere.example")
    assert not blocking.blocked_senders().exists()


def test_a_mail_from_an_item(item: Item) -> None:
    words = ("--as", "jana@example.org", "--to", "Max <max@elsewhere.example>", "--text", "Could you look?")
    done = json.loads(run("mail", "NW-1", *words, "--json"))
    assert (done["item"], done["recipients"]) == ("NW-1", 1)
    assert [row.recipient for row in mails("max@elsewhere.example")] == ["max@elsewhere.example"]
    for wrong in (("NW-99", *words), ("NW-1", "--as", "eve@example.org", *words[2:])):
        with pytest.raises(CommandError):
            run("mail", *wrong)
