"""`make bench`: the benchmarks one after the other; each writes its table into bench/results/.

python -m bench [--rounds 5] [--count 10000] [NAME …]      names: full_path web_latency compose
"""

from __future__ import annotations

import argparse
import subprocess
import sys

NAMES = ("full_path", "far", "waiting", "web_latency", "compose")


def main() -> int:
    parser = argparse.ArgumentParser(description="The benchmarks beside other programs.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all without a name")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=10_000, help="mails of a round of full_path")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in NAMES]:
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(NAMES)}")
    more = {
        "full_path": ["--rounds", str(options.rounds), "--count", str(options.count)],
        "compose": ["--rounds", str(options.rounds)],
        "far": ["--rounds", str(options.rounds)],
        "waiting": ["--rounds", str(options.rounds)],
    }
    worst = 0
    for name in options.names or NAMES:
        print(f"\n=== {name}\n", flush=True)
        worst = max(worst, subprocess.call([sys.executable, "-m", f"bench.{name}", *more.get(name, [])]))
    return worst


if __name__ == "__main__":
    sys.exit(main())
