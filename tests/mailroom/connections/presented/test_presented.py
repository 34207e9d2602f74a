"""The watch over certificates: their end at 30, 7 and 1 day, and a change, old beside new (M10)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from depesche.mailroom.connections import actions, certificates, health_actions, queries
from depesche.mailroom.connections.alarms import Alarm, Level
from depesche.mailroom.connections.presented import actions as presented_actions
from depesche.mailroom.connections.presented import task, watch
from depesche.mailroom.connections.presented.models import PresentedCertificate
from depesche.mailroom.connections.presented.queries import Target, presented, targets
from depesche.mailroom.connections.presented.task import WatchCertificates, due
from depesche.mailroom.mailboxes import open_mailbox
from depesche.mailroom.outbox import actions as outbox
from depesche.mailroom.outbox.worker import drain
from depesche.smtpclient import seen
from depesche.smtpclient.testing import FakeServer, in_thread
from tests.mailroom.connections.scenes import GOOD, OWN, ROOT, server_context
from tests.mailroom.connections.support import CANARY, Made, certificate, pem
from tests.mailroom.outbox.helpers import message, recipient
from tests.support.small_server import SmallServer, serving
from tests.support.waiting import wait_until

RENEWED = certificate("localhost", names=("localhost",), issued_by=ROOT)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nothing_seen() -> Iterator[None]:
    seen.forget()
    yield
    seen.forget()


@pytest.fixture
def server(db: Any) -> Iterator[FakeServer]:
    actions.import_certificates(pem(ROOT))
    with in_thread(FakeServer(context=server_context(GOOD), implicit_tls=True)) as one:
        configured(one)
        yield one


def configured(server: FakeServer) -> None:
    actions.save_outgoing(
        {
            "host": "localhost",
            "port": str(server.port),
            "encryption": "ssl",
            "system_address": "tracker@example.org",
        }
    )


def described(made: Made) -> certificates.Certificate:
    return certificates.describe(made[0])


def alarms_now(now: datetime | None = None) -> dict[str, Alarm]:
    return {alarm.code: alarm for alarm in watch.alarms(now or timezone.now())}


def work(now: datetime | None = None) -> None:
    WatchCertificates().run(now or timezone.now(), threading.Event())


# --- What was shown -----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_goes_out_tells_which_certificate_was_shown(server: FakeServer, settings: Any) -> None:
    settings.DEPESCHE_WORKER_TASKS = []
    settings.DEPESCHE_RIGHTS_CHECK = ""
    outbox.enqueue(message(), [recipient()], now=timezone.now())
    assert drain(threading.Event()).accepted == 1
    connections = len(server.connections)
    work()
    (row,) = presented()
    assert (row.host, row.port, row.sha256, row.problem) == (
        "localhost",
        server.port,
        described(GOOD).sha256,
        "",
    )
    assert row.changed_at is None
    assert alarms_now() == {}
    assert len(server.connections) == connections  # nobody was asked for it


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
@pytest.mark.parametrize("implicit", [True, False])
def test_a_mailbox_that_is_opened_tells_it_too(db: Any, protocol: str, implicit: bool) -> None:
    from depesche.mailroom.connections import access

    actions.import_certificates(pem(ROOT))
    small = SmallServer(protocol, context=server_context(GOOD), implicit_tls=implicit, offers_tls=True)
    with serving(small):
        saved = actions.save_incoming(
            {
                "protocol": protocol,
                "host": "localhost",
                "port": str(small.port),
                "encryption": "ssl" if implicit else "tls",
                "username": "tracker",
            },
            password=CANARY,
        )
        with open_mailbox(access.mailbox_config(saved)):
            pass
    work()
    assert [row.sha256 for row in presented()] == [described(GOOD).sha256]
    assert targets() == [Target("localhost", small.port, None if implicit else protocol)]  # type: ignore[arg-type]  # one of the literals


# --- A change -----------------------------------------------------------------------------------------------


def test_a_renewed_certificate_is_told_with_the_old_one_beside_it(
    admin_page: Any, server: FakeServer
) -> None:
    seen.note("localhost", server.port, described_der(GOOD))
    work()
    seen.note("localhost", server.port, described_der(RENEWED))
    work()
    alarm = alarms_now()["certificate-changed"]
    assert alarm.level is Level.WARNING
    assert certificates.in_groups(described(GOOD).sha256)[:23] in str(alarm.facts["old"])
    assert certificates.in_groups(described(RENEWED).sha256)[:23] in str(alarm.facts["new"])
    page = admin_page.get(reverse("connections:keystore")).content.decode()
    for made in (GOOD, RENEWED):
        assert certificates.in_groups(described(made).sha256) in page
    assert "another one than before" in page
    (row,) = presented()
    admin_page.post(reverse("connections:certificate-seen", args=[row.id]))
    assert alarms_now() == {}


def described_der(made: Made) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return made[0].public_bytes(Encoding.DER)


def test_two_that_take_turns_are_told_once(server: FakeServer) -> None:
    for made in (GOOD, RENEWED, GOOD, RENEWED):
        presented_actions.note("localhost", server.port, described(made), now=NOW)
    (row,) = presented()
    presented_actions.noticed(row.id, now=NOW)
    presented_actions.note("localhost", server.port, described(GOOD), now=NOW)
    assert "certificate-changed" not in alarms_now(NOW)


def test_news_grow_old(server: FakeServer) -> None:
    for made in (GOOD, RENEWED):
        presented_actions.note("localhost", server.port, described(made), now=NOW)
    assert "certificate-changed" in alarms_now(NOW + timedelta(days=6))
    assert "certificate-changed" not in alarms_now(NOW + timedelta(days=8))


@pytest.mark.django_db(transaction=True)
def test_nothing_goes_over_a_line_that_no_longer_verifies(server: FakeServer, settings: Any) -> None:
    """The server gets a self-signed certificate: the mail waits, the change is told, old beside new; once it
    is looked at and trusted, the mail goes out."""
    settings.DEPESCHE_WORKER_TASKS = []
    settings.DEPESCHE_RIGHTS_CHECK = ""
    outbox.enqueue(message(), [recipient()], now=timezone.now())
    assert drain(threading.Event()).accepted == 1
    work()
    server._context = server_context(OWN)
    port = server.port
    with in_thread(FakeServer(context=server_context(OWN), implicit_tls=True)) as changed:
        PresentedCertificate.objects.filter(port=port).update(port=changed.port)
        configured(changed)
        outbox.enqueue(message(), [recipient()], now=timezone.now())
        assert drain(threading.Event()).accepted == 0
        assert changed.messages == []
        assert queries.health().cause == "cert-self-signed"
        work()
        (row,) = presented()
        assert (row.problem, row.old_sha256) == ("cert-self-signed", described(GOOD).sha256)
        alarm = alarms_now()["certificate-unverified"]
        assert alarm.level is Level.CRITICAL
        assert not any("EHLO" in word for one in changed.connections for word in one.commands)
        actions.trust_certificate(described(OWN), host="localhost", port=changed.port, kind="pin")
        assert alarms_now() == {}
        assert drain(threading.Event()).accepted == 1
        assert len(changed.messages) == 1


# --- Asking -------------------------------------------------------------------------------------------------


def test_a_server_is_asked_only_where_no_session_tells(server: FakeServer) -> None:
    (target,) = targets()
    assert not due(target, None, NOW)
    row = presented_actions.note("localhost", server.port, described(GOOD), now=NOW)
    assert not due(target, row, NOW + timedelta(hours=23))
    assert due(target, row, NOW + timedelta(hours=25))
    row.not_after = NOW + timedelta(days=20)
    assert not due(target, row, NOW + timedelta(hours=5))
    assert due(target, row, NOW + timedelta(hours=7))
    row.looked_at = NOW + timedelta(hours=6)
    assert not due(target, row, NOW + timedelta(hours=7))
    health_actions.pause(0, cause="cert-expired", next_probe_at=None, now=NOW)
    assert due(target, None, NOW)
    assert not due(target, row, NOW + timedelta(hours=6, minutes=1))
    assert due(target, row, NOW + timedelta(hours=7))


def test_what_is_long_unseen_is_asked_for_once_by_one_of_several(server: FakeServer) -> None:
    long_ago = timezone.now() - timedelta(days=3)
    presented_actions.note("localhost", server.port, described(GOOD), now=long_ago)
    work()
    work()
    # One handshake that verifies, one that shows; the server may be the later one to have it done.
    wait_until(lambda: len(server.connections) == 2, "both handshakes")
    (row,) = presented()
    assert row.seen_at > long_ago


def test_a_server_that_is_away_changes_nothing(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "PATIENCE", 0.5)
    long_ago = timezone.now() - timedelta(days=3)
    presented_actions.note("localhost", 1, described(GOOD), now=long_ago)
    actions.save_outgoing({"port": "1"})
    work()
    (row,) = presented()
    assert (row.problem, row.seen_at) == ("", long_ago)


# --- The end of a certificate -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "reached"),
    [
        (timedelta(days=31), None),
        (timedelta(days=30), 30),
        (timedelta(days=8), 30),
        (timedelta(days=7), 7),
        (timedelta(days=2), 7),
        (timedelta(days=1), 1),
        (timedelta(seconds=1), 1),
        (timedelta(seconds=-1), 0),
    ],
)
def test_thresholds(left: timedelta, reached: int | None) -> None:
    assert watch.threshold(NOW + left, NOW) == reached


def test_the_end_is_told_at_30_at_7_and_at_1_day(server: FakeServer) -> None:
    presented_actions.note("localhost", server.port, described(GOOD), now=timezone.now())
    ends = described(GOOD).not_after
    told = []
    for days in (40, 29, 20, 6, 2, 0.5, -1):
        for code, alarm in alarms_now(ends - timedelta(days=days)).items():
            if code.startswith("server-certificate"):
                told.append((days, code, alarm.level.value, alarm.key))
    assert [(days, code, level) for days, code, level, _key in told] == [
        (29, "server-certificate-ends", "warning"),
        (20, "server-certificate-ends", "warning"),
        (6, "server-certificate-ends", "warning"),
        (2, "server-certificate-ends", "warning"),
        (0.5, "server-certificate-ends", "critical"),
        (-1, "server-certificate-ended", "critical"),
    ]
    assert len({key for *_rest, key in told}) == 4  # four occurrences, each told anew
    words = alarms_now(ends - timedelta(days=6, hours=1))["server-certificate-ends"].words
    assert words.title == "The certificate of localhost expires in 6 days"


def test_entries_of_the_keystore_end_too(db: Any) -> None:
    ending = certificate("Old root", authority=True, days=(-300, 5))
    ended = certificate("Older root", authority=True, days=(-300, -5))
    actions.import_certificates(pem(ending) + pem(ended) + pem(ROOT))
    found = alarms_now()
    assert found["keystore-entry-ends"].facts["subject"] == "Old root"
    assert found["keystore-entry-ends"].about.endswith("/7")
    assert found["keystore-entry-ended"].level is Level.WARNING  # no server stands on it: mail flows


def test_an_entry_that_ended_stops_mail_where_a_server_stands_on_it(server: FakeServer) -> None:
    ended = certificate("localhost", names=("localhost",), days=(-300, -5))
    actions.import_certificates(pem(ended), host="localhost", port=server.port)
    assert alarms_now()["keystore-entry-ended"].level is Level.CRITICAL


def test_an_entry_for_a_host_of_former_days_is_no_reason_to_be_not_ready(server: FakeServer) -> None:
    ended = certificate("old.example.org", names=("old.example.org",), days=(-300, -5))
    actions.import_certificates(pem(ended), host="old.example.org", port=server.port)
    assert alarms_now()["keystore-entry-ended"].level is Level.WARNING
    nearly = certificate("older.example.org", names=("older.example.org",), days=(-300, 1))
    actions.import_certificates(pem(nearly), host="older.example.org", port=server.port)
    assert alarms_now()["keystore-entry-ends"].level is Level.WARNING


def test_an_authority_that_ended_stops_mail_where_it_issued_what_a_server_shows(server: FakeServer) -> None:
    ended = certificate("Old root", authority=True, days=(-300, -5))
    actions.import_certificates(pem(ended))
    issued = certificate("localhost", names=("localhost",), issued_by=ended)
    presented_actions.note("localhost", server.port, described(issued), now=timezone.now())
    assert alarms_now()["keystore-entry-ended"].level is Level.CRITICAL


def test_a_pinned_certificate_that_the_server_shows_is_told_once(server: FakeServer) -> None:
    ending = certificate("localhost", names=("localhost",), days=(-80, 5))
    actions.import_certificates(pem(ending), host="localhost", port=server.port)
    assert set(alarms_now()) == {"keystore-entry-ends"}
    presented_actions.note("localhost", server.port, described(ending), now=timezone.now())
    assert set(alarms_now()) == {"server-certificate-ends"}


def test_servers_of_other_settings_are_not_watched(server: FakeServer) -> None:
    presented_actions.note("localhost", server.port, described(GOOD), now=timezone.now())
    actions.save_outgoing({"host": ""})
    assert presented() == []
    assert targets() == []
