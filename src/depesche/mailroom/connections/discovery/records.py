"""A discovery that a page started: how far it is, in the database, so that any web process can show it."""

from __future__ import annotations

import logging
import secrets as chance
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connections, transaction
from django.utils import timezone, translation

from depesche.mailroom.connections import keystore
from depesche.mailroom.connections.discovery.findings import Found, found_of
from depesche.mailroom.connections.discovery.models import DiscoveryRun
from depesche.mailroom.connections.discovery.search import Discovery, discover

logger = logging.getLogger(__name__)

_KEPT = timedelta(days=1)
_LONGEST = timedelta(seconds=60)
_BETWEEN = 0.3  # seconds between two writes


@dataclass(frozen=True)
class Report:
    """A discovery as a page shows it."""

    key: str
    done: bool
    found: Found


def start(address: str, *, by: Any, now: datetime) -> str:
    """Begin one in a thread of its own; the key under which its report can be read."""
    DiscoveryRun.objects.filter(started_at__lt=now - _KEPT).delete()
    run = DiscoveryRun.objects.create(
        key=chance.token_urlsafe(24), address=address, started_at=now, started_by=by
    )
    language = translation.get_language() or "en"
    thread = threading.Thread(
        target=_work, args=(run.pk, address, language), name="depesche-discovery", daemon=True
    )
    transaction.on_commit(thread.start)
    return run.key


def at_once(address: str, stop: threading.Event | None = None) -> Found:
    """The whole discovery here and now. Nothing is stored."""
    stop = stop or threading.Event()
    return found_of(discover(address, trust_for=keystore.trust_for, stop=stop))


def report(key: str, *, by: Any, now: datetime) -> Report | None:
    """How far it is; None for a key that this person did not get."""
    run = DiscoveryRun.objects.filter(key=key, started_by=by).first()
    if run is None:
        return None
    over = run.ended_at is not None or now - run.started_at > _LONGEST
    return Report(run.key, over, Found.restored(run.address, run.state))


def stop(key: str, *, by: Any) -> None:
    """End it early; it notices within about a second."""
    DiscoveryRun.objects.filter(key=key, started_by=by, ended_at=None).update(cancelled=True)


def _work(run_id: int, address: str, language: str) -> None:
    stop_it = threading.Event()
    rows = DiscoveryRun.objects.filter(pk=run_id)
    try:
        with translation.override(language):
            found = discover(
                address,
                trust_for=keystore.trust_for,
                stop=stop_it,
                progress=_teller(rows, stop_it),
            )
            rows.update(state=found_of(found).stored())
    except Exception:
        logger.exception("A discovery broke off")
    finally:
        rows.update(ended_at=timezone.now())
        connections.close_all()


def _teller(rows: Any, stop_it: threading.Event) -> Callable[[Discovery], None]:
    """Writes down how it goes, now and then, and looks whether somebody wants it stopped."""
    told = 0.0

    def tell(state: Discovery) -> None:
        nonlocal told
        if time.monotonic() - told < _BETWEEN and not state.done:
            return
        told = time.monotonic()
        rows.update(state=found_of(state).stored())
        if rows.filter(cancelled=True).exists():
            stop_it.set()

    return tell
