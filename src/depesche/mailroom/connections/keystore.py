"""Whom a connection to one server believes, beside the system's own authorities (M10). Same for SMTP, IMAP,
POP3.
"""

from __future__ import annotations

from depesche.mailroom.connections import certificates
from depesche.mailroom.connections.models import KeystoreEntry
from depesche.smtpclient.config import Trust

Kind = KeystoreEntry.Kind


def trust_for(host: str, port: int) -> Trust:
    """The entries that hold for this host and port.

    Authorities and leaves without a host hold for every server, those with a host for that host and port
    alone. A pin replaces everything else for its host and port: nothing but that certificate is accepted
    there.
    """
    host = host.rstrip(".").lower()
    authorities: list[bytes | str] = []
    leaves: list[bytes | str] = []
    pins: list[str] = []
    for entry in KeystoreEntry.objects.order_by("id"):
        if entry.host and (entry.host.rstrip(".").lower(), entry.port) != (host, port):
            continue
        if entry.kind == Kind.CA:
            authorities.append(entry.pem)
        elif entry.kind == Kind.PIN:
            pins.append(entry.sha256)
        elif _may_vouch_here(entry, host):
            leaves.append(entry.pem)
    return Trust(ca_pems=tuple(authorities), leaf_pems=tuple(leaves), pins=tuple(pins))


def _may_vouch_here(entry: KeystoreEntry, host: str) -> bool:
    """A server's own certificate may be marked as an authority. Then it is handed out for its own names
    alone, so that whoever has its key cannot issue certificates for another of our servers.
    """
    (certificate,) = certificates.read(entry.pem.encode())
    return not certificate.is_authority or certificates.names_match(certificate.names, host)
