"""Every check that is no test: format, lint, types, import contracts, drift, rules of the house.

All are run, whatever fails; the words of a check are shown only when it fails, and one table sums up.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 900  # seconds for one check


@dataclass(frozen=True)
class Check:
    """One of them: its name, its command, and what to do when it fails."""

    name: str
    command: tuple[str, ...]
    remedy: str


def module(*words: str) -> tuple[str, ...]:
    """A command that this Python runs."""
    return (sys.executable, "-m", *words)


CHECKS = (
    Check("format", module("ruff", "format", "--check", "."), "ruff format ."),
    Check("lint", module("ruff", "check", "."), "ruff check . (--fix for many)"),
    Check("types", module("mypy"), "mypy"),
    Check("import contracts", (str(Path(sys.executable).parent / "lint-imports"),), "lint-imports"),
    Check("messages", (sys.executable, "tools/messages.py", "check"), "make messages, then translate"),
    Check(
        "migrations",
        module("django", "makemigrations", "--check", "--dry-run", "--settings", "tests.settings"),
        "write the migration",
    ),
    Check("rules of the house", module("tools.house_rules"), "as each finding says"),
    Check(
        "architecture",
        module("pytest", "-q", "-p", "no:cacheprovider", "tests/architecture"),
        "as the test says",
    ),
)


def run(check: Check) -> bool:
    """Whether the check holds; prints its words when it does not."""
    environment = dict(os.environ, PYTHONPATH=f"{ROOT / 'src'}{os.pathsep}{ROOT}")
    begun = time.monotonic()
    try:
        done = subprocess.run(
            check.command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            check=False,
        )
        words, good = done.stdout.decode(errors="replace"), done.returncode == 0
    except subprocess.TimeoutExpired:
        words, good = f"not done after {PATIENCE} s", False
    print(f"{'ok' if good else 'FAILED':7} {check.name} ({time.monotonic() - begun:.1f} s)", flush=True)
    if not good:
        print("\n".join(f"    {line}" for line in words.rstrip().splitlines()), flush=True)
    return good


def main(names: list[str]) -> int:
    """Run all checks, or those whose names are given."""
    failed = [check for check in CHECKS if (not names or check.name in names) and not run(check)]
    if failed:
        print("\nTo be put right:")
        for check in failed:
            print(f"  {check.name}: {check.remedy}")
        return 1
    print("\nAll checks hold.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
