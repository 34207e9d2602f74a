"""The eleven steps against servers that fail at a named one."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any

import pytest
import trustme

from depesche.mailroom.connections import actions, queries
from depesche.mailroom.connections.diagnosis import arrival, reaching
from depesche.mailroom.connections.diagnosis.plan import learn, plan_test
from depesche.mailroom.connections.diagnosis.running import run
from depesche.mailroom.connections.diagnosis.steps import Outcome, Step, flows
from depesche.mailroom.connections.queries import OutgoingSettings
from depesche.mailroom.mailboxes import MailboxError, MailboxStage
from depesche.smtpclient.errors import Cause
from depesche.smtpclient.testing import CUT, HANG, NOISE, Behaviour, FakeServer, in_thread
from tests.mailroom.connections.support import CANARY

NAMES = [
    "resolve",
    "connect",
    "greeting",
    "capabilities",
    "tls",
    "login",
    "mail-from-system",
    "mail-from-user",
    "recipient",
    "content",
    "arrival",
]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


def serving(behaviour: Behaviour, **more: Any) -> AbstractContextManager[FakeServer]:
    return in_thread(FakeServer(behaviour, **more))


def settings_for(server: FakeServer, **more: Any) -> OutgoingSettings:
    defaults: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": server.port,
        "encryption": "none",
        "system_address": "tracker@nordlicht.example",
        "system_name": "Nordlicht Tracker",
    }
    return OutgoingSettings(**(defaults | more))


def walked(settings: OutgoingSettings, **more: Any) -> dict[str, Step]:
    more.setdefault("to", "jana@nordlicht.example")
    more.setdefault("user_address", "jana@nordlicht.example")
    more.setdefault("seconds", 20.0)
    plan = plan_test(settings, **more)
    return {step.name.value: step for step in run(plan)}


def test_a_server_that_works(db: Any) -> None:
    with serving(Behaviour()) as server:
        steps = walked(settings_for(server))
    assert list(steps) == NAMES
    assert {name: step.outcome for name, step in steps.items() if step.outcome is not Outcome.OK} == {
        "tls": Outcome.SKIPPED,
        "login": Outcome.SKIPPED,
        "arrival": Outcome.SKIPPED,
    }
    assert flows(steps.values())
    of_user, mail = server.messages
    assert (of_user.reverse_path, of_user.recipients) == (
        "tracker@nordlicht.example",
        ["jana@nordlicht.example"],
    )
    assert message_from_bytes(of_user.content, policy=policy.default)["From"] == "jana@nordlicht.example"
    assert (mail.reverse_path, mail.recipients) == ("tracker@nordlicht.example", ["jana@nordlicht.example"])
    parsed = message_from_bytes(mail.content, policy=policy.default)
    assert parsed["From"] == "Nordlicht Tracker <tracker@nordlicht.example>"
    assert parsed["To"] == "jana@nordlicht.example"
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert "Nordlicht Tracker" in parsed["Subject"]
    assert any("EHLO" in line for line in steps["capabilities"].transcript)
    assert all(step.ms is not None for step in steps.values() if step.outcome is Outcome.OK)


@pytest.mark.parametrize(
    ("behaviour", "stops_at", "code"),
    [
        (Behaviour(faults={"greeting": "554 5.7.1 go away"}), "greeting", "greeting-refused"),
        (
            Behaviour(faults={"greeting": "421 4.3.2 too many connections from you"}),
            "greeting",
            "too-many-connections",
        ),
        (Behaviour(faults={"greeting": "421 4.3.0 closed"}), "greeting", "service-closing"),
        (Behaviour(faults={"greeting": "554 5.7.1 listed at zen.spamhaus.org"}), "greeting", "blocklisted"),
        (Behaviour(faults={"greeting": NOISE}), "greeting", "not-smtp"),
        (Behaviour(faults={"greeting": CUT}), "greeting", "connection-lost"),
        (Behaviour(faults={"ehlo": "550 who are you", "helo": "550 no"}), "capabilities", "ehlo-refused"),
        (
            Behaviour(faults={"mail": "530 5.7.0 Authentication required"}),
            "mail-from-system",
            "auth-required",
        ),
        (Behaviour(faults={"mail": "553 5.7.1 not owned by user"}), "mail-from-system", "sender-not-owned"),
        (Behaviour(faults={"rcpt": "554 5.7.1 Relay access denied"}), "recipient", "relay-denied"),
        (Behaviour(faults={"rcpt": "550 5.1.1 User unknown"}), "recipient", "recipient-unknown"),
        (Behaviour(faults={"rcpt": "451 4.7.1 Greylisted, come back"}), "recipient", "greylisted"),
        (Behaviour(faults={"rcpt": CUT}), "recipient", "connection-lost"),
        (Behaviour(faults={"content": "554 5.7.1 this is spam"}), "content", "spam"),
        (Behaviour(faults={"content": "554 5.2.252 SendAsDenied"}), "content", "header-from-refused"),
        (Behaviour(faults={"data": "451 4.3.0 trouble"}), "content", "server-trouble"),
        (Behaviour(faults={"after-content": CUT}), "content", "uncertain"),
        (Behaviour(extensions=("SIZE 300",)), "content", "too-large"),
    ],
)
def test_a_failure_names_its_step_and_cause_and_nothing_after_it_is_tried(
    db: Any, behaviour: Behaviour, stops_at: str, code: str
) -> None:
    with serving(behaviour) as server:
        steps = walked(settings_for(server))
    assert list(steps) == NAMES
    failed = [name for name, step in steps.items() if step.outcome is Outcome.FAILED]
    assert failed == [stops_at]
    cause = steps[stops_at].cause
    assert cause is not None
    assert cause.code == code
    after = NAMES[NAMES.index(stops_at) + 1 :]
    assert all(steps[name].outcome is Outcome.SKIPPED for name in after)
    assert not flows(steps.values())


def test_nothing_listens(db: Any) -> None:
    with serving(Behaviour()) as server:
        settings = settings_for(server)
    steps = walked(settings)
    assert steps["resolve"].outcome is Outcome.OK
    assert steps["connect"].cause is not None
    assert steps["connect"].cause.code == "refused"


def test_no_such_name(db: Any) -> None:
    with serving(Behaviour()) as server:
        steps = walked(settings_for(server, host="no-such-host.invalid"))
    assert steps["resolve"].cause is not None
    assert steps["resolve"].cause.code in ("name-not-found", "name-lookup-failed")


def test_a_server_that_hangs_is_left_in_time(db: Any) -> None:
    with serving(Behaviour(faults={"ehlo": HANG})) as server:
        steps = walked(settings_for(server), seconds=0.2)
    assert steps["capabilities"].cause is not None
    assert steps["capabilities"].cause.code == "silent"
    assert "127.0.0.1" in steps["capabilities"].cause.sentence


JANA = "jana@nordlicht.example"


def test_the_user_may_be_refused_where_only_the_system_sends(db: Any) -> None:
    behaviour = Behaviour(
        authors={JANA: "550 5.7.60 Client does not have permissions to send as this sender"}
    )
    with serving(behaviour) as server:
        steps = walked(settings_for(server))
        step = steps["mail-from-user"]
        assert (step.outcome, step.result) == (Outcome.HINT, "failed")
        assert flows(steps.values())
        steps = walked(settings_for(server, sender="user"))
        step = steps["mail-from-user"]
        assert (step.outcome, step.result) == (Outcome.FAILED, "failed")
        assert step.cause is not None
        assert step.cause.code == "header-from-refused"
        assert step.cause.change == {"sender": "system"}
        assert steps["content"].outcome is Outcome.OK
        assert not flows(steps.values())
    assert len(server.messages) == 2


NOT_OWNED = Behaviour(senders={JANA: "553 5.7.1 not owned by user tracker"})


def test_an_envelope_that_is_refused_does_no_harm_where_the_mail_itself_is_taken(db: Any) -> None:
    """The return path is the system address whoever wrote."""
    with serving(NOT_OWNED) as server:
        steps = walked(settings_for(server, sender="user"))
    step = steps["mail-from-user"]
    assert (step.outcome, step.result) == (Outcome.HINT, "failed")
    assert step.cause is not None
    assert step.cause.code == "sender-not-owned"
    assert step.cause.change is None
    assert "whole mail" in step.cause.remedy
    assert flows(steps.values())
    assert len(server.messages) == 2


def test_one_mail_will_do_where_the_envelope_tells_and_nobody_writes_as_themselves(db: Any) -> None:
    with serving(NOT_OWNED) as server:
        steps = walked(settings_for(server, sender="system"))
    step = steps["mail-from-user"]
    assert (step.outcome, step.result) == (Outcome.HINT, "failed")
    assert step.cause is not None
    assert (step.cause.code, step.cause.change) == ("sender-not-owned", None)
    assert "System" in step.cause.remedy
    assert flows(steps.values())
    assert [message_from_bytes(one.content)["From"] for one in server.messages] == [
        "Nordlicht Tracker <tracker@nordlicht.example>"
    ]


def test_words_that_do_not_speak_of_the_sender_do_not_tell(db: Any) -> None:
    with serving(Behaviour(senders={JANA: "451 4.3.0 later"})) as server:
        walked(settings_for(server, sender="system"))
    assert len(server.messages) == 2


@pytest.mark.parametrize("act", ["554 5.7.1 no", "451 4.3.0 later", CUT, "421 4.3.0 closing"])
def test_a_mail_from_the_user_is_refused_in_words_that_do_not_say_why(db: Any, act: Any) -> None:
    """Beside the system's mail, which passes, the From must be the reason, whatever the server said."""
    with serving(Behaviour(authors={JANA: act})) as server:
        steps = walked(settings_for(server, sender="user"))
    step = steps["mail-from-user"]
    assert step.outcome is Outcome.FAILED
    assert step.cause is not None
    assert step.cause.change == {"sender": "system"}
    assert steps["content"].outcome is Outcome.OK
    assert [message_from_bytes(one.content)["To"] for one in server.messages] == [JANA]


