"""Looking domains up, keeping what was found, and letting a DKIM key sign as soon as its record is there."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from depesche.mailformat.addresses import canonical_domain
from depesche.mailroom.connections import queries
from depesche.mailroom.connections.domain import lookup
from depesche.mailroom.connections.domain.advice import Advice, Key, Opinion, advice_for, opinion_of
from depesche.mailroom.connections.domain.lookup import DomainRecords
from depesche.mailroom.connections.domain.models import DomainLook
from depesche.mailroom.connections.domain.policies import same_key
from depesche.mailroom.connections.name_service import Answer
from depesche.mailroom.connections.signing import actions as signing
from depesche.mailroom.connections.signing.models import DkimKey, KeyState
from depesche.mailroom.pages import people

log = logging.getLogger(__name__)
_AGAIN = timedelta(hours=6)
_WAITING_AGAIN = timedelta(minutes=5)
_MOST_DOMAINS = 6
_MOST_PEOPLE = 5000


@dataclass(frozen=True)
class View:
    """Everything that the page and the command show. `advice` is None while the domain was never looked up;
    `people` are opinions on mails From persons' own addresses, with how many they are."""

    domain: str
    looked_at: datetime | None
    advice: Advice | None
    people: tuple[tuple[Opinion, int], ...]


def system_domain(address: str = "") -> str:
    """The domain of an address, by default the system address, as in DNS; "" where there is none to ask."""
    address = address or queries.outgoing().system_address
    try:
        domain = canonical_domain(address.rpartition("@")[2]).lower()
    except ValueError:
        return ""
    return domain if "." in domain and not domain.startswith("[") else ""


def domains_of_people() -> list[tuple[str, int]]:
    """The domains of the persons' addresses, the most frequent first, with how many have it."""
    addresses = map(people.address_of, people.active_people(most=_MOST_PEOPLE))
    counted = Counter(filter(None, (system_domain(address) for address in addresses if address)))
    return counted.most_common(_MOST_DOMAINS)


def look(domains: Iterable[str], *, now: datetime) -> dict[str, DomainRecords]:
    """Ask about each domain now, all at once, and keep the answers. Takes about eight seconds at the most."""
    wanted = list(dict.fromkeys(domains))
    keys = list(DkimKey.objects.filter(domain__in=wanted).exclude(state=KeyState.RETIRED))
    selectors = {domain: [key.selector for key in keys if key.domain == domain] for domain in wanted}
    with ThreadPoolExecutor(max(1, len(wanted))) as pool:
        asked = {domain: pool.submit(lookup.records, domain, selectors[domain]) for domain in wanted}
        found = {domain: one.result() for domain, one in asked.items()}
    for domain, records in found.items():
        waits = any(key.domain == domain and key.state == KeyState.WAITING for key in keys)
        DomainLook.objects.update_or_create(
            domain=domain,
            defaults={
                "looked_at": now,
                "next_at": now + (_WAITING_AGAIN if waits else _AGAIN),
                "records": asdict(records),
            },
        )
    for key in keys:
        answer = found[key.domain].dkim.get(key.selector, Answer(asked=False))
        if answer.asked:
            right = any(same_key(value, key.record) for value in answer.values)
            signing.note_looked_up(key.pk, right=right, now=now)
    return found


def view(address: str = "") -> View:
    """What is known, without asking."""
    domain = system_domain(address)
    people = domains_of_people()
    kept = {
        row.domain: row
        for row in DomainLook.objects.filter(domain__in=[domain, *(name for name, _ in people)])
    }
    row, keys, settings = kept.get(domain), own_keys(), queries.outgoing()
    if row is None:
        return View(domain, None, None, ())
    records = _records(row.records)
    return View(
        domain,
        row.looked_at,
        advice_for(records, keys, server=settings.host, wants_mail=queries.answers_reach_us()),
        tuple(
            (opinion_of(_records(kept[name].records), records, keys), count)
            for name, count in people
            if name in kept
        ),
    )


def own_keys() -> list[Key]:
    """Our keys, as the advice takes them."""
    return [
        Key(
            key.domain,
            key.selector,
            key.record,
            key.state == KeyState.ACTIVE,
            None if key.checked_at is None else key.seen_at is not None and key.seen_at >= key.checked_at,
        )
        for key in DkimKey.objects.exclude(state=KeyState.RETIRED).order_by("pk")
    ]


def _records(stored: Mapping[str, Any]) -> DomainRecords:
    def answer(value: Mapping[str, Any]) -> Answer[str]:
        return Answer(tuple(value["values"]), bool(value["asked"]), str(value["trouble"]))

    return DomainRecords(
        stored["domain"],
        spf=answer(stored["spf"]),
        dmarc=answer(stored["dmarc"]),
        dmarc_at=stored["dmarc_at"],
        exchangers=answer(stored["exchangers"]),
        addresses=answer(stored["addresses"]),
        dkim={selector: answer(one) for selector, one in stored["dkim"].items()},
    )


class LookAtDomains:
    """The worker's task: the system address's domain once somebody looked at it, and those that have DKIM
    keys."""

    name = "domain"
    pause = 60.0
    wakes_on_change = False

    def run(self, now: datetime, stop: threading.Event) -> int:
        signed = set(DkimKey.objects.exclude(state=KeyState.RETIRED).values_list("domain", flat=True))
        for domain in signed - set(DomainLook.objects.values_list("domain", flat=True)):
            DomainLook.objects.get_or_create(domain=domain, defaults={"next_at": now})
        watched = DomainLook.objects.filter(domain__in=[*signed, system_domain()], next_at__lte=now)
        due = watched.order_by("next_at").first()
        if due is None or stop.is_set():
            return 0
        # Compare and set: of several workers one asks.
        mine = DomainLook.objects.filter(pk=due.pk, next_at=due.next_at).update(next_at=now + _WAITING_AGAIN)
        if mine:
            look([due.domain], now=now)
        return 1
