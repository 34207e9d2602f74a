"""What one click may apply, and what it must never (decision 131)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.mailroom.connections.choices import Auth, EncryptionMode
from depesche.mailroom.connections.diagnosis import probe
from depesche.mailroom.connections.diagnosis.causes import ENTRIES
from depesche.mailroom.connections.diagnosis.plan import plan_test
from depesche.mailroom.connections.diagnosis.remedies import SHOWN, Situation, change_for, mailbox_change
from depesche.mailroom.connections.diagnosis.running import run
from depesche.mailroom.connections.forms import CAP
from depesche.mailroom.connections.queries import OutgoingSettings
from depesche.mailroom.connections.validation import is_this_machine
from depesche.mailroom.connections.views.submission import APPLICABLE
from tests.mailroom.connections.scenes import nothing_listens

FAR = OutgoingSettings(
    host="smtp.nordlicht.example",
    port=25,
    encryption="none",
    auth="password",
    username="tracker",
    system_address="tracker@nordlicht.example",
)
codes = st.sampled_from(sorted(ENTRIES))
situations = st.builds(
    Situation,
    settings=st.builds(
        OutgoingSettings,
        host=st.sampled_from(["smtp.nordlicht.example", "localhost", "127.0.0.1", "mail", ""]),
        port=st.sampled_from([25, 465, 587, 2525]),
        encryption=st.sampled_from(EncryptionMode.values),
        auth=st.sampled_from(Auth.values),
        username=st.sampled_from(["", "tracker", "tracker@nordlicht.example", "NL\\tracker x", "@"]),
        system_address=st.sampled_from(["", "tracker@nordlicht.example", "desk@nordlicht.example"]),
        max_connections=st.integers(1, 500),
    ),
    has_mailbox=st.booleans(),
    mailbox_login=st.booleans(),
    starttls_offered=st.booleans(),
    encrypted=st.booleans(),
    names=st.lists(
        st.sampled_from(["mail.nordlicht.example", "evil.example", "*.nordlicht.example", "x"]), max_size=3
    ).map(tuple),
    answers=st.sampled_from([None, 25, 465, 587, 8025]),
)


@given(codes, situations)
def test_what_holds_for_every_remedy(code: str, situation: Situation) -> None:
    change = change_for(code, situation)
    if change is None:
        return
    assert set(change) <= APPLICABLE  # the page would ignore the others
    assert code in SHOWN  # and the handbook names it
    assert all(value and value.split() == [value] for value in change.values())
    settings = situation.settings
    if "encryption" in change:
        assert "port" in change  # or it would follow the encryption, to another server
    if "none" in (change.get("encryption"), change.get("allow_clear_password")):
        assert is_this_machine(settings.host)
    assert "allow_clear_password" not in change or is_this_machine(settings.host)
    if "host" in change:
        assert change["host"].endswith("." + settings.host.split(".", 1)[-1])
    if CAP in change:
        assert 1 <= int(change[CAP]) < settings.max_connections


def test_a_strangers_name_in_a_certificate_leads_nowhere() -> None:
    """Whoever sits on the way shows a certificate for a host of their own."""
    here = Situation(settings=FAR, names=("smtp.evil.example", "mail.nordlicht.example.evil.example"))
    assert change_for("cert-other-host", here) is None
    assert change_for("cert-other-host", replace(here, names=("mail.nordlicht.example",))) == {
        "host": "mail.nordlicht.example"
    }


@pytest.mark.parametrize(
    ("protocol", "code", "port", "change"),
    [
        ("imap", "tls-on-plain-port", 993, {"encryption": "ssl", "port": "993"}),
        ("imap", "plain-on-tls-port", 993, {"encryption": "tls", "port": "143"}),
        ("pop3", "plain-on-tls-port", 2110, {"encryption": "tls", "port": "2110"}),
        ("pop3", "starttls-not-offered", 110, {"encryption": "ssl", "port": "995"}),
        ("imap", "auth-refused", 993, {"username": "tracker@nordlicht.example"}),
        ("imap", "cert-expired", 993, None),
    ],
)
def test_the_mailboxs(protocol: str, code: str, port: int, change: Any) -> None:
    found = mailbox_change(code, protocol, port, username="tracker", domain="nordlicht.example")
    assert found == change


@pytest.mark.parametrize(
    ("open_port", "encryption"), [(587, "tls"), (465, "ssl"), (25, "tls-if-available"), (None, "")]
)
def test_another_port_that_answers_is_offered(
    db: Any, monkeypatch: pytest.MonkeyPatch, open_port: int | None, encryption: str
) -> None:
    asked: list[Any] = []

    def first_open(host: str, ports: Any, *, seconds: float) -> int | None:
        asked.extend(ports)
        return open_port

    monkeypatch.setattr(probe, "first_open", first_open)
    with nothing_listens() as found:
        settings = OutgoingSettings(**found, encryption="none", system_address="tracker@example.org")
        step = list(run(plan_test(settings, to="a@b.example", seconds=5)))[1]
    assert asked == [587, 465, 25]
    assert step.cause is not None
    expected = {"encryption": encryption, "port": str(open_port)} if open_port else {}
    assert dict(step.cause.change or {}) == expected


def test_probes(tmp_path: Any) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert probe.first_open("127.0.0.1", [1, port], seconds=2) == port
        assert not probe.speaks_tls("127.0.0.1", port, seconds=0.3)  # silent
    assert probe.first_open("127.0.0.1", [1], seconds=2) is None
    assert probe.first_open("127.0.0.1", [], seconds=2) is None
    assert not probe.speaks_tls("127.0.0.1", 1, seconds=1)