def test_the_second_mail_reaches_nobody_but_the_person_who_tests(db: Any) -> None:
    with serving(Behaviour()) as server:
        walked(settings_for(server), to="somebody.else@example.org")
        assert [one.recipients for one in server.messages] == [[JANA], ["somebody.else@example.org"]]
        server.messages.clear()
    with serving(Behaviour(recipients={JANA: "554 5.7.1 Relay access denied"})) as server:
        steps = walked(settings_for(server), to="somebody.else@example.org")
        assert [one.recipients for one in server.messages] == [["somebody.else@example.org"]]
        assert steps["mail-from-user"].outcome is Outcome.OK
        assert "whole" not in steps["mail-from-user"].fact
        server.messages.clear()
        # Where mails From persons do go out, it has to be known.
        walked(settings_for(server, sender="user"), to="somebody.else@example.org")
        assert [one.recipients for one in server.messages] == [["somebody.else@example.org"]] * 2


# --- encryption ---------------------------------------------------------------------------------------------


def test_a_private_authority_is_refused_and_trusted_once_imported(
    db: Any, authority: trustme.CA, server_context: ssl.SSLContext
) -> None:
    with serving(Behaviour(starttls=True), context=server_context) as server:
        settings = settings_for(server, encryption="tls")
        steps = walked(settings)
        assert steps["tls"].cause is not None
        assert steps["tls"].cause.code == "cert-unknown-ca"
        assert server.messages == []
        actions.import_certificates(authority.cert_pem.bytes())
        steps = walked(settings)
        assert steps["tls"].outcome is Outcome.OK
        assert "TLS 1.3" in steps["tls"].fact
        assert any(line.startswith("sha256") for line in steps["tls"].transcript)
        assert server.messages[0].encrypted
        steps = walked(replace(settings, host="localhost"))
        assert flows(steps.values())


