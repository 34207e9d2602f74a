"""All of the discovery: ask and fetch side by side, then try what was found, then what is usual.

Everything ends within about SECONDS. Each place is tried once, and a host gets at most two connections at a
time.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import quote

from depesche.mailformat.addresses import canonical_domain
from depesche.mailroom.connections import http, name_service
from depesche.mailroom.connections.discovery import autoconfig, candidates, presets
from depesche.mailroom.connections.discovery.candidates import PROTOCOLS, Candidate, Source
from depesche.mailroom.connections.discovery.probing import Finding, probe
from depesche.mailroom.connections.name_service import Answer
from depesche.smtpclient.config import Trust

SECONDS = 15.0
LOOK_UP_SECONDS = 4.0
PROBE_SECONDS = 4.5
_AT_ONCE = 10
_PER_HOST = 2
_MOST_NAMED = 24
_LOOK = 0.05

Value = TypeVar("Value")
TrustFor = Callable[[str, int], Trust]


@dataclass(frozen=True)
class Row:
    """A candidate and what became of it: `finding` None while it is not tried, or when that was not
    needed."""

    candidate: Candidate
    finding: Finding | None = None


@dataclass(frozen=True)
class Discovery:
    """How far it has come. `no_names`: why the name service could not be asked."""

    address: str
    rows: tuple[Row, ...] = ()
    done: bool = False
    no_names: str = ""
    seconds: float = 0.0

    def best(self, protocol: str) -> Row | None:
        """The first that works."""
        return next(
            (
                row
                for row in self.rows
                if row.candidate.protocol == protocol and row.finding is not None and row.finding.works
            ),
            None,
        )

    @property
    def mailbox(self) -> Row | None:
        """IMAP before POP3."""
        return self.best("imap") or self.best("pop3")


def discover(
    address: str,
    *,
    trust_for: TrustFor,
    stop: threading.Event,
    progress: Callable[[Discovery], None] = lambda state: None,
    seconds: float = SECONDS,
) -> Discovery:
    """Find the servers for an address. `progress` hears of each change; setting `stop` ends it within about a
    second, with what was found so far."""
    return _Search(address, trust_for, stop, progress, seconds).run()


class _Search:
    def __init__(
        self,
        address: str,
        trust_for: TrustFor,
        stop: threading.Event,
        progress: Callable[[Discovery], None],
        seconds: float,
    ) -> None:
        self.began = time.monotonic()
        self.until = self.began + seconds
        self.address, self.domain = address, canonical_domain(address.rpartition("@")[2])
        self.trust_for, self.stop, self.progress = trust_for, stop, progress
        self.state = Discovery(address)
        self.refused: frozenset[str] = frozenset()

    def run(self) -> Discovery:
        named, exchangers = self._look_up()
        self._try(
            [one for one in candidates.in_order(named) if one.protocol not in self.refused][:_MOST_NAMED]
        )
        if self.state.no_names and not named:  # then no name would be found either: say so at once
            return self._end()
        missing = [protocol for protocol in PROTOCOLS if not self._satisfied(protocol)]
        usual = [
            one
            for one in candidates.guesses(self.address, exchangers)
            if one.protocol in missing and one.protocol not in self.refused
        ]
        known = {(row.candidate.protocol, *row.candidate.place) for row in self.state.rows}
        self._try([one for one in usual if (one.protocol, *one.place) not in known])
        return self._end()

    def _end(self) -> Discovery:
        self._tell(replace(self.state, done=True, seconds=round(time.monotonic() - self.began, 1)))
        return self.state

    def _satisfied(self, protocol: str) -> bool:
        """A mailbox is one, whether by IMAP or by POP3."""
        if protocol == "smtp":
            return self.state.best("smtp") is not None
        return self.state.mailbox is not None

    # --- asking ---------------------------------------------------------------------------------------------

    def _look_up(self) -> tuple[list[Candidate], list[str]]:
        found: list[Candidate] = []
        if (own := presets.of_domain(self.domain)) is not None:
            found += candidates.from_preset(own, self.address, Source.PROVIDER)
            return found, []  # nobody knows better than its own table
        seconds = min(LOOK_UP_SECONDS, max(0.5, self.until - time.monotonic()))
        urls = self._documents()
        trusts = {url: self.trust_for(url.split("/")[2], 443) for url in urls}
        with _Threads(len(candidates.SRV_NAMES) + 1 + len(urls)) as threads:
            services = {
                name: threads.submit(name_service.services, f"{name}.{self.domain}", seconds=seconds)
                for name in candidates.SRV_NAMES
            }
            exchangers = threads.submit(name_service.mail_exchangers, self.domain, seconds=seconds)
            documents = {url: threads.submit(self._document, url, trusts[url], seconds) for url in urls}
            self._wait([*services.values(), exchangers, *documents.values()], seconds + 1.0)
            targets = {name: self._answered(one) for name, one in services.items()}
            hosts = [host for host in self._answered(exchangers) if host]
            found += candidates.from_services(targets, self.address)
            self.refused = candidates.refused_services(targets)
            for url, document in documents.items():
                described = _result(document, [])
                found += candidates.from_document(described, url.partition("?")[0])
        if (hosted := presets.of_exchangers(hosts)) is not None:
            found += candidates.from_preset(hosted[0], self.address, Source.EXCHANGER, hosted[1])
        return found, hosts

    def _documents(self) -> list[str]:
        wanted = quote(self.address)
        return [
            f"https://autoconfig.{self.domain}/mail/config-v1.1.xml?emailaddress={wanted}",
            f"https://{self.domain}/.well-known/autoconfig/mail/config-v1.1.xml",
        ]

    def _document(self, url: str, trust: Trust, seconds: float) -> list[autoconfig.Described]:
        try:
            answer = http.get(url, trust=trust, seconds=seconds, most=autoconfig.MOST)
            return autoconfig.read(answer.body, self.address) if answer.status == 200 else []
        except (http.HttpFailed, autoconfig.Unreadable):
            return []

    def _answered(self, future: Future[Answer[Value]]) -> list[Value]:
        """What the name service said; none where it did not, which is noted."""
        answer: Answer[Value] = _result(future, Answer())
        if not answer.asked:
            self.state = replace(self.state, no_names=answer.trouble)
        return list(answer.values)

    # --- trying ---------------------------------------------------------------------------------------------

    def _try(self, found: Sequence[Candidate]) -> None:
        if not found or self.stop.is_set() or time.monotonic() >= self.until:
            return
        start = len(self.state.rows)
        self._tell(replace(self.state, rows=(*self.state.rows, *map(Row, found))))
        gates: dict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(_PER_HOST))
        trusts = {one.place: self.trust_for(*one.place) for one in found}
        for one in found:
            gates[one.host]
        with _Threads(_AT_ONCE) as threads:
            tries = [threads.submit(self._probe, one, trusts[one.place], gates[one.host]) for one in found]
            open_ones = set(range(len(tries)))
            while open_ones and not self.stop.is_set() and time.monotonic() < self.until:
                done, _rest = wait([tries[number] for number in open_ones], timeout=_LOOK)
                for number in [number for number in sorted(open_ones) if tries[number] in done]:
                    open_ones.discard(number)
                    finding = tries[number].result()
                    if finding is not None:
                        self._found(start + number, finding)
                if self._decided(start, open_ones):
                    break

    def _decided(self, start: int, open_ones: Iterable[int]) -> bool:
        """Whether nothing that is still open could come before what already works."""
        rows = self.state.rows
        waiting = [rows[start + number].candidate.protocol for number in open_ones]
        first_open = {
            protocol: min(
                (
                    start + number
                    for number in open_ones
                    if rows[start + number].candidate.protocol == protocol
                ),
                default=len(rows),
            )
            for protocol in set(waiting)
        }
        for protocol, number in first_open.items():
            best = self.state.best(protocol)
            settled = best is not None and rows.index(best) < number
            imap = protocol == "pop3" and self.state.best("imap") is not None
            if not (settled or imap):
                return False
        return True

    def _probe(self, one: Candidate, trust: Trust, gate: threading.Semaphore) -> Finding | None:
        with gate:
            left = self.until - time.monotonic()
            if self.stop.is_set() or left <= 0:
                return None
            return probe(one, trust, seconds=min(PROBE_SECONDS, left))

    def _found(self, number: int, finding: Finding) -> None:
        rows = list(self.state.rows)
        rows[number] = replace(rows[number], finding=finding)
        self._tell(replace(self.state, rows=tuple(rows)))

    def _tell(self, state: Discovery) -> None:
        self.state = state
        self.progress(state)

    def _wait(self, futures: Sequence[Future[Any]], seconds: float) -> None:
        until = min(self.until, time.monotonic() + seconds)
        while not self.stop.is_set() and time.monotonic() < until:
            if not wait(futures, timeout=_LOOK).not_done:
                return


def _result(future: Future[Value], otherwise: Value) -> Value:
    return future.result() if future.done() else otherwise


class _Threads(ThreadPoolExecutor):
    """Threads that nobody waits for at the end: what hangs there ends by its own deadline."""

    def __exit__(self, *_: object) -> None:
        self.shutdown(wait=False, cancel_futures=True)
