"""Senders whose mails nobody wants: set aside without an answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet

from depesche.mailformat.addresses import Address
from depesche.tracker.correspondence.models import BlockedSender


def blocked(addresses: Iterable[Address]) -> str:
    """The first of the addresses that is blocked; "" when none is."""
    keys = [address.key[:320] for address in addresses][:20]
    found = BlockedSender.objects.filter(address__in=keys).values_list("address", flat=True).first()
    return found or ""


def block(address: Address, *, by: str, now: datetime) -> None:
    BlockedSender.objects.get_or_create(address=address.key[:320], defaults={"by": by[:200], "at": now})


def unblock(address: str) -> bool:
    """Take their mails again; False when the address was not blocked."""
    removed, _rows = BlockedSender.objects.filter(address=address).delete()
    return bool(removed)


def blocked_senders() -> QuerySet[BlockedSender]:
    return BlockedSender.objects.order_by("address")