def test_with_ssl_tls_comes_before_the_greeting(
    db: Any, authority: trustme.CA, server_context: ssl.SSLContext
) -> None:
    actions.import_certificates(authority.cert_pem.bytes())
    with serving(Behaviour(), context=server_context, implicit_tls=True) as server:
        steps = walked(settings_for(server, encryption="ssl"))
    assert list(steps)[:5] == ["resolve", "connect", "tls", "greeting", "capabilities"]
    assert flows(steps.values())


@pytest.mark.parametrize("encryption", ["tls", "none", "tls-if-available"])
def test_plain_words_to_a_port_that_wants_tls(
    db: Any, server_context: ssl.SSLContext, encryption: str
) -> None:
    with serving(Behaviour(), context=server_context, implicit_tls=True) as server:
        steps = walked(settings_for(server, encryption=encryption), seconds=1.0)
    assert steps["greeting"].cause is not None
    assert steps["greeting"].cause.code == "tls-on-plain-port"
    assert steps["greeting"].cause.change == {"encryption": "ssl", "port": str(server.port)}


def test_tls_to_a_port_that_speaks_plain(db: Any) -> None:
    with serving(Behaviour()) as server:
        steps = walked(settings_for(server, encryption="ssl"))
        assert steps["tls"].cause is not None
        assert steps["tls"].cause.code == "plain-on-tls-port"
        steps = walked(settings_for(server, encryption="tls"))
        assert steps["tls"].cause is not None
        assert steps["tls"].cause.code == "starttls-not-offered"
        steps = walked(settings_for(server, encryption="tls-if-available"))
        assert steps["tls"].outcome is Outcome.SKIPPED
        assert flows(steps.values())


