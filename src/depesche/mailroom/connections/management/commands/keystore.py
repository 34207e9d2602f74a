"""`depesche keystore list | import | fetch | remove`: which certificates are trusted (M10)."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from depesche.mailroom.connections import actions, certificates, fetch, inspection, queries, validation
from depesche.mailroom.connections.certificates import Certificate
from depesche.mailroom.connections.command import DepescheCommand
from depesche.mailroom.connections.diagnosis.causes import explain
from depesche.mailroom.connections.diagnosis.plan import STEP_SECONDS
from depesche.mailroom.connections.inspection import Sighting
from depesche.mailroom.connections.queries import KeystoreRow


class Command(DepescheCommand):
    help = "List, import, fetch or remove certificates that are trusted beside the system's own authorities."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        ways = parser.add_subparsers(dest="what", required=True, metavar="list|import|fetch|remove")
        listing = ways.add_parser("list", help="what is trusted")
        adding = ways.add_parser("import", help="trust the certificates of a file (PEM, DER, PKCS#7)")
        adding.add_argument("file", metavar="FILE", help="the file; - for standard input")
        adding.add_argument("--host", default="", help="only for this server")
        adding.add_argument("--port", type=int, help="and this port")
        fetching = ways.add_parser("fetch", help="show the certificates of a server; trust one of them")
        fetching.add_argument("server", metavar="HOST:PORT")
        fetching.add_argument(
            "--starttls",
            choices=["smtp", "imap", "pop3"],
            help="the protocol that begins in clear (known for ports 25, 587, 143 and 110)",
        )
        fetching.add_argument(
            "--trust",
            metavar="SHA256",
            help="trust the certificate or authority with this fingerprint, for this host and port alone",
        )
        removing = ways.add_parser("remove", help="no longer trust an entry")
        removing.add_argument("id", type=int, metavar="ID")
        for way in (listing, adding, fetching, removing):
            self.add_json(way)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "list":
            self.print_rows([shown(row) for row in queries.keystore()], _COLUMNS)
        elif options["what"] == "import":
            self._import(options)
        elif options["what"] == "fetch":
            self._fetch(options)
        elif actions.remove_certificate(options["id"]):
            self.say("Removed. It is no longer trusted.")
        else:
            raise CommandError(f"There is no keystore entry {options['id']}.")

    def _import(self, options: dict[str, Any]) -> None:
        host, port = options["host"], options["port"]
        if bool(host) != (port is not None):
            raise CommandError("Give --host and --port together, or neither.", returncode=2)
        try:
            host, port = validation.host(host), validation.port("" if port is None else str(port))
            octets = _read(options["file"])
            rows = actions.import_certificates(octets, host=host, port=port)
        except ValidationError as error:
            raise CommandError(error.messages[0]) from None
        except certificates.BadCertificateFile as error:
            raise CommandError(f"{options['file']}: {error}") from None
        self.print_rows([shown(row) for row in rows], _COLUMNS)

    def _fetch(self, options: dict[str, Any]) -> None:
        host, port = _server(options["server"])
        wanted = re.sub(r"[:\s]", "", options["trust"] or "").lower()
        if options["trust"] is not None and not re.fullmatch(r"[0-9a-f]{64}", wanted):
            raise CommandError("--trust: a SHA-256 fingerprint has 64 hexadecimal digits.", returncode=2)
        starttls = options["starttls"] or fetch.usual_protocol(port)
        try:
            found = inspection.look(host, port, starttls=starttls, timeout=STEP_SECONDS)
        except fetch.CannotFetch as error:
            facts = {"host": host, "port": port, "seconds": f"{STEP_SECONDS:g}"}
            cause = explain(error.cause.value, facts, detail=error.detail)
            raise CommandError(f"{cause.title}. {cause.sentence}") from None
        if wanted:
            self._trust(found, wanted)
            return
        self.print_rows([seen(one) for one in found.chain])
        for check in found.checks:
            self.say(f"  {'ok    ' if check.ok else 'failed'} {check.words}")
        for row in found.replaced:
            self.say(f"  Trusted so far: {row.sha256} ({row.subject}, keystore entry {row.id})")
        if found.problem is None:
            self.say("It verifies: nothing needs to be trusted.")
            return
        cause = explain(found.problem.value, {"host": host, "port": port})
        if not found.can_be_trusted:
            self.say(f"{cause.title}. It cannot be trusted as it is. {cause.remedy}")
            return
        self.say(f"{cause.title}. Compare the fingerprint with whoever runs the server, then trust it:")
        by = f" --starttls {options['starttls']}" if options["starttls"] else ""
        line = f"  depesche keystore fetch {options['server']}{by} --trust"
        self.say(f"{line} {found.own.sha256}")
        if found.authorities:
            authority = found.authorities[0]
            self.say(f"or whatever “{authority.subject}” issues for this server:")
            self.say(f"{line} {authority.sha256}")

    def _trust(self, found: Sighting, wanted: str) -> None:
        authority = next((one for one in found.authorities if one.sha256 == wanted), None)
        if authority is None and found.own.sha256 != wanted:
            raise CommandError(
                f"{found.host}:{found.port} shows no certificate with this fingerprint, but "
                f"{found.own.sha256}. Nothing was trusted."
            )
        row = actions.trust_certificate(
            authority or found.own, host=found.host, port=found.port, kind="ca" if authority else "pin"
        )
        self.print_rows([shown(row)], _COLUMNS)


_COLUMNS = ("id", "kind", "host", "port", "subject", "issuer", "not_before", "not_after", "sha256")


def _server(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    try:
        number = validation.port(port)
        if not colon or not host.strip() or number is None:
            raise CommandError(f"{text} is not of the form HOST:PORT.", returncode=2)
        return validation.host(host), number
    except ValidationError as error:
        raise CommandError(error.messages[0]) from None


def seen(certificate: Certificate) -> dict[str, object]:
    """A certificate as a server showed it."""
    return {
        "subject": certificate.subject,
        "names": list(certificate.names),
        "issuer": certificate.issuer,
        "not_before": certificate.not_before,
        "not_after": certificate.not_after,
        "key": certificate.key,
        "sha256": certificate.sha256,
    }


def _read(name: str) -> bytes:
    try:
        if name == "-":
            return sys.stdin.buffer.read(certificates.MAX_OCTETS + 1)
        with Path(name).open("rb") as file:
            return file.read(certificates.MAX_OCTETS + 1)
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from None


def shown(row: KeystoreRow) -> dict[str, object]:
    return {
        "id": row.id,
        "kind": row.kind,
        "host": row.host,
        "port": row.port,
        "subject": row.subject,
        "issuer": row.issuer,
        "names": list(row.names),
        "not_before": row.not_before,
        "not_after": row.not_after,
        "sha256": row.sha256,
    }
