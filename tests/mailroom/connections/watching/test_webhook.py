"""An alarm by HTTP: what goes out, and what a receiver that misbehaves can do (nothing)."""

from __future__ import annotations

import hashlib
import hmac
import ssl
from typing import Any

import pytest

from depesche.mailroom.connections import actions
from depesche.mailroom.connections.secrets import Secret
from depesche.mailroom.connections.watching import webhook
from tests.support.http_receiver import receiving
from tests.support.ports import free_port

SECRET = "canary-webhook-secret"
PATH = "/services/canary-webhook-path?key=canary-webhook-key"


def post(url: str, *, secret: str = SECRET) -> webhook.Answer:
    return webhook.post(
        webhook.target(url), {"b": "ü", "a": 1}, identity="7-alarm", secret=Secret(secret), seconds=1000
    )


def test_it_is_json_signed_and_named(db: Any) -> None:
    with receiving() as receiver:
        assert post(receiver.url(PATH)) == webhook.Answer(204)
    (got,) = receiver.got
    assert got.path == PATH
    assert got.json == {"a": 1, "b": "ü"}
    assert got.headers["Content-Type"] == "application/json; charset=utf-8"
    assert got.headers["X-Depesche-Id"] == "7-alarm"
    mac = hmac.new(SECRET.encode(), b"1000." + got.body, hashlib.sha256).hexdigest()
    assert got.headers["X-Depesche-Signature"] == f"t=1000,v1={mac}"


def test_without_a_secret_there_is_no_signature(db: Any) -> None:
    with receiving() as receiver:
        assert post(receiver.url(), secret="").taken
    assert "X-Depesche-Signature" not in receiver.got[0].headers


@pytest.mark.parametrize("status", [400, 404, 410, 500, 503])
def test_whatever_is_not_2xx_is_no_success(db: Any, status: int) -> None:
    with receiving(status=status) as receiver:
        answer = post(receiver.url(PATH))
    assert (answer.taken, answer.status) == (False, status)
    assert str(status) in answer.error
    assert "canary" not in answer.error


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(db: Any, status: int) -> None:
    with receiving() as elsewhere, receiving(status=status, location=elsewhere.url()) as receiver:
        answer = post(receiver.url(PATH))
        assert not elsewhere.got
    assert not answer.taken
    assert "redirect" in answer.error


@pytest.mark.parametrize("behaviour", [{"silent": True}, {"trickle": True}])
def test_a_receiver_cannot_hold_us(db: Any, monkeypatch: Any, behaviour: dict[str, bool]) -> None:
    monkeypatch.setattr(webhook, "SECONDS", 0.5)
    with receiving(**behaviour) as receiver:
        answer = post(receiver.url(PATH))
        assert not receiver.release.is_set(), "it returned before the receiver let go"
    assert not answer.taken
    assert "canary" not in answer.error


def test_nobody_there(db: Any) -> None:
    answer = post(f"http://127.0.0.1:{free_port()}{PATH}")
    assert "Nothing listens there" in answer.error
    assert "canary" not in answer.error


def test_a_certificate_that_does_not_verify_gets_nothing(db: Any, authority: Any) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = authority.issue("127.0.0.1", file="hook")
    context.load_cert_chain(issued.chain, issued.key)
    with receiving(tls=context) as receiver:
        answer = post(receiver.url(PATH, "https"))
        assert not receiver.got
        assert "certificate" in answer.error or "authority" in answer.error
        actions.import_certificates(authority.pem.read_bytes())
        assert post(receiver.url(PATH, "https")).taken
        assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://hooks.example.org/a/b?c", "https://hooks.example.org"),
        ("http://[::1]:8080/x", "http://[::1]:8080"),
        (" https://h.example:443 ", "https://h.example"),
    ],
)
def test_what_may_be_shown_of_an_address(address: str, shown: str) -> None:
    target = webhook.target(address)
    assert target.shown == shown
    assert "/a/b" not in repr(target)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "hooks.example.org/x",
        "ftp://h.example/x",
        "https:///x",
        "https://user:pw@h.example/x",
        "https://h.example/a b",
        "https://h.example/x\r\nX: y",
        "https://h.example:99999/",
        "https://bücher.example/x",
        "https://h.example/" + "x" * 3000,
    ],
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(webhook.BadAddress) as refused:
        webhook.target(address)
    assert "pw" not in str(refused.value)
