"""What `depesche demo` starts with: a connection to its own catcher; people and items are the tracker's."""

from __future__ import annotations

from typing import Any


def connection(smtp_port: int) -> dict[str, Any]:
    """Settings of an outgoing connection that already works, to the catcher on this machine."""
    return {
        "host": "127.0.0.1",
        "port": smtp_port,
        "encryption": "none",
        "auth": "none",
        "system_address": "tracker@example.org",
        "system_name": "Nordlicht Tracker",
        "sender": "system",
        "items_by_mail": True,
    }
