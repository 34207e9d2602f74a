"""Submission to a server 40 ms away: how much of what its connections permit is used.

    python -m bench.far [--rounds 5] [--count 60]        count: round trips that each figure lasts

DATA can carry one mail for each connection and round trip, CHUNKING with a window of four can carry four.
Measured is our client alone (`smtpclient.Pool`), in a namespace of its own, with mails of three sizes: at
some Nagle's algorithm there and delayed acknowledgements here get in each other's way, so the worst
size counts.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.far import link as links
from bench.far import postfix
from bench.full_path import HERE, program
from bench.rows import Rounds, Row, save
from tests.support.waiting import wait_until

SIZES = (2600, 2900, 3200)
RTT = 2 * links.DELAY
SINK_PORT, FAST_PORT = 2527, 2528


@dataclass
class Case:
    """One row: which server, how many connections, what would be the most."""

    name: str
    port: int
    connections: int
    way: str
    at_least: float
    aim: float
    window: int = 1  # transactions that a connection has under way in what 1.0 stands for
    rates: dict[int, Rounds] = field(default_factory=lambda: {size: Rounds() for size in SIZES})

    @property
    def bound(self) -> float:
        """Mails a second that 1.0 stands for."""
        return self.window * self.connections / RTT

    def row(self) -> Row:
        shares = {size: rounds.median / self.bound for size, rounds in self.rates.items()}
        worst = min(shares, key=lambda size: shares[size])
        detail = f"{self.rates[worst].median:,.0f}/s of {self.bound:,.0f}/s, worst at {worst} octets; best "
        detail += f"{max(shares.values()):.2f}"
        return Row(self.name, shares[worst], self.at_least, self.aim, detail=detail)


_PART = "(connections ÷ RTT)"
CASES = (
    (f"40 ms, DATA, 10 connections ÷ {_PART}", SINK_PORT, 10, "data", 0.90, 0.95, 1),
    (f"40 ms, DATA, 2 connections ÷ {_PART}", SINK_PORT, 2, "data", 0.90, 0.95, 1),
    (f"40 ms, CHUNKING W=4, fast sink, 10 connections ÷ 4 {_PART}", FAST_PORT, 10, "chunking", 0.85, 0.92, 4),
    (f"40 ms, CHUNKING W=4, fast sink, 2 connections ÷ 4 {_PART}", FAST_PORT, 2, "chunking", 0.85, 0.92, 4),
    (f"40 ms, CHUNKING, Postfix, 10 connections ÷ {_PART}", postfix.PORT, 10, "chunking", 1.5, 2.0, 1),
    (f"40 ms, CHUNKING, Postfix, 2 connections ÷ {_PART}", postfix.PORT, 2, "chunking", 1.5, 2.0, 1),
)


def answers(link: links.Link, port: int) -> bool:
    """Whether something listens there, seen from the near side."""
    ask = f"import socket; socket.create_connection(('{link.address}', {port}), 1)"
    command = link.command("near", [sys.executable, "-c", ask])
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def servers(link: links.Link) -> Iterator[None]:
    """smtp-sink, our sink and Postfix on the far side, each listening."""
    sink = link.command(
        "far", [str(program("smtp-sink")), "-u", "nobody", f"{link.address}:{SINK_PORT}", "1000"]
    )
    fast = link.command("far", [sys.executable, "-m", "bench.far.sink", link.address, str(FAST_PORT)])
    with contextlib.ExitStack() as stack:
        for command in (sink, fast):
            process = subprocess.Popen(command, cwd=HERE.parent, stdout=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        stack.enter_context(postfix.postfix(link))
        for port in (SINK_PORT, FAST_PORT, postfix.PORT):
            wait_until(functools.partial(answers, link, port), f"port {port}")
        yield


class Client:
    """`bench.far.client` on the near side, one for each server."""

    def __init__(self, link: links.Link, port: int) -> None:
        words = [sys.executable, "-m", "bench.far.client", link.address, str(port)]
        self._process = subprocess.Popen(
            link.command("near", words),
            cwd=HERE.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def rate(self, case: Case, size: int, turns: int) -> float:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        count = turns * case.connections * (4 if case.way == "chunking" else 1)
        self._process.stdin.write(f"{case.connections} {size} {count} {case.way}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the client ended"
        return float(json.loads(line))

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


def measure(rounds: int, turns: int) -> list[Row]:
    """All cases and sizes, interleaved."""
    cases = [Case(*case) for case in CASES]
    with contextlib.ExitStack() as stack:
        link = stack.enter_context(links.far_link())
        stack.enter_context(servers(link))
        clients = {}
        for port in {case.port for case in cases}:
            clients[port] = Client(link, port)
            stack.callback(clients[port].close)
        for number in range(rounds):
            for case in cases:
                for size in SIZES:
                    case.rates[size].add(clients[case.port].rate(case, size, turns))
                worst = min(case.rates[size].figures[-1] for size in SIZES)
                print(f"round {number + 1}: {case.name}: {worst / case.bound:.2f}", flush=True)
    return [case.row() for case in cases]


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=60, help="round trips that each figure lasts")
    options = parser.parse_args(words)
    missing = links.why_not() or ("" if program("smtp-sink") else "smtp-sink is missing (package postfix)")
    method = f"{options.rounds} interleaved rounds, medians; mails of {', '.join(map(str, SIZES))} octets."
    if missing:
        rows = [Row(name, None, least, aim, missing=missing) for name, _, _, _, least, aim, _ in CASES]
    else:
        rows = measure(options.rounds, options.count)
        method += f" Postfix {postfix.version()}. The link: `bench/far/link.py`, 20 ms each way."
    print("\n" + save("far", "A server that stands 40 ms away", method, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
