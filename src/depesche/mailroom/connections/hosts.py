"""When two names that a person typed mean one host. Pure."""

from __future__ import annotations

from depesche.mailroom.connections.validation import is_this_machine


def same_host(one: str, other: str) -> bool:
    """Whether two host names as typed mean one host, so that a password typed for one may go to the other."""
    one, other = _plain(one), _plain(other)
    return bool(one) and (one == other or (is_this_machine(one) and is_this_machine(other)))


def _plain(host: str) -> str:
    return host.strip().strip("[]").rstrip(".").lower()
