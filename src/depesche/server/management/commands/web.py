"""`depesche web`: pages alone; the worker runs elsewhere."""

from __future__ import annotations

from depesche.server.management.commands.serve import Command as Serve


class Command(Serve):
    help = "Serve the pages; the worker runs elsewhere."
    with_worker = False
