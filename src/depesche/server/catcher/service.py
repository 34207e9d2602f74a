"""The catcher that runs in this process, if one does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import close_old_connections
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from depesche.mailformat.addresses import AddressError, parse_address, same_mailbox, split_tag
from depesche.mailroom.connections.queries import outgoing
from depesche.mailroom.inbox import intake, processing
from depesche.mailroom.inbox.handlers import Handled
from depesche.mailroom.pages import places
from depesche.server.catcher.smtp_server import CatcherController
from depesche.server.catcher.store import CatcherStore


@dataclass
class Catcher:
    """`open_to_all`: the pages need no login, since only this machine reaches them."""

    store: CatcherStore
    smtp: CatcherController
    smtp_port: int
    open_to_all: bool

    def stop(self) -> None:
        global _running  # noqa: PLW0603 - one catcher a process, and views have no other way to it
        _running = None
        self.smtp.stop()


_running: Catcher | None = None


def running() -> Catcher | None:
    return _running


def start(folder: Path, *, port: int, open_to_all: bool) -> Catcher:
    """Listen on 127.0.0.1:port. Raises OSError when the port is taken."""
    global _running  # noqa: PLW0603 - see above
    store = CatcherStore(folder)

    def deliver(raw: bytes, sender: str, recipients: Sequence[str]) -> None:
        ours = [address for address in recipients if is_system_address(address)]
        others = [address for address in recipients if address not in ours]
        if others:
            store.add(raw, sender=sender, recipients=others)
        for address in ours:
            take_in(raw, sender=sender, recipient=address)

    controller = CatcherController(deliver, host="127.0.0.1", port=port)
    controller.start()
    _running = Catcher(store, controller, port, open_to_all)
    places.link("catcher", _("Caught mail"), "catcher:mails")
    return _running


def is_system_address(address: str) -> bool:
    """Whether a mail to it belongs to the tracker: the system address, with or without a tag."""
    try:
        system = parse_address(outgoing().system_address)
        return same_mailbox(split_tag(parse_address(address))[0], system)
    except AddressError:
        return False


def take_in(raw: bytes, *, sender: str, recipient: str) -> Handled:
    """The same way in as `inbox receive`: stored first, then processed, before a worker could take it."""
    close_old_connections()
    try:
        stored = intake.store(
            raw,
            source="catcher",
            envelope_sender=sender,
            envelope_recipient=recipient,
            claim=True,
            now=timezone.now(),
        )
        return processing.process(stored.id, claim=stored.claim)
    finally:
        close_old_connections()
