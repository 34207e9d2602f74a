"""`depesche connection show | set KEY=VALUE… | test --to ADDR`: the way out (M3 to M17)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from depesche.mailroom.connections import access, actions, queries, senders, validation
from depesche.mailroom.connections.actions import InvalidSettings
from depesche.mailroom.connections.choices import Auth
from depesche.mailroom.connections.command_line import SettingsCommand, assignment, on_off, refused
from depesche.mailroom.connections.diagnosis.plan import learn, plan_test
from depesche.mailroom.connections.diagnosis.running import run
from depesche.mailroom.connections.diagnosis.steps import flows
from depesche.mailroom.connections.discovery import records
from depesche.mailroom.connections.failover import PLACE
from depesche.mailroom.connections.forms import CAP
from depesche.mailroom.connections.oauth import actions as oauth_actions
from depesche.mailroom.connections.oauth.forms import KEYS as OAUTH_KEYS
from depesche.mailroom.connections.oauth.queries import oauth
from depesche.mailroom.connections.representation import failover_shown, oauth_shown, shown

KEYS = (
    "host",
    "port",
    "encryption",
    "auth",
    "username",
    "system_address",
    "system_name",
    "sender",
    "charset",
    CAP,
    "items_by_mail",
    "allow_clear_password",
    *OAUTH_KEYS,
)


class Command(SettingsCommand):
    help = "Show, set or test the outgoing e-mail connection."
    keys = KEYS
    speaks_locale = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        ways = parser.add_subparsers(dest="what", required=True, metavar="show|set|test|rules|discover")
        show = ways.add_parser("show", help="the settings; never the password")
        change = ways.add_parser("set", help="change settings", epilog=f"keys: {' '.join(KEYS)}")
        change.add_argument("values", nargs="*", type=assignment, metavar="KEY=VALUE")
        self.add_password_options(change)
        change.add_argument("--clear-password", action="store_true", help="delete the stored password")
        change.add_argument(
            "--client-secret-stdin",
            action="store_true",
            help="read the OAuth client secret from standard input",
        )
        change.add_argument(
            "--disconnect", action="store_true", help="delete OAuth consent, tokens and client secret"
        )
        test = ways.add_parser("test", help="submit a test mail, step by step; saves nothing")
        test.add_argument("values", nargs="*", type=assignment, metavar="KEY=VALUE")
        test.add_argument(
            "--to",
            required=True,
            metavar="ADDR",
            help="who gets the test mail; a second one From this address shows whether the server accepts "
            "persons as senders",
        )
        test.add_argument("--transcript", action="store_true", help="print what was said at each step")
        self.add_password_options(test)
        for way in (show, change, test):
            way.add_argument(
                "--failover",
                action="store_const",
                const=1,
                default=0,
                dest="place",
                help="the second connection, used while the first one rests",
            )
            way.add_argument(
                "--place", type=int, choices=(0, 1), dest="place", help="1: the same as --failover"
            )
        rules = ways.add_parser("rules", help="what servers were found to refuse as From")
        rules.add_argument("--revoke", type=int, metavar="ID", help="try these addresses again")
        rules.add_argument("--seen", action="store_true", help="no longer an alarm: you have taken note")
        find = ways.add_parser("discover", help="find the servers for an address; saves nothing")
        find.add_argument("address", metavar="ADDRESS")
        for way in (show, change, test, rules, find):
            self.add_json(way)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "show":
            self._show(options["place"])
        elif options["what"] == "rules":
            self._rules(options)
        elif options["what"] == "discover":
            self._discover(options["address"])
        elif options["what"] == "set":
            self._set(options)
        else:
            self._test(options)

    def _show(self, place: int) -> None:
        if place:
            self.print_object(failover_shown(queries.stored_outgoing(place)))
        else:
            self.print_object(shown(queries.outgoing()) | oauth_shown(oauth()))

    def _discover(self, text: str) -> None:
        try:
            address = validation.address(text)
        except ValidationError as error:
            raise CommandError(f"{text}: {error.messages[0]}") from None
        found = records.at_once(address)
        if self.json:
            self.print_json({"address": address, **found.stored()})
        else:
            self.print_rows(
                {
                    "": {"ok": "works", "failed": "fails"}.get(one.state, "-"),
                    "server": f"{one.protocol} {one.host}:{one.port}",
                    "encryption": one.encryption,
                    "from": one.origin,
                    "why": one.why,
                }
                for one in found.servers
            )
            for command, server in (("connection", found.smtp), ("mailbox", found.mailbox)):
                if server is not None:
                    self.say(f"depesche {command} set {server.assignments}")
            for hint in found.hints:
                self.say(hint)
        if found.smtp is None:
            why = (
                _("The name service does not answer: %(why)s") % {"why": found.no_names}
                if found.no_names
                else ""
            )
            said = _("No server was found for %(address)s.") % {"address": address}
            raise CommandError(f"{said} {why}".strip())

    def _rules(self, options: dict[str, Any]) -> None:
        if options["seen"]:
            senders.note_seen(now=timezone.now())
        if options["revoke"] is not None and senders.revoke(options["revoke"]) is None:
            raise CommandError(_("There is no rule %(number)s.") % {"number": options["revoke"]})
        self.print_rows(
            [
                {
                    "id": rule.id,
                    "host": rule.host,
                    "login": rule.login,
                    "domain": rule.domain,
                    "address": rule.address,
                    "learnt_at": rule.learnt_at,
                    "seen": on_off(rule.seen),
                    "reply": rule.reply,
                }
                for rule in senders.rules()
            ]
        )

    def _set(self, options: dict[str, Any]) -> None:
        values, password = self.values_of(options), self.password_of(options)
        clear, secret, place = options["clear_password"], self.secret_of(options), options["place"]
        if place:
            self._set_failover(values, password, clear=clear)
            return
        nothing = not values and password is None and secret is None and not clear
        if options["disconnect"]:
            oauth_actions.disconnect()
            if nothing:
                self._show(0)
                return
        elif nothing:
            raise CommandError(_("Name at least one KEY=VALUE to set."), returncode=2)
        of_login = {key: values.pop(key) for key in OAUTH_KEYS if key in values}
        try:
            form = actions.outgoing_form(values, password=password, clear_password=clear)
            login = None
            if of_login or secret is not None or form.data["auth"] == Auth.OAUTH2:
                login = oauth_actions.oauth_form(
                    of_login,
                    secret=secret,
                    needed=form.data["auth"] == Auth.OAUTH2,
                    username=str(form.data["username"]),
                )
            settings = oauth_actions.save_both(form, login)
        except InvalidSettings as error:
            raise refused(error) from None
        self.print_object(shown(settings) | oauth_shown(oauth()))

    def _set_failover(self, values: dict[str, Any], password: str | None, *, clear: bool) -> None:
        if not values and password is None and not clear:
            raise CommandError(_("Name at least one KEY=VALUE to set."), returncode=2)
        try:
            settings = actions.save_outgoing(values, password=password, clear_password=clear, place=PLACE)
        except InvalidSettings as error:
            raise refused(error) from None
        self.print_object(failover_shown(settings))

    def secret_of(self, options: dict[str, Any]) -> str | None:
        """One line from standard input, None without --client-secret-stdin."""
        if not options["client_secret_stdin"]:
            return None
        if options["password_stdin"]:
            said = _("Standard input holds one secret: set them one after the other.")
            raise CommandError(said, returncode=2)
        return self.password_of({"password_stdin": True})

    def _test(self, options: dict[str, Any]) -> None:
        values, password = self.values_of(options), self.password_of(options)
        try:
            to = validation.address(options["to"])
        except ValidationError as error:
            raise CommandError(f"--to: {error.messages[0]}") from None
        if not to:
            raise CommandError("--to: " + _("Enter an e-mail address."))
        try:
            form = actions.outgoing_form(values, password=password, for_test=True, place=options["place"])
            actions.refuse_invalid(form)
            settings = form.as_settings()
            plan = plan_test(settings, to=to, user_address=to, password=form.cleaned_data["password"])
        except InvalidSettings as error:
            raise CommandError(_("Nothing was tested. %(why)s") % {"why": error}) from None
        except access.NotConfigured as error:
            raise CommandError(str(error)) from None
        steps = self.print_steps(run(plan), transcript=options["transcript"])
        learn(plan, steps, now=timezone.now())
        self.stop_on_failure(steps)
        if flows(steps):
            self.say(_("The server accepted the test mail."))
