from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import translation

from depesche.mailroom.connections import access, actions, health_actions, queries
from depesche.mailroom.connections.actions import InvalidSettings
from depesche.mailroom.connections.diagnosis.causes import ENTRIES
from depesche.mailroom.connections.diagnosis.pauses import reason_of_pause
from depesche.mailroom.connections.models import IncomingMailbox, OutgoingConnection
from depesche.mailroom.connections.queries import Flow
from depesche.smtpclient.config import Encryption, Password
from tests.mailroom.connections.support import CANARY, certificate, pem

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MAILBOX = {"protocol": "imap", "host": "imap.nordlicht.example", "username": "tracker"}


def errors_of(values: dict[str, Any], **more: Any) -> dict[str, list[str]]:
    with pytest.raises(InvalidSettings) as refused:
        actions.save_outgoing(values, **more)
    return refused.value.errors


def test_nothing_is_configured_at_first(db: Any) -> None:
    assert not queries.outgoing().configured
    assert not queries.incoming().configured
    assert queries.revision() == (0, 0)
    assert queries.health().flow is Flow.UNCONFIGURED
    assert reason_of_pause(queries.health())
    with pytest.raises(access.NotConfigured):
        access.smtp_config(queries.outgoing())


def test_saved_settings_come_back_and_raise_the_revision(saved: Any) -> None:
    assert queries.outgoing() == saved
    assert (saved.host, saved.port, saved.sender, saved.max_connections) == (
        "smtp.nordlicht.example",
        587,
        "system",
        10,
    )
    before = queries.revision()
    changed = actions.save_outgoing({"maxNoOfSMTPConnections": "3", "items_by_mail": "on"})
    assert (changed.max_connections, changed.items_by_mail, changed.host) == (3, True, saved.host)
    assert queries.revision()[0] > before[0]
    assert queries.health().flow is Flow.FLOWING


@pytest.mark.parametrize(
    ("encryption", "port"), [("none", 25), ("tls-if-available", 25), ("tls", 465), ("ssl", 465)]
)
def test_the_port_follows_the_encryption_until_typed(saved: Any, encryption: str, port: int) -> None:
    settings = actions.save_outgoing({"encryption": encryption, "port": ""})
    assert (settings.port, settings.port_typed) == (port, None)
    settings = actions.save_outgoing({"port": "2525"})
    assert actions.save_outgoing({"encryption": "ssl"}).port == 2525


@pytest.mark.parametrize(
    ("values", "key", "sentence"),
    [
        ({"host": "http://x"}, "host", "without http://"),
        ({"port": "0"}, "port", "from 1 to 65535"),
        ({"maxNoOfSMTPConnections": "0"}, "maxNoOfSMTPConnections", "from 1 to 500"),
        ({"maxNoOfSMTPConnections": "501"}, "maxNoOfSMTPConnections", "from 1 to 500"),
        ({"maxNoOfSMTPConnections": ""}, "maxNoOfSMTPConnections", "from 1 to 500"),
        ({"system_address": ""}, "system_address", "Enter the address"),
        ({"system_address": "tracker"}, "system_address", "with @"),
        ({"system_name": ""}, "system_name", "name"),
        ({"encryption": "starttls"}, "encryption", "starttls"),
        ({"charset": "utf-7"}, "charset", "utf-7"),
        ({"sender": "me"}, "sender", "me"),
        ({"auth": "kerberos"}, "auth", "kerberos"),
        ({"auth": "same-as-mailbox"}, "auth", "mailbox"),
        ({"auth": "mailbox-first"}, "auth", "mailbox"),
        ({"username": ""}, "username", "user name"),
        ({"items_by_mail": "perhaps"}, "items_by_mail", "on or off"),
        ({"colour": "red"}, "colour", "no such setting"),
        ({"password": "x"}, "password", "no such setting"),
    ],
)
def test_invalid_settings_are_refused_at_the_field_and_nothing_is_saved(
    saved: Any, values: dict[str, str], key: str, sentence: str
) -> None:
    errors = errors_of({"sender": "user", **values})
    assert key in errors
    assert sentence in " ".join(errors[key])
    assert queries.outgoing() == saved


