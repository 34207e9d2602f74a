"""Who changed what, without a secret; and the way back to what worked."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import CommandError, call_command
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from depesche.mailroom.connections import actions, health_actions, queries
from depesche.mailroom.connections.history import queries as history
from depesche.mailroom.connections.history import recording, restoring
from depesche.mailroom.connections.history.models import Act, Area, SettingsChange
from depesche.mailroom.connections.history.queries import Difference
from depesche.mailroom.connections.signing import actions as signing
from depesche.mailroom.connections.watching import actions as watching
from tests.mailroom.connections.support import CANARY, certificate, pem

OTHER = "canary-other-password"


def rows(area: Area = Area.OUTGOING) -> list[history.ChangeRow]:
    return history.changes(area)


def works(place: int = 0) -> None:
    """A mail was accepted a while after the last change."""
    settings = queries.outgoing(place)
    health_actions.note_accepted(place, now=timezone.now() + timedelta(minutes=1), revision=settings.revision)


def test_each_change_is_on_record_with_its_author(saved: Any, administrator: Any) -> None:
    actions.save_outgoing({"host": "mail.example.org", "port": "465"}, by=administrator, password=OTHER)
    newest, first = rows()
    assert (newest.by, newest.act, newest.area) == ("Jana Voss", Act.CHANGED, Area.OUTGOING)
    assert newest.differences == (
        Difference("host", "smtp.nordlicht.example", "mail.example.org"),
        Difference("port", 587, 465),
        Difference("password", secret="replaced"),
    )
    assert first.by == ""
    assert Difference("password", secret="set") in first.differences
    actions.clear_outgoing_password(by=administrator)
    assert rows()[0].differences == (Difference("password", secret="cleared"),)
    administrator.delete()
    assert rows()[1].by == "Jana Voss", "the name stays"


def test_what_changes_nothing_leaves_no_trace(saved: Any) -> None:
    actions.save_outgoing({"host": "smtp.nordlicht.example"})
    actions.clear_incoming_password()
    assert len(rows()) == 1
    assert rows(Area.INCOMING) == []


@pytest.mark.parametrize("before", ["9" * 5000, "-1", "²"])
def test_an_address_that_nobody_was_given_begins_the_page_anew(admin_page: Any, before: str) -> None:
    assert admin_page.get(reverse("connections:history"), {"before": before}).status_code == 200


def test_a_change_that_fails_leaves_none_either(saved: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(health_actions, "wake", fails)
    with pytest.raises(RuntimeError), transaction.atomic():
        actions.save_outgoing({"charset": "iso-8859-1"})
    assert len(rows()) == 1


def test_everything_that_is_watched_over_is_on_record(db: Any, administrator: Any) -> None:
    now = timezone.now()
    (entry,) = actions.import_certificates(pem(certificate("Our CA", authority=True)), by=administrator)
    actions.import_certificates(pem(certificate("Our CA", authority=True)), by=AnonymousUser())
    actions.remove_certificate(entry.id, by=administrator)
    rsa, ed25519 = signing.make_keys("example.org", now=now, by=administrator)
    signing.activate(rsa.pk, now=now, by=administrator)
    signing.retire(rsa.pk, now=now)
    signing.remove(ed25519.pk, by=administrator)
    watching.save_alarm_ways({"webhook": f"https://h.example/{CANARY}", "patience": "9"}, by=administrator)
    actions.save_incoming({"protocol": "pipe"}, by=administrator)
    told = [(row.area.value, row.act.value) for row in reversed(history.changes())]
    assert told == [
        ("keystore", "added"),
        ("keystore", "added"),
        ("keystore", "removed"),
        ("signing", "added"),
        ("signing", "added"),
        ("signing", "activated"),
        ("signing", "retired"),
        ("signing", "removed"),
        ("alarms", "changed"),
        ("incoming", "changed"),
    ]
    alarms = rows(Area.ALARMS)[0]
    assert alarms.differences == (Difference("patience", 5, 9), Difference("webhook", secret="set"))
    assert CANARY not in repr(history.changes())


def test_settings_are_known_to_work_once_a_mail_was_accepted(saved: Any) -> None:
    settings = queries.outgoing()
    health_actions.note_accepted(0, now=timezone.now() + timedelta(minutes=1))
    assert rows()[0].worked_at is None, "a session of before may have finished it"
    works()
    assert rows()[0].worked_at is not None
    actions.save_outgoing({"port": "2525"})
    health_actions.note_accepted(0, now=timezone.now() + timedelta(minutes=2), revision=settings.revision)
    assert rows()[0].worked_at is None, "it went out by the settings before"


def test_noting_it_again_asks_nothing(saved: Any, django_assert_num_queries: Any) -> None:
    works()
    with django_assert_num_queries(0):
        recording.note_worked(
            Area.OUTGOING, 0, revision=queries_revision(), now=timezone.now() + timedelta(minutes=5)
        )


def queries_revision() -> int:
    return next(revision for (area, _), revision in recording._noted.items() if area == Area.OUTGOING)


def test_one_click_back_to_what_worked_keeps_a_password_of_that_host(saved: Any, admin_page: Any) -> None:
    works()
    actions.save_outgoing({"port": "2525", "encryption": "none", "allow_clear_password": "on"})
    found = history.last_that_worked(Area.OUTGOING, 0, restoring.present(Area.OUTGOING, 0))
    assert found is not None
    page = admin_page.get(reverse("connections:history")).content.decode()
    assert "the last settings that worked" in page
    assert "was typed for this server and stays" in page
    assert admin_page.post(reverse("connections:restore", args=[found.id])).status_code == 302
    settings = queries.outgoing()
    assert (settings.port, settings.encryption, settings.has_password) == (587, "tls", True)
    assert (rows()[0].act, rows()[0].by) == (Act.RESTORED, "Jana Voss")
    assert (
        "the last settings that worked" not in admin_page.get(reverse("connections:history")).content.decode()
    )


def test_a_password_typed_for_another_host_is_asked_for_again(saved: Any, admin_page: Any) -> None:
    works()
    actions.save_outgoing({"host": "wrong.example"}, password=OTHER)
    found = history.last_that_worked(Area.OUTGOING, 0, restoring.present(Area.OUTGOING, 0))
    assert found is not None
    url = reverse("connections:restore", args=[found.id])
    assert 'name="password"' in admin_page.get(url).content.decode()
    refused = admin_page.post(url)
    assert refused.status_code == 422
    assert "Nothing was restored" in refused.content.decode()
    assert queries.outgoing().host == "wrong.example"
    assert admin_page.post(url, {"password": CANARY}).status_code == 302
    assert queries.outgoing().host == "smtp.nordlicht.example"
    assert queries.outgoing().password_host == "smtp.nordlicht.example"
    assert CANARY not in admin_page.get(reverse("connections:history")).content.decode()


def test_what_was_there_before_the_history_began_can_be_restored(saved: Any) -> None:
    SettingsChange.objects.all().delete()  # as if saved by an earlier version
    health_actions.note_accepted(0, now=timezone.now() + timedelta(seconds=1))
    actions.save_outgoing({"system_name": "Another"})
    changed, found = rows()
    assert (found.act, found.worked_at is not None) == (Act.FOUND, True)
    back = history.last_that_worked(Area.OUTGOING, 0, restoring.present(Area.OUTGOING, 0))
    assert back == found
    restoring.restore(found)
    assert queries.outgoing().system_name == "Nordlicht Tracker"
    assert changed.id < rows()[0].id


def test_nothing_that_works_is_offered_while_it_is_in_force(saved: Any) -> None:
    works()
    assert history.last_that_worked(Area.OUTGOING, 0, restoring.present(Area.OUTGOING, 0)) is None


def test_the_mailbox_has_its_way_back(db: Any, admin_page: Any) -> None:
    actions.save_incoming({"protocol": "imap", "host": "imap.example.org", "username": "t"}, password=CANARY)
    actions.note_polled(timezone.now() + timedelta(minutes=1))
    actions.save_incoming({"encryption": "tls", "port": "143"})
    actions.note_polled(timezone.now() + timedelta(minutes=2), error="no")
    back = history.last_that_worked(Area.INCOMING, 0, restoring.present(Area.INCOMING, 0))
    assert back is not None
    restoring.restore(back)
    assert (queries.incoming().encryption, queries.incoming().port) == ("ssl", 993)


def test_members_may_neither_see_nor_restore(client: Any, member: Any, saved: Any) -> None:
    client.force_login(member)
    assert client.get(reverse("connections:history")).status_code == 403
    assert client.post(reverse("connections:restore", args=[rows()[0].id])).status_code == 403


def test_a_page_speaks_words_and_escapes(admin_page: Any, saved: Any) -> None:
    actions.save_outgoing({"system_name": "<script>x</script>", "encryption": "ssl", "items_by_mail": "on"})
    page = admin_page.get(reverse("connections:history")).content.decode()
    assert "<script>x" not in page
    assert "Encrypted connections" in page
    assert "→ <b>SSL</b>" in page
    assert "→ <b>on</b>" in page
    assert admin_page.get(reverse("connections:history") + "?area=alarms&before=x").status_code == 200
    assert admin_page.get(reverse("connections:restore", args=[10**9])).status_code == 404


def test_a_long_history_has_pages(admin_page: Any, saved: Any) -> None:
    for number in range(60):
        actions.save_outgoing({"system_name": f"Name {number}"})
    url = reverse("connections:history")
    first = admin_page.get(url).content.decode()
    assert "Name 59" in first
    assert "Older changes" in first
    rest = admin_page.get(f"{url}?before={history.changes(limit=50)[-1].id}").content.decode()
    assert "Older changes" not in rest
    assert "smtp.nordlicht.example" in rest


def command(*words: str) -> str:
    out = io.StringIO()
    call_command("history", *words, stdout=out)
    return out.getvalue()


def test_the_command_lists_and_restores(saved: Any) -> None:
    works()
    actions.save_outgoing({"port": "2525"})
    listed = [json.loads(line) for line in command("list", "--json").splitlines()]
    assert listed[0]["changes"] == ["port: 587 -> 2525"]
    assert listed[1]["worked_at"]
    assert CANARY not in json.dumps(listed)
    restored = json.loads(command("restore", str(listed[1]["id"]), "--json"))
    assert restored["port"] == 587
    with pytest.raises(CommandError, match="no change"):
        command("restore", "999999")
    actions.save_outgoing({"host": "wrong.example"}, password=OTHER)
    with pytest.raises(CommandError, match="Nothing was restored"):
        command("restore", str(listed[1]["id"]))
