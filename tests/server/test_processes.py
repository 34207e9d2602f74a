"""What the web server tells the pages of whoever asks."""

from __future__ import annotations

from typing import Any

import pytest

from depesche.server import asgi
from depesche.server.processes import web_server

FORWARDED = [(b"x-forwarded-for", b"203.0.113.7"), (b"x-forwarded-proto", b"https")]


@pytest.mark.parametrize(
    ("peer", "seen"), [("127.0.0.1", ("203.0.113.7", "https")), ("192.0.2.9", ("192.0.2.9", "http"))]
)
async def test_only_a_web_server_on_this_machine_speaks_for_others(
    peer: str, seen: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scopes: list[dict[str, Any]] = []

    async def application(scope: dict[str, Any], receive: object, send: object) -> None:
        scopes.append(scope)

    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    monkeypatch.setattr(asgi, "application", application)
    config = web_server("127.0.0.1", 8000).config
    config.load()
    scope = {"type": "http", "scheme": "http", "client": (peer, 40000), "headers": FORWARDED}
    await config.loaded_app(scope, None, None)
    assert (scopes[0]["client"][0], scopes[0]["scheme"]) == seen