def test_words_injected_before_tls_end_the_test(db: Any, server_context: ssl.SSLContext) -> None:
    behaviour = Behaviour(starttls=True, after_starttls=b"250 evil\r\n")
    with serving(behaviour, context=server_context) as server:
        steps = walked(settings_for(server, encryption="tls"))
    assert steps["tls"].cause is not None
    assert steps["tls"].cause.code == "injected-before-tls"


# --- login --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN"])
def test_a_login_works_and_its_password_is_in_no_transcript(db: Any, mechanism: str) -> None:
    behaviour = Behaviour(mechanisms=(mechanism,), users={"tracker": CANARY}, login_required=True)
    with serving(behaviour) as server:
        steps = walked(
            settings_for(server, auth="password", username="tracker", allow_clear_password=True),
            password=CANARY,
        )
    assert flows(steps.values())
    assert mechanism in steps["login"].fact
    assert server.messages[0].user == "tracker"
    assert CANARY not in repr(steps)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("535 5.7.8 authentication failed", "auth-refused"),
        ("534 5.7.9 Application-specific password required", "app-password-needed"),
        ("535 5.7.139 basic authentication is disabled", "basic-auth-disabled"),
        ("535 5.7.0 account locked", "account-locked"),
        ("454 4.7.0 Temporary authentication failure", "auth-temporary"),
    ],
)
def test_a_refused_login_says_why(db: Any, reply: str, code: str) -> None:
    behaviour = Behaviour(mechanisms=("PLAIN",), faults={"auth": f"{reply} {CANARY}"})
    with serving(behaviour) as server:
        settings = settings_for(server, auth="password", username="tracker", allow_clear_password=True)
        steps = walked(settings, password=CANARY)
    cause = steps["login"].cause
    assert cause is not None
    assert cause.code == code
    assert CANARY not in repr(steps)
    if code == "auth-refused":
        assert cause.change == {"username": "tracker@nordlicht.example"}


def test_no_password_in_the_clear_without_permission(db: Any) -> None:
    behaviour = Behaviour(mechanisms=("PLAIN", "LOGIN"), users={"tracker": CANARY})
    with serving(behaviour) as server:
        steps = walked(settings_for(server, auth="password", username="tracker"), password=CANARY)
    assert steps["login"].cause is not None
    assert steps["login"].cause.code == "clear-password-forbidden"
    assert not any("AUTH" in command for one in server.connections for command in one.commands)


def test_a_missing_password_shows_at_the_login(db: Any) -> None:
    with serving(Behaviour()) as server:
        steps = walked(settings_for(server, auth="password", username="tracker"))
    assert steps["capabilities"].outcome is Outcome.OK
    assert steps["login"].cause is not None
    assert steps["login"].cause.code == "password-needed"


class EmptyMailbox:
    def __enter__(self) -> EmptyMailbox:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def new_mails(self, cursor: object) -> list[Any]:
        return []


# --- mailbox ------------------------------------------------------------------------------------------------


@pytest.fixture
def mailbox(db: Any) -> Any:
    return actions.save_incoming(
        {"protocol": "pop3", "host": "pop.nordlicht.example", "username": "tracker"}, password=CANARY
    )


