"""Asking the name service: blocking, all questions at the same time, bounded in time and size.

An answer says whether there is none or whether nobody could be asked: advice must not call a record missing
that could not be looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import dns.exception
import dns.flags
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver
from django.conf import settings as django_settings

SECONDS = 4.0  # for each question
NO_SUCH_NAME = "no such name"  # an answer's trouble: not even the name is there
_MOST = 30  # records of one answer that are looked at
_LONGEST = 4000  # characters of a record
_MOST_PARENTS = 8  # steps up from a domain to its DMARC policy (RFC 9091, DMARCbis §4.10)
_AT_ONCE = 8


@dataclass(frozen=True)
class Answer:
    """What one question brought. `asked` False: no name server answered, so nothing is known."""

    values: tuple[str, ...] = ()
    asked: bool = True
    trouble: str = ""


@dataclass(frozen=True)
class DomainRecords:
    """What the name service has for one domain. `dmarc_at`: the domain whose policy holds (this one or one
    above); `dkim` by selector; `exchangers` in their order, "" stands for "takes no mail" (RFC 7505)."""

    domain: str
    spf: Answer = field(default_factory=Answer)
    dmarc: Answer = field(default_factory=Answer)
    dmarc_at: str = ""
    exchangers: Answer = field(default_factory=Answer)
    addresses: Answer = field(default_factory=Answer)
    dkim: Mapping[str, Answer] = field(default_factory=dict)

    @property
    def asked(self) -> bool:
        """Whether a name server answered at all."""
        return any(one.asked for one in (self.spf, self.dmarc, self.exchangers))


def records(domain: str, selectors: Iterable[str] = (), *, seconds: float = SECONDS) -> DomainRecords:
    """Everything about a domain. Takes `seconds`, or twice as long where a policy stands above the domain."""
    names = {selector: f"{selector}._domainkey.{domain}" for selector in selectors}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        spf = pool.submit(text, domain, seconds=seconds)
        policies = [
            (name, pool.submit(text, f"_dmarc.{name}", seconds=seconds)) for name in _and_above(domain)
        ]
        exchangers = pool.submit(mail_exchangers, domain, seconds=seconds)
        addresses = pool.submit(host_addresses, domain, seconds=seconds)
        keys = {selector: pool.submit(text, name, seconds=seconds) for selector, name in names.items()}
        found = [(name, _beginning(one.result(), "v=dmarc1")) for name, one in policies]
        at, dmarc = next(((name, one) for name, one in found if one.values), ("", found[0][1]))
        return DomainRecords(
            domain,
            spf=_beginning(spf.result(), "v=spf1"),
            dmarc=dmarc,
            dmarc_at=at,
            exchangers=exchangers.result(),
            addresses=addresses.result(),
            dkim={selector: one.result() for selector, one in keys.items()},
        )


def text(name: str, *, seconds: float = SECONDS) -> Answer:
    """The TXT records of a name, each joined from its strings."""
    return _ask(
        name, dns.rdatatype.TXT, seconds, lambda one: b"".join(one.strings).decode("utf-8", "replace")
    )


def mail_exchangers(domain: str, *, seconds: float = SECONDS) -> Answer:
    """The mail exchangers, the preferred first."""
    return _ask(
        domain,
        dns.rdatatype.MX,
        seconds,
        lambda one: str(one.exchange).rstrip(".").lower(),
        key=lambda one: (one.preference, str(one.exchange)),
    )


def host_addresses(name: str, *, seconds: float = SECONDS) -> Answer:
    """The IPv4 and IPv6 addresses of a host."""
    four = _ask(name, dns.rdatatype.A, seconds, lambda one: str(one.address))
    six = _ask(name, dns.rdatatype.AAAA, seconds, lambda one: str(one.address))
    return Answer(four.values + six.values, four.asked or six.asked, four.trouble)


def _and_above(domain: str) -> list[str]:
    labels = domain.split(".")
    names = [".".join(labels[at:]) for at in range(len(labels) - 1)]
    return names[:1] + names[1:][-_MOST_PARENTS:] or [domain]


def _beginning(answer: Answer, version: str) -> Answer:
    """Those records that are of this kind."""
    own = tuple(
        one
        for one in answer.values
        if one.lower().startswith(version) and one[len(version) : len(version) + 1] in ("", " ", ";")
    )
    return Answer(own, answer.asked, answer.trouble)


def _ask(
    name: str,
    kind: dns.rdatatype.RdataType,
    seconds: float,
    read: Callable[[Any], str],
    *,
    key: Callable[[Any], Any] | None = None,
) -> Answer:
    try:
        answer = resolver().resolve(
            dns.name.from_text(name), kind, lifetime=seconds, raise_on_no_answer=False, search=False
        )
    except dns.resolver.NXDOMAIN:
        return Answer(trouble=NO_SUCH_NAME)
    except (dns.resolver.NoAnswer, dns.resolver.YXDOMAIN):
        return Answer()
    except (dns.exception.DNSException, OSError, ValueError) as error:
        return Answer(asked=False, trouble=type(error).__name__)
    found: list[Any] = list(answer)[:_MOST] if answer.rrset is not None else []
    if key is not None:
        found.sort(key=key)
    return Answer(tuple(read(one)[:_LONGEST] for one in found))


def resolver() -> dns.resolver.Resolver:
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
