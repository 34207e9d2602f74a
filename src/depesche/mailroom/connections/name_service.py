"""Asking the name service: blocking, bounded in time and size.

An answer says whether there is none or whether nobody could be asked: advice must not call a record missing
that could not be looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver
from django.conf import settings as django_settings

SECONDS = 4.0  # for each question
NO_SUCH_NAME = "no such name"  # an answer's trouble: not even the name is there
_MOST = 30  # records of one answer that are looked at
_LONGEST = 4000  # characters of a record
_LONGEST_TROUBLE = 200

Value = TypeVar("Value")


@dataclass(frozen=True)
class Answer(Generic[Value]):
    """What one question brought. `asked` False: no name server answered, so nothing is known; `trouble` says
    why, in English."""

    values: tuple[Value, ...] = ()
    asked: bool = True
    trouble: str = ""


@dataclass(frozen=True)
class Target:
    """An SRV record: lower `priority` first; a `host` of "" says that the service is not offered."""

    host: str
    port: int
    priority: int = 0
    weight: int = 0


def text(name: str, *, seconds: float = SECONDS) -> Answer[str]:
    """The TXT records of a name, each joined from its strings."""
    return _ask(name, dns.rdatatype.TXT, seconds, _joined)


def mail_exchangers(domain: str, *, seconds: float = SECONDS) -> Answer[str]:
    """The mail exchangers, the preferred first; "" stands for "takes no mail" (RFC 7505)."""
    return _ask(
        domain,
        dns.rdatatype.MX,
        seconds,
        lambda one: str(one.exchange).rstrip(".").lower(),
        key=lambda one: (one.preference, str(one.exchange)),
    )


def host_addresses(name: str, *, seconds: float = SECONDS) -> Answer[str]:
    """The IPv4 and IPv6 addresses of a host."""
    four = _ask(name, dns.rdatatype.A, seconds, lambda one: str(one.address))
    six = _ask(name, dns.rdatatype.AAAA, seconds, lambda one: str(one.address))
    return Answer(four.values + six.values, four.asked or six.asked, four.trouble)


def services(name: str, *, seconds: float = SECONDS) -> Answer[Target]:
    """The SRV records of a name as _submissions._tcp.example.org (RFC 6186, 8314), the preferred first."""
    try:
        dns.name.from_text(name)
    except (dns.name.NameTooLong, dns.name.LabelTooLong):
        return Answer()  # the service before the domain made it so long: such a domain has none
    found = _ask(
        name,
        dns.rdatatype.SRV,
        seconds,
        lambda one: Target(str(one.target).rstrip("."), one.port, one.priority, one.weight),
    )
    ordered = sorted(found.values, key=lambda one: (one.priority, -one.weight, one.host))
    return replace(found, values=tuple(ordered))


def _joined(record: Any) -> str:
    return b"".join(record.strings).decode("utf-8", "replace")[:_LONGEST]


def _ask(
    name: str,
    kind: dns.rdatatype.RdataType,
    seconds: float,
    read: Callable[[Any], Value],
    *,
    key: Callable[[Any], Any] | None = None,
) -> Answer[Value]:
    try:
        answer = _resolver().resolve(
            dns.name.from_text(name), kind, lifetime=seconds, raise_on_no_answer=False, search=False
        )
    except dns.resolver.NXDOMAIN:
        return Answer(trouble=NO_SUCH_NAME)
    except (dns.resolver.NoAnswer, dns.resolver.YXDOMAIN):
        return Answer()
    except (dns.exception.DNSException, OSError, ValueError) as error:
        why = " ".join(str(error).split())[:_LONGEST_TROUBLE]
        return Answer(asked=False, trouble=why or type(error).__name__)
    found: list[Any] = list(answer)[:_MOST] if answer.rrset is not None else []
    if key is not None:
        found.sort(key=key)
    return Answer(tuple(read(one) for one in found))


def _resolver() -> dns.resolver.Resolver:
    """The system's name servers, or those of the setting DEPESCHE_NAME_SERVERS ("192.0.2.1",
    "127.0.0.1:5353")."""
    named: Sequence[str] = getattr(django_settings, "DEPESCHE_NAME_SERVERS", ())
    if not named:
        return dns.resolver.Resolver()
    made = dns.resolver.Resolver(configure=False)
    servers: list[str | dns.nameserver.Nameserver] = []
    for one in named:
        host, colon, port = one.rpartition(":")
        plain = colon and ":" not in host
        servers.append(dns.nameserver.Do53Nameserver(host if plain else one, int(port) if plain else 53))
    made.nameservers = servers
    return made
