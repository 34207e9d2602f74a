"""`token create`: printed once, stored as a digest, revocable."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from depesche.tracker.accounts.models import Person
from depesche.tracker.api import tokens
from depesche.tracker.api.models import ApiToken


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("token", *words, stdout=out)
    return out.getvalue()


def test_create_list_revoke(jana: Person) -> None:
    token = run("create", jana.email, "--name", "build").strip()
    assert tokens.person_of(token, now=timezone.now()) == jana
    assert token not in str(ApiToken.objects.values_list().get())
    (row,) = [json.loads(line) for line in run("list", "--json").splitlines()]
    assert (row["person"], row["name"]) == (jana.email, "build")
    assert token not in json.dumps(row)
    run("revoke", str(row["id"]))
    assert tokens.person_of(token, now=timezone.now()) is None
    with pytest.raises(CommandError, match="no token"):
        run("revoke", str(row["id"]))


def test_nobody_who_cannot_sign_in_gets_one(jana: Person) -> None:
    jana.is_active = False
    jana.save()
    with pytest.raises(CommandError):
        run("create", jana.email)
    with pytest.raises(CommandError):
        run("create", "nobody@example.org")
    assert not ApiToken.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["", "x", "depesche_", "\udcff", "ä" * 10_000])
def test_strange_tokens_open_nothing(token: str) -> None:
    assert tokens.person_of(token, now=timezone.now()) is None