def test_the_password_is_kept_replaced_and_cleared(saved: Any) -> None:
    def password() -> str:
        credentials = access.smtp_config(queries.outgoing()).credentials
        assert isinstance(credentials, Password)
        return credentials.password

    assert password() == CANARY
    actions.save_outgoing({"username": "other"}, password="")
    assert password() == CANARY
    actions.save_outgoing({}, password="new one")
    assert password() == "new one"
    actions.save_outgoing({}, clear_password=True)
    assert not queries.outgoing().has_password
    with pytest.raises(access.PasswordNeeded):
        password()
    actions.save_outgoing({"charset": "iso-8859-1"})  # other settings can still be changed
    actions.clear_outgoing_password()


def test_a_stored_password_travels_only_to_its_host(saved: Any) -> None:
    errors = errors_of({"host": "evil.example"})
    assert "smtp.nordlicht.example" in errors["password"][0]
    moved = actions.save_outgoing({"host": "evil.example", "auth": "none"})
    with pytest.raises(InvalidSettings):
        actions.save_outgoing({"auth": "password"})
    OutgoingConnection.objects.update(auth="password")  # however it came about
    with pytest.raises(access.PasswordNeeded):
        access.smtp_config(queries.outgoing())
    assert access.smtp_config(moved).credentials is None
    again = actions.save_outgoing({"auth": "password"}, password="for the new host")
    config = access.smtp_config(again)
    assert config.credentials == Password("tracker", "for the new host")
    assert "for the new host" not in repr(config)


def test_same_as_the_mailbox_asks_once_before_the_password_goes_elsewhere(saved: Any) -> None:
    actions.save_incoming(MAILBOX, password="mailbox password")
    errors = errors_of({"auth": "same-as-mailbox"})
    assert "imap.nordlicht.example" in errors["password"][0]
    wrong = errors_of({"auth": "same-as-mailbox"}, password="not it")
    assert "not the password" in wrong["password"][0]
    settings = actions.save_outgoing({"auth": "same-as-mailbox"}, password="mailbox password")
    assert access.smtp_config(settings).credentials == Password("tracker", "mailbox password")
    # Moving on, it is asked again; and the password typed for this server earlier is still its own.
    assert "password" in errors_of({"host": "evil.example"})
    own = actions.save_outgoing({"auth": "password"})
    assert access.smtp_config(own).credentials == Password("tracker", CANARY)


def test_a_password_typed_for_a_host_does_not_open_the_mailboxes_to_it(saved: Any) -> None:
    actions.save_incoming(MAILBOX, password="mailbox password")
    actions.save_outgoing({"host": "evil.example"}, password="anything")
    assert "password" in errors_of({"auth": "same-as-mailbox"})


def test_one_host_for_both_needs_no_second_typing(saved: Any) -> None:
    actions.save_incoming({**MAILBOX, "host": "smtp.nordlicht.example"}, password="mailbox password")
    settings = actions.save_outgoing({"auth": "same-as-mailbox"})
    assert access.smtp_config(settings).credentials == Password("tracker", "mailbox password")


def test_mailbox_first_needs_no_login_at_the_smtp_server(saved: Any) -> None:
    actions.save_incoming(MAILBOX, password="mailbox password")
    settings = actions.save_outgoing({"auth": "mailbox-first"})
    config = access.smtp_config(settings)
    assert config.credentials is None
    assert config.encryption is Encryption.TLS


@pytest.mark.parametrize(
    ("protocol", "encryption", "port"),
    [
        ("imap", "ssl", 993),
        ("imap", "tls", 143),
        ("imap", "none", 143),
        ("pop3", "ssl", 995),
        ("pop3", "tls-if-available", 110),
    ],
)
def test_the_mailbox_port_follows_protocol_and_encryption(
    db: Any, protocol: str, encryption: str, port: int
) -> None:
    values = {**MAILBOX, "protocol": protocol, "encryption": encryption}
    settings = actions.save_incoming(values, password=CANARY)
    assert settings.port == port
    assert queries.answers_reach_us()
    config = access.mailbox_config(settings)
    assert (config.port, config.password) == (port, CANARY)
    assert CANARY not in repr(config)


