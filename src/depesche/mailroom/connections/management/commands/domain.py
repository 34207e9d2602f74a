"""`depesche domain check [ADDRESS] | keys | make-keys [DOMAIN] | activate ID | retire ID | remove ID`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from depesche.mailformat.addresses import AddressError
from depesche.mailroom.connections import queries
from depesche.mailroom.connections.command import DepescheCommand
from depesche.mailroom.connections.domain import looking
from depesche.mailroom.connections.domain.advice import Advice, Level, advice_for, opinion_of
from depesche.mailroom.connections.domain.representation import advice_shown
from depesche.mailroom.connections.domain.texts import FINDINGS, VERDICTS
from depesche.mailroom.connections.signing import actions as signing
from depesche.mailroom.connections.signing.models import DkimKey


class Command(DepescheCommand):
    help = "What the name service says of a domain that mails come from; the DKIM keys."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        ways = parser.add_subparsers(
            dest="what", required=True, metavar="check|keys|make-keys|activate|retire|remove"
        )
        check = ways.add_parser("check", help="SPF, DKIM, DMARC and MX, asked now; exit 1 with a fault")
        check.add_argument("address", nargs="?", default="", help="default: the system address")
        keys = ways.add_parser("keys", help="the DKIM keys, with the records that belong into DNS")
        make = ways.add_parser("make-keys", help="a new pair, RSA and Ed25519; it signs once it is in DNS")
        make.add_argument("domain", nargs="?", default="", help="default: that of the system address")
        changes = []
        for name, what in (
            ("activate", "sign with a key from now on, seen in DNS or not"),
            ("retire", "sign no more; erases the private part"),
            ("remove", "forget a key that does not sign"),
        ):
            changes.append(ways.add_parser(name, help=what))
            changes[-1].add_argument("id", type=int, metavar="ID")
        for way in (check, keys, make, *changes):
            self.add_json(way)

    def handle(self, *args: Any, **options: Any) -> None:
        match options["what"]:
            case "check":
                self._check(options["address"])
            case "keys":
                self._print_keys(list(DkimKey.objects.order_by("-pk")))
            case "make-keys":
                domain = options["domain"] or looking.system_domain()
                try:
                    self._print_keys(signing.make_keys(domain, now=timezone.now()))
                except AddressError:
                    raise CommandError("Name a domain as example.org.") from None
            case what:
                self._change(what, options["id"])

    def _check(self, address: str) -> None:
        domain = looking.system_domain(address)
        if not domain:
            raise CommandError("There is no domain to ask about: name an address as name@example.org.")
        home = looking.system_domain() or domain
        found = looking.look([domain, home], now=timezone.now())
        keys = looking.own_keys()
        made = advice_for(
            found[domain], keys, server=queries.outgoing().host, wants_mail=queries.answers_reach_us()
        )
        opinion = opinion_of(found[domain], found[home], keys)
        made = Advice(made.domain, made.findings, made.records, opinion)
        self._print(made)
        if not found[domain].asked:
            raise CommandError("No name server answered; nothing is known.")
        faults = [FINDINGS[one.code] for one in made.findings if one.level is Level.FAULT]
        if faults:
            raise CommandError(f"{faults[0][0]}. {faults[0][1]}")

    def _print(self, made: Advice) -> None:
        if self.json:
            self.print_json(advice_shown(made))
            return
        word, why = VERDICTS[made.opinion.verdict]
        self.say(f"Mails From {made.domain}: {word}. {why}")
        for one in made.findings:
            self.say(f"{one.level.upper():8} {FINDINGS[one.code][0]}. {FINDINGS[one.code][1]}")
            if one.detail:
                self.say(f"{'':8} {one.detail}")
        if made.records:
            self.say("Records to add:")
        for record in made.records:
            self.say(f"  {record.zone}")
            if record.replaces:
                self.say(f"    in the place of: {record.replaces}")

    def _print_keys(self, keys: list[DkimKey]) -> None:
        self.print_rows(
            {
                "id": key.pk,
                "algorithm": str(key.algorithm),
                "state": str(key.state),
                "name": f"{key.selector}._domainkey.{key.domain}",
                "seen_at": key.seen_at,
                "record": key.record,
            }
            for key in keys
        )

    def _change(self, what: str, key_id: int) -> None:
        now = timezone.now()
        done = {
            "activate": lambda: signing.activate(key_id, now=now),
            "retire": lambda: signing.retire(key_id, now=now),
            "remove": lambda: signing.remove(key_id),
        }[what]()
        if not done:
            raise CommandError(f"There is no key {key_id} to {what}.")
        self.say(f"{what}: key {key_id}")
