"""`make bench`: all benchmarks, and one table of them; everything is written into bench/results/ too.

    python -m bench [--rounds 5] [--quick] [NAME …]
    python -m bench corpus [FOLDER] …       how well mails are read (bench/corpus.py)

The programs of a comparison are interleaved in one run, so that a busy machine slows all of them.
`--quick`: two short rounds of each, for a first look; its figures are not kept.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.rows import RESULTS, Row, load, table

# name: further words of a standard run, and of a quick one
BENCHMARKS: dict[str, tuple[list[str], list[str]]] = {
    "full_path": (["--count", "10000"], ["--count", "2000"]),
    "far": ([], ["--count", "20"]),
    "waiting": ([], ["--large", "100000", "--count", "2000"]),
    "notices": ([], ["--comments", "10"]),
    "web_latency": ([], ["--mails", "2000", "--saves", "50"]),
    "inbox": ([], ["--mails", "200"]),
    "compose": ([], []),
}
_WITHOUT_ROUNDS = {"web_latency"}


def _versions() -> str:
    kernel = f"{platform.system()} {platform.release().split('-')[0]}"
    return (
        f"Depesche {version('depesche')}, Python {platform.python_version()}, Django {version('django')},"
        f" {kernel}, {os.cpu_count()} CPUs"
    )


def summary(names: list[str], rounds: int, results: Path) -> str:
    """One table of all rows that carry a wish, then those that explain."""
    rows = [row for name in names for row in load(name, results)]
    wanted = [row for row in rows if row.at_least is not None]
    more: list[Row] = [row for row in rows if row.at_least is None]
    return (
        f"# What was wanted, and what was measured\n\n{datetime.now(UTC):%Y-%m-%d}, medians of {rounds}"
        f" interleaved rounds. {_versions()}. Method: docs/performance.md.\n\n{table(wanted)}\n{table(more)}"
    )


def main() -> int:
    if sys.argv[1:2] == ["corpus"]:
        return subprocess.call([sys.executable, "-m", "bench.corpus", *sys.argv[2:]])
    parser = argparse.ArgumentParser(description="The benchmarks beside other programs.")
    listed = ", ".join(BENCHMARKS)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {listed}; all without a name")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="two short rounds of each; nothing is kept")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark {unknown[0]}; there are {listed}")
    names = options.names or list(BENCHMARKS)
    rounds = 2 if options.quick else options.rounds
    worst = 0
    with tempfile.TemporaryDirectory(prefix="depesche-bench-") as folder:
        if options.quick:
            os.environ["DEPESCHE_BENCH_RESULTS"] = folder
        for name in names:
            words = list(BENCHMARKS[name][options.quick])
            words += [] if name in _WITHOUT_ROUNDS else ["--rounds", str(rounds)]
            began = time.monotonic()
            print(f"\n=== {name}\n", flush=True)
            worst = max(worst, subprocess.call([sys.executable, "-m", f"bench.{name}", *words]))
            print(f"({time.monotonic() - began:.0f} s)", flush=True)
        results = Path(folder) if options.quick else RESULTS
        text = summary(names if options.quick else list(BENCHMARKS), rounds, results)
        print("\n" + text)
        if not options.quick:
            (RESULTS / "README.md").write_text(text, encoding="utf-8")
    return worst


if __name__ == "__main__":
    sys.exit(main())
