"""How much goes out: the settings, the client's limits, and what is remembered of a server's CHUNKING."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from depesche.mailroom.connections import access, actions, health_actions, queries
from depesche.mailroom.connections.actions import InvalidSettings
from depesche.mailroom.connections.volume import CHUNKING_RESTS, Volume, chunking_rests

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
SERVER = {"host": "smtp.example.org", "encryption": "none", "system_address": "tracker@example.org"}


def test_parts_of_a_limit_make_the_whole() -> None:
    volume = Volume(messages_per_minute=120)
    assert volume.per_second(1.0) == 2.0
    assert sum(volume.per_second(part) or 0 for part in (0.25, 0.25, 0.5)) == pytest.approx(2.0)
    assert (volume.per_second(0.0) or 0) > 0, "never a pace of nothing: it would wait for ever"
    assert Volume().per_second(0.5) is None


def test_a_window_of_one_is_no_chunking() -> None:
    assert not Volume(window=1).limits().chunking
    assert Volume(window=2).limits().chunking
    assert not Volume(window=2).limits(chunking=False).chunking


def test_chunking_rests_at_the_server_that_failed_it_and_for_a_while() -> None:
    assert not chunking_rests(None, "", "a:25", NOW)
    assert chunking_rests(NOW, "a:25", "a:25", NOW + timedelta(days=1))
    assert not chunking_rests(NOW, "a:25", "b:25", NOW + timedelta(days=1))
    assert not chunking_rests(NOW, "a:25", "a:25", NOW + CHUNKING_RESTS)


@pytest.mark.django_db
def test_settings_become_limits() -> None:
    saved = actions.save_outgoing(
        SERVER | {"messages_per_connection": "20", "messages_per_minute": "30", "chunking_window": "2"}
    )
    assert saved.volume == Volume(20, 30, 2)
    limits = access.smtp_config(queries.outgoing()).limits
    assert (limits.messages_per_connection, limits.window, limits.chunking) == (20, 2, True)
    saved = actions.save_outgoing({"messages_per_minute": "", "messages_per_connection": ""})
    assert saved.volume == Volume(1000, None, 2)


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["messages_per_connection", "messages_per_minute", "chunking_window"])
@pytest.mark.parametrize("value", ["0", "-1", "many", "99999999", "1.5"])
def test_what_is_no_number_of_mails_is_refused(key: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=key):
        actions.save_outgoing(SERVER | {key: value})
    assert queries.outgoing().volume == Volume()


@pytest.mark.django_db
def test_failed_chunking_is_remembered_for_this_server() -> None:
    actions.save_outgoing(SERVER)
    health_actions.note_chunking_failed(0, "smtp.example.org:25", now=datetime.now(UTC))
    assert queries.health().chunking_rests
    actions.save_outgoing({"host": "other.example.org"})
    assert not queries.health().chunking_rests
