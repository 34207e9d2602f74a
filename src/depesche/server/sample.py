"""What `depesche demo` starts with: a connection to its own catcher, and the tracker's sample data."""

from __future__ import annotations

from typing import Any

from depesche.tracker.items import sample as tracker

ADMINISTRATOR = tracker.ADMINISTRATOR


def create() -> None:
    """Sample people, workspaces and items; nobody has a password yet."""
    tracker.create()


def example_item() -> str:
    """The key of an item that is worth a look."""
    return tracker.EXAMPLE


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
