"""What the name service says of a domain's mail servers: SRV (RFC 6186, RFC 8314) and MX. Blocking,
bounded."""

from __future__ import annotations

from dataclasses import dataclass

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver

from depesche.mailroom.connections.domain import lookup

_MOST = 20  # records of one answer that are looked at


class NoNameService(Exception):
    """No name server answered; the text is for people, in English."""


@dataclass(frozen=True)
class Target:
    """An SRV record: lower `priority` first; a `host` of "" says that the service is not offered."""

    host: str
    port: int
    priority: int = 0
    weight: int = 0


def services(name: str, *, seconds: float) -> list[Target]:
    """The SRV records of a name as _submissions._tcp.example.org, the preferred first. Raises
    NoNameService."""
    try:
        answer = lookup.resolver().resolve(
            dns.name.from_text(name),
            dns.rdatatype.SRV,
            lifetime=seconds,
            raise_on_no_answer=False,
            search=False,
        )
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.resolver.YXDOMAIN):
        return []
    except (dns.name.NameTooLong, dns.name.LabelTooLong):
        return []
    except (dns.exception.DNSException, OSError, ValueError) as error:
        raise NoNameService(" ".join(str(error).split())[:200] or type(error).__name__) from error
    if answer.rrset is None:
        return []
    rows = list(answer)[:_MOST]
    found = [Target(str(one.target).rstrip("."), one.port, one.priority, one.weight) for one in rows]
    return sorted(found, key=lambda one: (one.priority, -one.weight, one.host))


def exchangers(domain: str, *, seconds: float) -> list[str]:
    """The mail exchangers of a domain, the preferred first. Raises NoNameService."""
    answer = lookup.mail_exchangers(domain, seconds=seconds)
    if not answer.asked:
        raise NoNameService(answer.trouble)
    return [host for host in answer.values if host]
