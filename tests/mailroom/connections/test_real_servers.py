"""The test of a connection against a real Postfix and a real Dovecot."""

from __future__ import annotations

from typing import Any

import pytest

from depesche.mailroom.connections import access, actions
from depesche.mailroom.connections.diagnosis.mailbox import run_mailbox
from depesche.mailroom.connections.diagnosis.plan import plan_test
from depesche.mailroom.connections.diagnosis.running import run
from depesche.mailroom.connections.diagnosis.steps import Outcome, Step, StepName, flows
from depesche.mailroom.connections.fetch import fetch
from depesche.mailroom.connections.queries import OutgoingSettings
from depesche.smtpclient.config import Trust
from depesche.smtpclient.errors import Cause
from tests.support.mail_host import MailHost

pytestmark = pytest.mark.journey


def settings_for(port: int, **more: Any) -> OutgoingSettings:
    values: dict[str, Any] = {
        "host": "localhost",
        "port": port,
        "encryption": "tls",
        "system_address": "tracker@example.org",
        "system_name": "Tracker",
        **more,
    }
    return OutgoingSettings(**values)


def walked(settings: OutgoingSettings, **more: Any) -> dict[str, Step]:
    more = {"to": "alice@example.org", "user_address": "alice@example.org", **more}
    return {step.name.value: step for step in run(plan_test(settings, **more))}


@pytest.fixture
def trusted(db: Any, mail_host: MailHost) -> MailHost:
    actions.import_certificates(mail_host.ca_pem.read_bytes())
    return mail_host


def test_a_private_authority_has_to_be_imported(db: Any, mail_host: MailHost) -> None:
    settings = settings_for(mail_host.postfix.port_starttls)
    cause = walked(settings)["tls"].cause
    assert cause is not None
    assert cause.code == "cert-unknown-ca"
    actions.import_certificates(mail_host.ca_pem.read_bytes())
    assert flows(walked(settings).values())
    assert mail_host.maildir("alice").wait_for_subject("Test mail")["From"] == "Tracker <tracker@example.org>"


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_all_steps_are_green_with_arrival(trusted: MailHost, protocol: str) -> None:
    dovecot, postfix = trusted.dovecot, trusted.postfix
    actions.save_incoming(
        {
            "protocol": protocol,
            "host": "localhost",
            "port": str(dovecot.port_imaps if protocol == "imap" else dovecot.port_pop3s),
            "encryption": "ssl",
            "username": "tracker",
        },
        password=trusted.password("tracker"),
    )
    settings = settings_for(postfix.port_login, auth="password", username="tracker")
    steps = walked(settings, password=trusted.password("tracker"))
    assert {name: step.outcome for name, step in steps.items() if step.outcome is not Outcome.OK} == {}
    assert "SCRAM-SHA-256" in steps["login"].fact
    trusted.maildir("alice").wait_for_subject("Test mail")
    # One to a tagged address, one From the person who tests; looking took none away.
    assert len(trusted.maildir("tracker").mails()) == 3
    assert len(trusted.maildir("alice").mails()) == 1
    assert steps["arrival"].proves_tags
    assert trusted.password("tracker") not in repr(steps)


def test_ssl_from_the_first_byte(trusted: MailHost) -> None:
    steps = walked(settings_for(trusted.postfix.port_tls, encryption="ssl"))
    assert flows(steps.values())
    assert list(steps)[2] == "tls"


def test_a_wrong_password(trusted: MailHost) -> None:
    settings = settings_for(trusted.postfix.port_login, auth="password", username="tracker")
    cause = walked(settings, password="not-it-at-all")["login"].cause
    assert cause is not None
    assert cause.code == "auth-refused"


def test_a_missing_login(trusted: MailHost) -> None:
    steps = walked(settings_for(trusted.postfix.port_login))
    failed = [step for step in steps.values() if step.outcome is Outcome.FAILED]
    assert len(failed) == 1
    assert failed[0].cause is not None
    assert failed[0].name.value in ("mail-from-system", "recipient")


def test_relaying_and_unknown_recipients(trusted: MailHost) -> None:
    settings = settings_for(trusted.postfix.port_starttls)
    cause = walked(settings, to="elsewhere@example.net")["recipient"].cause
    assert cause is not None
    assert cause.code == "relay-denied"
    cause = walked(settings, to="nobody@example.org")["recipient"].cause
    assert cause is not None
    assert cause.code == "recipient-unknown"


def test_a_server_that_lets_everybody_send_as_themselves_only(trusted: MailHost) -> None:
    settings = settings_for(trusted.postfix.port_own_sender, auth="password", username="tracker")
    steps = walked(settings, password=trusted.password("tracker"))
    step = steps["mail-from-user"]
    assert (step.outcome, step.result) == (Outcome.HINT, "failed")
    assert step.cause is not None
    assert step.cause.code == "sender-not-owned"
    assert flows(steps.values())
    wrong = settings_for(
        trusted.postfix.port_own_sender,
        auth="password",
        username="tracker",
        system_address="bob@example.org",
    )
    cause = walked(wrong, password=trusted.password("tracker"))["mail-from-system"].cause
    assert cause is not None
    assert cause.code == "sender-not-owned"


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
@pytest.mark.parametrize("encryption", ["ssl", "tls", "tls-if-available", "none"])
def test_the_mailbox_in_every_encryption(trusted: MailHost, protocol: str, encryption: str) -> None:
    dovecot = trusted.dovecot
    ports = {
        "imap": (dovecot.port_imap, dovecot.port_imaps),
        "pop3": (dovecot.port_pop3, dovecot.port_pop3s),
    }
    settings = actions.save_incoming(
        {
            "protocol": protocol,
            "host": "localhost",
            "port": str(ports[protocol][encryption == "ssl"]),
            "encryption": encryption,
            "username": "tracker",
            "allow_clear_password": "on",
        },
        password=trusted.password("tracker"),
    )
    steps = list(run_mailbox(access.mailbox_config(settings)))
    assert [step.outcome for step in steps if step.outcome is not Outcome.SKIPPED]
    assert not [step for step in steps if step.outcome is Outcome.FAILED]
    refused = {step.name: step for step in run_mailbox(access.mailbox_config(settings, password="wrong"))}
    cause = refused[StepName.LOGIN].cause
    assert cause is not None
    assert cause.code == "auth-refused"


@pytest.mark.parametrize("protocol", ["smtp", "imap", "pop3"])
def test_certificates_are_fetched_from_each_protocol(db: Any, mail_host: MailHost, protocol: Any) -> None:
    dovecot, postfix = mail_host.dovecot, mail_host.postfix
    in_clear, from_the_start = {
        "smtp": (postfix.port_starttls, postfix.port_tls),
        "imap": (dovecot.port_imap, dovecot.port_imaps),
        "pop3": (dovecot.port_pop3, dovecot.port_pop3s),
    }[protocol]
    for port, starttls in ((in_clear, protocol), (from_the_start, None)):
        found = fetch("localhost", port, starttls=starttls, trust=Trust())
        assert found.problem is Cause.CERT_UNKNOWN_CA
        assert "localhost" in found.chain[0].names