def test_a_mailbox_needs_server_name_and_password(db: Any) -> None:
    with pytest.raises(InvalidSettings) as refused:
        actions.save_incoming({"protocol": "imap"})
    assert set(refused.value.errors) == {"host", "username"}
    with pytest.raises(InvalidSettings) as refused:
        actions.save_incoming(MAILBOX)
    assert set(refused.value.errors) == {"password"}
    assert not IncomingMailbox.objects.exists()


def test_a_moved_mailbox_asks_for_its_password_again(db: Any) -> None:
    actions.save_incoming(MAILBOX, password=CANARY)
    with pytest.raises(InvalidSettings) as refused:
        actions.save_incoming({"host": "other.example"})
    assert set(refused.value.errors) == {"password"}
    IncomingMailbox.objects.update(host="other.example")
    with pytest.raises(access.PasswordNeeded):
        access.mailbox_config(queries.incoming())


def test_a_pipe_needs_nothing(db: Any) -> None:
    settings = actions.save_incoming({"protocol": "pipe"})
    assert settings.configured
    assert not settings.is_mailbox
    assert queries.answers_reach_us()
    actions.save_incoming({"protocol": ""})
    assert not queries.answers_reach_us()


def test_plus_addressing_waits_for_proof(db: Any) -> None:
    actions.save_incoming({"protocol": "pipe"})
    assert not queries.plus_addressing_in_use()
    before = queries.revision()
    actions.note_tagged_address_seen(NOW)
    actions.note_tagged_address_seen(NOW)
    assert queries.plus_addressing_in_use()
    assert queries.revision()[1] == before[1] + 1
    actions.save_incoming({"plus_addressing": "off"})
    assert not queries.plus_addressing_in_use()
    actions.save_incoming(MAILBOX, password="x")  # another way in: it proves nothing for this one
    actions.save_incoming({"plus_addressing": "auto"})
    assert not queries.plus_addressing_in_use()
    actions.save_incoming({"plus_addressing": "on"})
    assert queries.plus_addressing_in_use()


def rest(place: int) -> None:
    health_actions.pause(place, cause="auth-refused", next_probe_at=None, now=NOW)


def test_the_mailbox_of_the_system_address_wakes_every_connection_that_may_log_in_with_it(saved: Any) -> None:
    actions.save_outgoing({"host": "second.example.org", "auth": "none"}, place=1)
    for place in (0, 1):
        rest(place)
    before = queries.outgoing(0).revision, queries.outgoing(1).revision
    actions.save_incoming({"plus_addressing": "on"})
    assert [queries.health(place).flow for place in (0, 1)] == [Flow.FLOWING, Flow.FLOWING]
    assert queries.outgoing(0).revision > before[0]
    assert queries.outgoing(1).revision > before[1]


def test_a_further_mailbox_concerns_no_connection(saved: Any) -> None:
    actions.save_outgoing({"host": "second.example.org", "auth": "none"}, place=1)
    actions.save_incoming({"plus_addressing": "on"})
    for place in (0, 1):
        rest(place)
    actions.save_incoming({"name": "Purchase"}, place=1)
    assert [queries.health(place).flow for place in (0, 1)] == [Flow.PAUSED, Flow.PAUSED]


def test_a_pause_shows_its_reason_until_something_changes(saved: Any) -> None:
    health_actions.pause(
        0, cause="auth-refused", stage="auth", reply="535 5.7.8 no", next_probe_at=NOW, now=NOW
    )
    health_actions.pause(
        0, cause="auth-refused", stage="auth", reply="535 5.7.8 no", next_probe_at=NOW, now=NOW
    )
    health = queries.health()
    assert (health.flow, health.probes, health.since, health.reply) == (Flow.PAUSED, 1, NOW, "535 5.7.8 no")
    assert reason_of_pause(health)
    health_actions.resume(0, now=NOW)
    assert queries.health().flow is Flow.FLOWING
    health_actions.pause(0, cause="auth-refused", next_probe_at=None, now=NOW)
    actions.save_outgoing({}, password="right")
    assert queries.health().flow is Flow.FLOWING


def test_what_failed_with_other_settings_is_no_reason_to_rest(saved: Any) -> None:
    before = queries.outgoing().revision
    actions.save_outgoing({}, password="right")
    fault = {"cause": "auth-refused", "next_probe_at": None, "now": NOW}
    assert not health_actions.pause(0, revision=before, **fault)
    assert queries.health().flow is Flow.FLOWING
    assert health_actions.pause(0, revision=queries.outgoing().revision, **fault)
    assert queries.health().flow is Flow.PAUSED


