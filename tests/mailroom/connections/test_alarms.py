"""The registry of alarms: what is wrong now, in which order, and in which words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import translation

from depesche.mailroom.connections import actions, alarm_texts, alarms, health_actions
from depesche.mailroom.connections.alarms import Alarm, Level

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what the test registers."""
    monkeypatch.setattr(alarms, "_sources", {})


def test_the_worst_and_the_oldest_come_first(alone: None) -> None:
    old, new = NOW - timedelta(days=2), NOW - timedelta(hours=1)
    alarms.register("one", lambda now: [Alarm("a", Level.WARNING, since=old), Alarm("b", Level.CRITICAL)])
    alarms.register("two", lambda now: [Alarm("c", Level.CRITICAL, since=new), Alarm("d", Level.WARNING)])
    assert [one.code for one in alarms.current(NOW)] == ["c", "b", "a", "d"]


def test_one_key_is_one_alarm(alone: None) -> None:
    alarms.register("one", lambda now: [Alarm("a", Level.WARNING, {"n": 1}, about="x")])
    alarms.register("two", lambda now: [Alarm("a", Level.WARNING, {"n": 2}, about="x")])
    alarms.register("three", lambda now: [Alarm("a", Level.WARNING, about="y")])
    assert [(one.key, one.facts) for one in alarms.current(NOW)] == [("a:x", {"n": 1}), ("a:y", {})]


def test_a_source_that_fails_is_an_alarm_and_hides_no_other(alone: None) -> None:
    def broken(now: datetime) -> Iterator[Alarm]:
        yield Alarm("seen", Level.WARNING)
        raise OSError("no such thing")

    alarms.register("broken", broken)
    alarms.register("sound", lambda now: [Alarm("a", Level.WARNING)])
    found = alarms.current(NOW)
    assert [one.code for one in found] == ["source-failed", "a"]
    assert "broken" in found[0].words.why


def test_a_banner_asks_the_sources_at_most_every_five_seconds(alone: None) -> None:
    asked = []

    def source(now: datetime) -> list[Alarm]:
        asked.append(now)
        return [Alarm("a", Level.WARNING)]

    alarms.register("one", source)
    alarms.lately(NOW, "en")
    alarms.lately(NOW + timedelta(seconds=4), "en")
    assert len(asked) == 1
    alarms.lately(NOW + timedelta(seconds=4), "de")  # texts among the facts stand in one language
    alarms.lately(NOW + timedelta(seconds=10), "de")
    assert len(asked) == 3
    alarms.forget()
    alarms.lately(NOW + timedelta(seconds=10), "de")
    assert len(asked) == 4


def test_a_key_fits_its_column() -> None:
    assert len(Alarm("a", Level.WARNING, about="x" * 500).key) == 200


@pytest.mark.parametrize("code", alarm_texts.ENTRIES)
def test_each_alarm_speaks_both_languages(code: str) -> None:
    facts: dict[str, Any] = dict.fromkeys(("days", "minutes", "hours", "count", "workers"), 1)
    facts |= dict.fromkeys(("detail", "remedy"), "…")
    said = []
    for language in ("en", "de"):
        with translation.override(language):
            words = alarm_texts.words(code, facts)
            assert words.title
            assert words.why
            assert words.remedy
            assert not words.title.endswith(".")
            assert "%(" not in f"{words}"
            said.append(words)
    assert said[0].title != said[1].title


def test_a_date_among_the_facts_is_a_day_in_the_readers_language(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = alarm_texts.Entry("Ends", "On %(ends)s.", "Nothing.")
    monkeypatch.setitem(alarm_texts.ENTRIES, "ends", entry)
    facts = {"ends": datetime(2026, 12, 24, 12, tzinfo=UTC)}
    with translation.override("de"):
        assert alarm_texts.words("ends", facts).why == "On 24. Dezember 2026."


def test_no_server_is_a_warning_and_a_pause_is_critical(db: Any, saved: Any) -> None:
    assert "paused" not in [one.code for one in alarms.current(NOW)]
    health_actions.pause(0, cause="auth-failed", stage="auth", reply="535 no", next_probe_at=None, now=NOW)
    found = next(one for one in alarms.current(NOW) if one.code == "paused")
    assert (found.level, found.since, found.link) == (Level.CRITICAL, NOW, "connections:outgoing")
    assert found.words.why
    actions.save_outgoing({"host": ""})
    codes = {one.code: one.level for one in alarms.current(NOW)}
    assert codes["no-server"] is Level.WARNING
    assert "paused" not in codes