def test_the_mailbox_comes_first_where_it_is_wanted(mailbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr(reaching, "login_only", lambda config: order.append(f"mailbox {config.host}"))
    monkeypatch.setattr(arrival, "wait_for", lambda *_args, **_more: arrival.Arrival(arrived=True))

    def decide(stage: str, *_rest: object) -> None:
        order.append(stage)

    with serving(Behaviour(decide=decide)) as server:
        steps = walked(settings_for(server, auth="mailbox-first"))
    assert order[:2] == ["mailbox pop.nordlicht.example", "greeting"]
    assert steps["login"].outcome is Outcome.OK
    assert "pop.nordlicht.example" in steps["login"].fact


def test_a_mailbox_that_refuses_is_the_cause(mailbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(config: Any) -> None:
        raise MailboxError(MailboxStage.LOGIN, Cause.AUTH_REFUSED, reply="-ERR no")

    monkeypatch.setattr(reaching, "login_only", refuse)
    with serving(Behaviour()) as server:
        steps = walked(settings_for(server, auth="mailbox-first"))
    cause = steps["login"].cause
    assert cause is not None
    assert cause.code == "mailbox-login"
    assert "-ERR no" in cause.sentence
    assert steps["content"].outcome is Outcome.SKIPPED


def test_arrival_is_watched_in_the_mailbox(mailbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrival, "open_mailbox", lambda config: EmptyMailbox())
    actions.save_incoming({"plus_addressing": "off"})
    with serving(Behaviour()) as server:
        monkeypatch.setattr(
            arrival, "_fetched_already", lambda message_id: [one.content for one in server.messages]
        )
        steps = walked(settings_for(server))
    assert steps["arrival"].outcome is Outcome.OK
    assert [one.recipients for one in server.messages] == [
        ["tracker@nordlicht.example"],  # the mail From the person: read by nobody
        ["jana@nordlicht.example", "tracker@nordlicht.example"],
    ]
    assert not steps["arrival"].proves_tags


def test_a_copy_to_a_tagged_address_proves_that_tags_arrive(
    mailbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrival, "open_mailbox", lambda config: EmptyMailbox())
    with serving(Behaviour()) as server:

        def copies(message_id: str) -> list[bytes]:
            return [
                b"Delivered-To: " + address.encode() + b"\r\n" + one.content
                for one in server.messages
                for address in one.recipients[1:]
            ]

        monkeypatch.setattr(arrival, "_fetched_already", copies)
        plan = plan_test(settings_for(server), to="jana@nordlicht.example")
        steps = list(run(plan))
    assert server.messages[-1].recipients[2] == plan.tagged_address
    assert plan.tagged_address.startswith("tracker+test-")
    assert steps[-1].proves_tags
    assert Step.restored(steps[-1].stored()) == steps[-1]
    assert not queries.plus_addressing_in_use()
    learn(plan, steps, now=datetime(2026, 11, 23, tzinfo=UTC))
    assert queries.plus_addressing_in_use()
    assert plan_test(settings_for(server), to="jana@nordlicht.example").tagged_address == ""


def test_a_system_address_without_mailbox_shows(mailbox: Any) -> None:
    behaviour = Behaviour(recipients={"tracker@nordlicht.example": "550 5.1.1 unknown"})
    with serving(behaviour) as server:
        steps = walked(settings_for(server))
    assert steps["content"].outcome is Outcome.OK
    assert steps["arrival"].cause is not None
    assert steps["arrival"].cause.code == "mailbox-not-addressed"


def test_a_mail_that_does_not_arrive(mailbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrival, "wait_for", lambda *_args, **_more: arrival.Arrival())
    with serving(Behaviour()) as server:
        steps = walked(settings_for(server))
    assert steps["arrival"].cause is not None
    assert steps["arrival"].cause.code == "not-arrived"


def test_a_pipe_cannot_be_watched(db: Any) -> None:
    actions.save_incoming({"protocol": "pipe"})
    with serving(Behaviour()) as server:
        steps = walked(settings_for(server))
    assert steps["arrival"].outcome is Outcome.SKIPPED
    assert "pipe" in steps["arrival"].fact


# --- running ------------------------------------------------------------------------------------------------


def test_a_test_can_be_stopped_at_any_step(db: Any) -> None:
    stop = threading.Event()
    with serving(Behaviour(faults={"mail": HANG})) as server:
        plan = plan_test(settings_for(server), to="jana@nordlicht.example", user_address="", seconds=60)

        def started(name: Any) -> None:
            if name.value == "mail-from-system":
                stop.set()

        steps = {step.name.value: step for step in run(plan, started=started, stop=stop)}
    assert list(steps) == NAMES
    assert steps["mail-from-system"].cause is not None
    assert steps["mail-from-system"].cause.code == "aborted"
    assert steps["content"].outcome is Outcome.SKIPPED


def test_closing_the_iterator_ends_the_thread(db: Any) -> None:
    with serving(Behaviour(faults={"ehlo": HANG})) as server:
        plan = plan_test(settings_for(server), to="jana@nordlicht.example", seconds=60)
        steps: Iterator[Step] = run(plan)
        next(steps)
        steps.close()  # type: ignore[attr-defined]  # run is a generator
    assert not [thread for thread in threading.enumerate() if thread.name == "depesche-test"]


def test_steps_survive_the_database(db: Any) -> None:
    with serving(Behaviour(faults={"mail": "530 5.7.0 Must issue a STARTTLS command first"})) as server:
        steps = walked(settings_for(server))
    for step in steps.values():
        assert Step.restored(step.stored()) == step
    assert queries.outgoing().host == ""


def test_german_people_read_german(db: Any) -> None:
    from django.utils import translation

    with (
        serving(Behaviour(faults={"rcpt": "550 5.1.1 User unknown"})) as server,
        translation.override("de"),
    ):
        steps = walked(settings_for(server))
    assert steps["recipient"].cause is not None
    assert steps["recipient"].cause.title == "Den Empfänger gibt es nicht"