def test_the_cap_shrinks_and_grows_back(saved: Any) -> None:
    health_actions.set_effective_cap(0, 2)
    assert queries.health().effective_cap == 2
    actions.save_outgoing({"maxNoOfSMTPConnections": "1"})
    assert queries.health().effective_cap == 1
    health_actions.set_effective_cap(0, None)
    assert queries.health().effective_cap == 1
    health_actions.note_accepted(0, now=NOW)
    assert queries.health().last_accepted_at == NOW


def test_health_of_nothing_is_no_mistake(db: Any) -> None:
    health_actions.pause(0, cause="x", next_probe_at=None, now=NOW)
    health_actions.set_effective_cap(0, 3)
    health_actions.note_accepted(0, now=NOW)
    health_actions.resume(0, now=NOW)
    assert queries.health().flow is Flow.UNCONFIGURED


ROOT = certificate("Root", authority=True)
OWN = certificate("mail.lan", names=("mail.lan",), authority=True)
LEAF = certificate("leaf.lan", names=("leaf.lan",), authority=False)


def test_the_keystore_trusts_each_server_what_was_given_for_it(saved: Any) -> None:
    before = queries.revision()
    actions.import_certificates(pem(ROOT) + pem(LEAF))
    actions.import_certificates(pem(OWN))
    (pin,) = actions.import_certificates(pem(LEAF), host="pinned.lan", port=465)
    assert queries.revision()[0] == before[0] + 3
    anywhere = access.smtp_config(queries.outgoing()).trust
    assert len(anywhere.ca_pems) == 1
    assert len(anywhere.leaf_pems) == 1  # not the own certificate marked as an authority: it is mail.lan's
    assert anywhere.pins == ()
    from depesche.mailroom.connections.keystore import trust_for

    assert len(trust_for("mail.lan", 25).leaf_pems) == 2
    assert trust_for("pinned.lan", 465).pins == (pin.sha256,)
    assert trust_for("PINNED.lan", 465).pins == (pin.sha256,)
    assert trust_for("pinned.lan", 587).pins == ()
    assert [row.kind for row in queries.keystore()] == ["ca", "leaf", "leaf", "pin"]


def test_importing_twice_is_once_and_removal_works_at_once(saved: Any) -> None:
    (first,) = actions.import_certificates(pem(ROOT))
    (second,) = actions.import_certificates(pem(ROOT))
    assert first.id == second.id
    before = queries.revision()
    assert actions.remove_certificate(first.id)
    assert not actions.remove_certificate(first.id)
    assert queries.revision()[0] == before[0] + 1
    assert queries.keystore() == []


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("cause", [*ENTRIES, "something-new", ""])
def test_every_reason_of_a_pause_is_a_whole_sentence(saved: Any, cause: str, language: str) -> None:
    health_actions.pause(0, cause=cause, stage="x", reply="550 its words", next_probe_at=None, now=NOW)
    with translation.override(language):
        reason = reason_of_pause(queries.health())
    assert reason.endswith(".")
    for hole in ("  ", " .", " ,", "“”", "„“", "%(", "()"):
        assert hole not in reason


def test_what_is_missing_is_said_in_the_readers_language(saved: Any) -> None:
    actions.clear_outgoing_password()
    health_actions.pause(0, cause="not-configured", reply="worker's words", next_probe_at=None, now=NOW)
    with translation.override("de"):
        assert "kein Kennwort" in reason_of_pause(queries.health())


@pytest.mark.parametrize(("typed", "stored"), [(" MX.Example.org ", "mx.example.org"), ("-", "-"), ("", "")])
def test_the_server_whose_check_counts(db: Any, typed: str, stored: str) -> None:
    assert queries.incoming().trusted_authserv_id == ""
    saved = actions.save_incoming({"protocol": "pipe", "trusted_authserv_id": typed})
    assert saved.trusted_authserv_id == stored
    with pytest.raises(actions.InvalidSettings):
        actions.save_incoming({"trusted_authserv_id": "mx; dmarc=pass"})
