"""What to try, in order: from records, documents, presets and guesses to candidates. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from depesche.mailformat.addresses import canonical_domain
from depesche.mailroom.connections.discovery.autoconfig import Described
from depesche.mailroom.connections.discovery.presets import Preset, Server
from depesche.mailroom.connections.name_service import Target

PROTOCOLS = ("smtp", "imap", "pop3")
SRV_NAMES: Mapping[str, tuple[str, str]] = {
    "_submissions._tcp": ("smtp", "ssl"),
    "_submission._tcp": ("smtp", "tls"),
    "_imaps._tcp": ("imap", "ssl"),
    "_imap._tcp": ("imap", "tls"),
    "_pop3s._tcp": ("pop3", "ssl"),
    "_pop3._tcp": ("pop3", "tls"),
}
_MOST_OF_A_KIND = 4  # candidates of one protocol from one source


class Source(StrEnum):
    """Where a candidate comes from, the most telling first."""

    PROVIDER = "provider"  # the address is one of a known provider's own
    SRV = "srv"
    AUTOCONFIG = "autoconfig"
    EXCHANGER = "mx"  # a known provider hosts the domain
    GUESS = "guess"


@dataclass(frozen=True)
class Candidate:
    """A server that may be the right one. `detail` says more of the source: a name, an address, a
    provider."""

    protocol: str
    host: str
    port: int
    encryption: str
    source: Source
    username: str = ""
    detail: str = ""
    preset: str = ""

    @property
    def place(self) -> tuple[str, int]:
        """Where it is: two candidates at one place are one."""
        return self.host, self.port


def from_services(found: Mapping[str, Sequence[Target]], address: str) -> list[Candidate]:
    """From SRV records, by their name (_imaps._tcp …)."""
    made: list[Candidate] = []
    for name, (protocol, encryption) in SRV_NAMES.items():
        made += [
            Candidate(
                protocol,
                target.host.lower(),
                target.port,
                encryption,
                Source.SRV,
                username=address,
                detail=f"{name}.{address.rpartition('@')[2]}",
            )
            for target in found.get(name, ())[:_MOST_OF_A_KIND]
            if target.host and 0 < target.port < 65536
        ]
    return made


def refused_services(found: Mapping[str, Sequence[Target]]) -> frozenset[str]:
    """The protocols that a domain expressly does not offer: every SRV record of it names no host (RFC
    6186)."""
    said: dict[str, list[bool]] = {}
    for name, (protocol, _encryption) in SRV_NAMES.items():
        said.setdefault(protocol, []).extend(not one.host for one in found.get(name, ()))
    return frozenset(protocol for protocol, empty in said.items() if empty and all(empty))


def from_document(described: Iterable[Described], url: str) -> list[Candidate]:
    """From an autoconfig document; what is not encrypted is left out."""
    return [
        Candidate(
            one.protocol,
            one.host,
            one.port,
            one.encryption,
            Source.AUTOCONFIG,
            username=one.username,
            detail=url,
        )
        for one in described
        if one.encryption != "none"
    ]


def from_preset(preset: Preset, address: str, source: Source, exchanger: str = "") -> list[Candidate]:
    """From the table of providers."""
    made = []
    for protocol in PROTOCOLS:
        server: Server | None = getattr(preset, protocol)
        if server is None:
            continue
        host = server.host.replace("{mx}", exchanger)
        if host:
            made.append(
                Candidate(
                    protocol,
                    host,
                    server.port,
                    server.encryption,
                    source,
                    username=preset.named(address),
                    detail=preset.name,
                    preset=preset.key,
                )
            )
    return made


def guesses(address: str, exchangers: Sequence[str]) -> list[Candidate]:
    """Names that are usual, TLS from the first byte before STARTTLS."""
    domain = canonical_domain(address.rpartition("@")[2])
    own = [host for host in exchangers if host == domain or host.endswith("." + domain)][:1]
    hosts = {
        "smtp": [f"smtp.{domain}", f"mail.{domain}", *own, domain],
        "imap": [f"imap.{domain}", f"mail.{domain}", *own, domain],
        "pop3": [f"pop.{domain}", f"pop3.{domain}", f"mail.{domain}", *own],
    }
    ways = {
        "smtp": ((465, "ssl"), (587, "tls")),
        "imap": ((993, "ssl"), (143, "tls")),
        "pop3": ((995, "ssl"), (110, "tls")),
    }
    return [
        Candidate(protocol, host, port, encryption, Source.GUESS, username=address)
        for protocol in PROTOCOLS
        for host in dict.fromkeys(hosts[protocol])
        for port, encryption in ways[protocol]
    ]


def in_order(found: Iterable[Candidate]) -> list[Candidate]:
    """Each place once, by source, in the order of their source."""
    ranks = {source: number for number, source in enumerate(Source)}
    kept: dict[tuple[str, str, int], Candidate] = {}
    for one in sorted(found, key=lambda one: ranks[one.source]):
        kept.setdefault((one.protocol, *one.place), replace(one, host=one.host.lower()))
    return list(kept.values())
