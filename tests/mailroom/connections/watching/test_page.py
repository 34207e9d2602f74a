"""The alarms on the page, by command, for monitors, in the banner and on the mail status."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from depesche.mailroom.connections import actions as connection_actions
from depesche.mailroom.connections import alarms, health_actions
from depesche.mailroom.connections.alarms import Alarm, Level
from depesche.mailroom.connections.watching import actions, queries
from depesche.mailroom.connections.watching.models import AlarmSettings
from tests.support.http_receiver import receiving

SECRET = "canary-webhook-secret"
PATH = "/services/canary-webhook-path"


@pytest.fixture
def nothing_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarms, "_sources", {})


def values(**more: str) -> dict[str, str]:
    plain = {"level": "warning", "patience": "5", "language": "", "late": "15", "failed_per_day": "20"}
    return {**plain, "mail_to": "", **more}


def command(*words: str, stdin: str = "", monkeypatch: Any = None) -> str:
    out = io.StringIO()
    if monkeypatch is not None:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
    call_command("alarms", *words, stdout=out)
    return out.getvalue()


def test_members_see_nothing_of_it(client: Any, member: Any) -> None:
    client.force_login(member)
    assert client.get(reverse("connections:alarms")).status_code == 403
    assert client.post(reverse("connections:alarms"), values()).status_code == 403


def test_saving_keeps_the_webhook_hidden(admin_page: Any) -> None:
    url = reverse("connections:alarms")
    typed = values(
        webhook=f"https://hooks.example.org{PATH}",
        secret=SECRET,
        mail="on",
        mail_to="a@b.example\nc@d.example",
    )
    assert admin_page.post(url, typed).status_code == 302
    shown = admin_page.get(url).content.decode()
    assert "https://hooks.example.org" in shown
    assert "canary" not in shown
    assert queries.alarm_ways().mail_to == ("a@b.example", "c@d.example")
    assert admin_page.post(url, values(mail="on")).status_code == 302
    ways = queries.alarm_ways()
    assert (ways.webhook_host, ways.has_secret, ways.silence) == ("https://hooks.example.org", True, False)
    row = AlarmSettings.objects.get()
    assert b"canary" not in bytes(row.webhook_encrypted or b"") + bytes(row.secret_encrypted or b"")
    admin_page.post(url, values(clear_secret="1"))
    assert not queries.alarm_ways().has_secret
    admin_page.post(url, values(clear_webhook="1"))
    assert queries.alarm_ways().webhook_host == ""


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook": "ftp://canary.example/"},
        {"webhook": "https://user:canary@b.example/"},
        {"patience": "soon"},
        {"patience": "-1"},
        {"late": ""},
        {"failed_per_day": "0"},
        {"mail_to": "nobody"},
        {"level": "loud"},
        {"language": "tlh"},
        {"secret": "x" * 600},
    ],
)
def test_what_is_wrong_is_said_and_not_saved(admin_page: Any, wrong: dict[str, str]) -> None:
    answer = admin_page.post(reverse("connections:alarms"), values(**wrong))
    assert answer.status_code == 422
    assert "data-invalid" in answer.content.decode()
    assert "canary" not in answer.content.decode()
    assert not AlarmSettings.objects.exists()


def test_a_test_alarm_uses_what_stands_in_the_form_and_saves_nothing(admin_page: Any) -> None:
    with receiving() as receiver:
        typed = values(webhook=receiver.url(PATH), secret=SECRET, language="de", test="1")
        answer = admin_page.post(reverse("connections:alarms"), typed)
        (got,) = receiver.got
    assert got.json["event"] == "test"
    assert got.json["title"] == "Probealarm"
    assert "X-Depesche-Signature" in got.headers
    assert "127.0.0.1 took it (204)" in answer.content.decode()
    assert "canary" not in answer.content.decode()
    assert not AlarmSettings.objects.exists()
    part = admin_page.post(reverse("connections:alarms"), values(test="1"), headers={"HX-Request": "true"})
    assert "Nobody was told" in part.content.decode()
    assert "<html" not in part.content.decode()


def test_the_page_answers_first(admin_page: Any, saved: Any, nothing_wrong: None) -> None:
    url = reverse("connections:alarms")
    assert "Nothing is wrong" in admin_page.get(url).content.decode()
    since = timezone.now() - timedelta(hours=3)
    facts = {"megabytes": 7, "place": "<b>/srv</b>"}
    alarms.register(
        "x", lambda now: [Alarm("disk-full", Level.CRITICAL, facts, since=since, link="connections:status")]
    )
    page = admin_page.get(url).content.decode()
    assert "1 thing is wrong" in page
    assert "&lt;b&gt;/srv" in page
    for place in (reverse("connections:status"), "/"):
        assert "The disk runs full" in admin_page.get(place, follow=True).content.decode()


def test_the_banner_leads_to_all_when_there_is_more_than_one(admin_page: Any, nothing_wrong: None) -> None:
    alarms.register(
        "x", lambda now: [Alarm(code, Level.WARNING, {"count": 1}) for code in ("mails-held", "mails-fail")]
    )
    page = admin_page.get("/", follow=True).content.decode()
    assert "Look at it, and at 1 more" in page


def test_a_monitor_sees_codes_alone(client: Any, saved: Any, nothing_wrong: None) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "alarms": []})
    alarms.register(
        "x", lambda now: [Alarm("mails-held", Level.WARNING, {"count": 1, "host": "secret.example"})]
    )
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["alarms"]) == (
        200,
        [{"code": "mails-held", "level": "warning"}],
    )
    alarms.register("y", lambda now: [Alarm("disk-full", Level.CRITICAL, {"place": "/secret"})])
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")
    assert b"secret" not in answer.content
    assert client.get("/healthz").status_code == 200, "no process is at fault"


def test_a_pause_makes_it_not_ready(client: Any, saved: Any) -> None:
    health_actions.pause(0, cause="auth-failed", next_probe_at=None, now=timezone.now())
    assert client.get("/readyz").status_code == 503


def test_check_names_alarms(saved: Any, nothing_wrong: None) -> None:
    alarms.register("x", lambda now: [Alarm("disk-full", Level.CRITICAL, {"megabytes": 7, "place": "/srv"})])
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("checkup", "--json", stdout=out)
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert {
        "level": "error",
        "what": "The disk runs full. Only 7 MB are free where /srv lies.",
    }.items() <= found[-1].items()


def test_the_command_shows_sets_and_tests(db: Any, monkeypatch: Any) -> None:
    with receiving() as receiver:
        typed = f"{receiver.url(PATH)}\n{SECRET}\n"
        command(
            "set", "--webhook-stdin", "--secret-stdin", "patience=7", stdin=typed, monkeypatch=monkeypatch
        )
        shown = json.loads(command("show", "--json"))
        assert (shown["webhook"], shown["has_secret"], shown["patience"]) == (receiver.url(""), True, 7)
        assert "canary" not in json.dumps(shown)
        assert json.loads(command("test", "--json"))["ok"] is True
        assert receiver.got[0].path == PATH
    with pytest.raises(CommandError) as refused:
        command("test")
    assert "Nothing listens there" in str(refused.value)
    assert "canary" not in str(refused.value)
    command("set", "--clear-webhook", "mail=off")
    with pytest.raises(CommandError, match="Nobody is told"):
        command("test")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("set",), 2),
        (("set", "nonsense=1"), 2),
        (("set", "patience=soon"), 1),
        (("set", "mail=perhaps"), 1),
        (("set", "webhook=nonsense"), 1),
    ],
)
def test_the_command_refuses_in_a_sentence(db: Any, words: tuple[str, ...], code: int) -> None:
    with pytest.raises(CommandError) as refused:
        command(*words)
    assert refused.value.returncode == code


def test_the_command_lists(saved: Any, nothing_wrong: None) -> None:
    assert "Nothing is wrong" in command("list")
    alarms.register("x", lambda now: [Alarm("mails-held", Level.WARNING, {"count": 12})])
    assert json.loads(command("list", "--json"))["what"] == "12 mails wait for a decision"
    assert command("list", "--past", "--json") == ""


def test_an_unknown_setting_is_refused(db: Any) -> None:
    with pytest.raises(connection_actions.InvalidSettings):
        actions.save_alarm_ways({"nonsense": "1"})
