"""What the name service has for a domain: all questions at the same time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from depesche.mailroom.connections.name_service import (
    SECONDS,
    Answer,
    host_addresses,
    mail_exchangers,
    text,
)

_MOST_PARENTS = 8  # steps up from a domain to its DMARC policy (RFC 9091, DMARCbis §4.10)
_AT_ONCE = 8


@dataclass(frozen=True)
class DomainRecords:
    """What the name service has for one domain. `dmarc_at`: the domain whose policy holds (this one or one
    above); `dkim` by selector; `exchangers` in their order, "" stands for "takes no mail" (RFC 7505)."""

    domain: str
    spf: Answer[str] = field(default_factory=Answer)
    dmarc: Answer[str] = field(default_factory=Answer)
    dmarc_at: str = ""
    exchangers: Answer[str] = field(default_factory=Answer)
    addresses: Answer[str] = field(default_factory=Answer)
    dkim: Mapping[str, Answer[str]] = field(default_factory=dict)

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


def _and_above(domain: str) -> list[str]:
    labels = domain.split(".")
    names = [".".join(labels[at:]) for at in range(len(labels) - 1)]
    return names[:1] + names[1:][-_MOST_PARENTS:] or [domain]


def _beginning(answer: Answer[str], version: str) -> Answer[str]:
    """Those records that are of this kind."""
    own = tuple(
        one
        for one in answer.values
        if one.lower().startswith(version) and one[len(version) : len(version) + 1] in ("", " ", ";")
    )
    return Answer(own, answer.asked, answer.trouble)
