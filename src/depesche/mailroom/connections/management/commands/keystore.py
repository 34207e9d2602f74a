"""`depesche keystore list | import FILE | remove ID`: which certificates are trusted (M10)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from depesche.mailroom.connections import actions, certificates, queries, validation
from depesche.mailroom.connections.command import DepescheCommand
from depesche.mailroom.connections.queries import KeystoreRow


class Command(DepescheCommand):
    help = "List, import or remove certificates that are trusted beside the system's own authorities."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        ways = parser.add_subparsers(dest="what", required=True, metavar="list|import|remove")
        listing = ways.add_parser("list", help="what is trusted")
        adding = ways.add_parser("import", help="trust the certificates of a file (PEM, DER, PKCS#7)")
        adding.add_argument("file", metavar="FILE", help="the file; - for standard input")
        adding.add_argument("--host", default="", help="only for this server")
        adding.add_argument("--port", type=int, help="and this port")
        removing = ways.add_parser("remove", help="no longer trust an entry")
        removing.add_argument("id", type=int, metavar="ID")
        for way in (listing, adding, removing):
            self.add_json(way)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "list":
            self.print_rows([shown(row) for row in queries.keystore()], _COLUMNS)
        elif options["what"] == "import":
            self._import(options)
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


_COLUMNS = ("id", "kind", "host", "port", "subject", "issuer", "not_before", "not_after", "sha256")


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
