"""What the pages of the settings need to be filled in from a discovery or a provider's row."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from depesche.mailroom.connections.discovery.findings import Found, Server
from depesche.mailroom.connections.discovery.presets import PRESETS, Preset

_MAILBOX = frozenset({"protocol", "host", "port", "encryption", "auth", "username"})


def card(found: Found | None = None) -> dict[str, Any]:
    """What the card on the outgoing page needs."""
    return {
        "presets": [(one.key, one.name) for one in sorted(PRESETS, key=lambda one: one.name.lower())],
        "found": found,
        "mailbox_link": mailbox_link(found.mailbox) if found is not None else "",
    }


def preset_values(chosen: Preset, address: str) -> dict[str, str]:
    """A provider's row as values of the form. A host that differs for each customer stays empty."""
    server = chosen.smtp
    made = {
        "host": "" if "{" in server.host else server.host,
        "port": str(server.port),
        "encryption": server.encryption,
        "auth": chosen.auth,
        "username": chosen.named(address) if address else "",
    }
    if chosen.provider:
        made["provider"] = chosen.provider
    return made


def mailbox_link(server: Server | None) -> str:
    """The way to the incoming page, with these settings filled in there."""
    if server is None:
        return ""
    return f"{reverse('connections:incoming')}?{urlencode({'fill': server.assignments})}"


def mailbox_values(request: HttpRequest) -> dict[str, str]:
    """What the incoming page is to be filled with."""
    return pairs_of(request.GET.get("fill", "")[:2000], _MAILBOX)


def pairs_of(words: str, keys: frozenset[str]) -> dict[str, str]:
    """`host=… port=…` with these keys only."""
    pairs = (word.partition("=") for word in words.split())
    return {key: value for key, equals, value in pairs if equals and key in keys}
