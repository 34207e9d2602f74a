"""`outbox list | show | retry | cancel | stats | addresses | lift`: what goes out, at the command line."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections.command import DepescheCommand
from depesche.mailroom.outbox import actions, addresses, queries
from depesche.mailroom.outbox.queries import RecipientRow
from depesche.mailroom.outbox.representation import as_json, more_of, stats_as_json, tries_of
from depesche.mailroom.outbox.states import State

_PAGE = 500
_COLUMNS = ("id", "state", "recipient", "category", "attempts", "next_attempt_at", "item", "reply")


class Command(DepescheCommand):
    help = "What goes out: list, show, try again, withdraw, count. Ids are those of recipients."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_subparsers(
            dest="what", required=True, metavar="list|show|retry|cancel|stats|addresses|lift"
        )
        listing = what.add_parser("list", help="recipients, oldest first")
        listing.add_argument(
            "--state", choices=[state.value for state in State], help="only those in one state"
        )
        listing.add_argument(
            "--search", default="", help="only those whose address, subject or item holds this"
        )
        listing.add_argument("--limit", type=_positive, default=None, help="at most so many")
        show = what.add_parser("show", help="one recipient with its attempts")
        show.add_argument("id", type=_positive)
        retry = what.add_parser("retry", help="try again at once")
        retry.add_argument("ids", nargs="*", type=_positive, metavar="ID")
        retry.add_argument("--all-failed", action="store_true", help="every failed recipient")
        cancel = what.add_parser("cancel", help="withdraw what has not gone out")
        cancel.add_argument("ids", nargs="+", type=_positive, metavar="ID")
        stats = what.add_parser("stats", help="counts per state, rate, estimated end")
        known = what.add_parser("addresses", help="addresses that are not tried any more, and why")
        known.add_argument("--all", action="store_true", help="also those that failed and are tried")
        lift = what.add_parser("lift", help="try an address again")
        lift.add_argument("address", metavar="ADDRESS")
        for sub in (listing, show, retry, cancel, stats, known, lift):
            self.add_json(sub)

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['what']}")(options)

    def _list(self, options: Mapping[str, Any]) -> None:
        rows = self._rows(options["state"], options["search"], options["limit"])
        self.print_rows((as_json(row) for row in rows), _COLUMNS)

    def _rows(self, state: str | None, text: str, limit: int | None) -> Iterator[RecipientRow]:
        after, left = 0, limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(_PAGE, left)
            page = queries.recipients(state, text, after, size, oldest_first=True)
            yield from page
            if len(page) < size:
                return
            after = page[-1].id
            left = None if left is None else left - len(page)

    def _show(self, options: Mapping[str, Any]) -> None:
        detail = queries.recipient(options["id"])
        if detail is None:
            raise CommandError(f"There is no recipient {options['id']} in the outbox.")
        values = as_json(detail.row) | more_of(detail)
        tries = tries_of(detail)
        if self.json:
            self.print_json(values | {"tries": tries})
            return
        self.print_object(values)
        if tries:
            self.say("")
            self.print_rows(tries)

    def _retry(self, options: Mapping[str, Any]) -> None:
        if bool(options["ids"]) == options["all_failed"]:
            raise CommandError("Name the ids, or say --all-failed.", returncode=2)
        if options["all_failed"]:
            self._changed(actions.retry_all_failed(), "queued again")
        else:
            self._check(options["ids"])
            self._changed(actions.retry(options["ids"]), "queued again", len(options["ids"]))

    def _cancel(self, options: Mapping[str, Any]) -> None:
        self._check(options["ids"])
        self._changed(actions.cancel(options["ids"]), "cancelled", len(options["ids"]))

    def _check(self, ids: list[int]) -> None:
        if unknown := sorted(set(ids) - set(queries.by_ids(ids))):
            raise CommandError(f"There is no recipient {unknown[0]} in the outbox. Nothing was changed.")

    def _changed(self, count: int, what: str, asked: int | None = None) -> None:
        if asked and not count:
            raise CommandError(f"None of these could be {what}: their state does not permit it.")
        if self.json:
            self.print_json({"changed": count})
        else:
            self.say(f"{count} {what}.")

    def _addresses(self, options: Mapping[str, Any]) -> None:
        rows = addresses.listed(only_suppressed=not options["all"], limit=100_000)
        self.print_rows(
            {
                "address": row.address,
                "suppressed_at": row.suppressed_at,
                "reason": row.reason,
                "failures": row.failures,
                "failed_at": row.failed_at,
                "status": row.status,
                "words": row.words,
                "lifted_at": row.lifted_at,
                "lifted_by": row.lifted_by,
            }
            for row in rows
        )

    def _lift(self, options: Mapping[str, Any]) -> None:
        if not addresses.lift(options["address"], by="command line", now=timezone.now()):
            raise CommandError(f"{options['address']} is not held back.")
        self._changed(1, "address is tried again")

    def _stats(self, options: Mapping[str, Any]) -> None:
        stats = queries.stats(timezone.now())
        if self.json:
            self.print_json(stats_as_json(stats))
            return
        self.print_object(stats.states or {"outbox": "empty"})
        used = stats.slots_used + stats.failover_slots_used
        self.say(f"{stats.workers} workers, {used} connections, {stats.rate:g} mails/s.")
        if connections.place_in_use():
            self.say(f"Mails go out through the failover {connections.outgoing(1).host}.")
        if stats.remaining:
            end = f", done about {stats.finished_at:%H:%M:%S} UTC" if stats.finished_at else ""
            self.say(f"{stats.remaining} to go{end}.")


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number < 2**63:
        raise argparse.ArgumentTypeError("a whole number from 1 on")
    return number
