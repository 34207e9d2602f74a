"""Every test, in passes: on SQLite, by themselves those that measure time, on PostgreSQL those of both.

`make test ARGS="-k words"` hands pytest further arguments. At the end one count over all passes, with each
skipped test by name and reason. The exit status is 0 only if tests ran and none failed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from tests.support.postgres import PostgresServer
from tools import system_packages

ROOT = Path(__file__).resolve().parent.parent

LIMIT = float(os.environ.get("DEPESCHE_TEST_LIMIT", "1500"))
"""Seconds after which all is cut: a bound against hanging, far above what the tests take."""

# One more than processors: a test that waits for a server leaves its own to another.
WORKERS = str(min(4, 1 + (os.cpu_count() or 2)))
NOTHING_RAN = 5  # pytest's exit status


@dataclass(frozen=True)
class Pass:
    """One run of pytest."""

    name: str
    selection: str
    options: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    postgres: bool = False


BESIDE_EACH_OTHER = (
    *("-n", WORKERS, "--max-worker-restart", "0"),
    *("--dist", "loadfile", "--no-loadscope-reorder"),
)
PASSES = (
    Pass("SQLite", "not alone", BESIDE_EACH_OTHER),
    Pass("SQLite, measured", "alone", marks=("alone",)),
    Pass(
        "PostgreSQL",
        "(contract or both_databases) and not alone",
        BESIDE_EACH_OTHER,
        marks=("contract", "both_databases"),
        postgres=True,
    ),
)


@dataclass
class Result:
    """What a pass came to."""

    name: str
    seconds: float = 0.0
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    problem: str = ""

    @property
    def total(self) -> int:
        return self.passed + len(self.failed) + len(self.skipped)


def used(marks: tuple[str, ...]) -> bool:
    """Whether some test carries one of these marks (a pass that selects nothing is not begun)."""
    words = [f"mark.{mark}" for mark in marks]
    files = (ROOT / "tests").rglob("*.py")
    return not marks or any(word in file.read_text(encoding="utf-8") for file in files for word in words)


def read(report: Path, result: Result) -> None:
    """Take the counts from pytest's report in JUnit's form."""
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name', '')}"
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            result.failed.append(name)
        elif skip is not None and skip.get("type") != "pytest.xfail":
            result.skipped.append((name, skip.get("message", "")))
        else:
            result.passed += 1


def pytest(one: Pass, arguments: list[str], database_url: str, seconds: float) -> Result:
    """Run one pass within so many seconds."""
    result = Result(one.name)
    environment = dict(os.environ)
    environment.pop("DEPESCHE_DATABASE_URL", None)
    environment["DEPESCHE_TEST_PASS"] = one.name
    if database_url:
        environment["DEPESCHE_DATABASE_URL"] = database_url
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="depesche-report-") as folder:
        report = Path(folder) / "report.xml"
        command = [
            sys.executable, "-m", "tools.reaper",
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
            "--durations=12", "--durations-min=4", "-m", one.selection, *one.options,
            f"--junitxml={report}", *arguments,
        ]  # fmt: skip
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL)
        try:
            status = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGUSR1)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=30)  # pytest tells what was running, and writes its report
            process.terminate()
            status = process.wait()
            result.problem = f"cut after {seconds:.0f} s"
        except KeyboardInterrupt:
            status = process.wait()
            result.problem = "interrupted"
        if report.exists():
            read(report, result)
        if status not in {0, 1, NOTHING_RAN} and not result.problem:
            result.problem = f"pytest ended with {status}"
        if status == 1 and not result.failed:
            result.problem = "pytest failed outside of a test"
    result.seconds = time.monotonic() - begun
    return result


def run(arguments: list[str]) -> list[Result]:
    """All passes, in order, within the limit."""
    end = time.monotonic() + LIMIT
    results = []
    for one in PASSES:
        if not used(one.marks):
            continue
        print(f"\nDepesche: tests on {one.name}", flush=True)
        with contextlib.ExitStack() as stack:
            url = stack.enter_context(PostgresServer()).url if one.postgres else ""
            results.append(pytest(one, arguments, url, max(10.0, end - time.monotonic())))
        if results[-1].problem:
            break
    return results


def summary(results: list[Result]) -> int:
    """Print the count over all passes; the exit status."""
    print("\n" + "=" * 78)
    for result in results:
        words = f"{result.passed} passed, {len(result.failed)} failed, {len(result.skipped)} skipped"
        problem = f"  ({result.problem})" if result.problem else ""
        print(f"{result.name + ':':20} {words}, {result.seconds:.0f} s{problem}")
    skipped = [(result.name, *skip) for result in results for skip in result.skipped]
    if skipped:
        print("\nSkipped:")
        for where, name, reason in skipped:
            print(f"  {name} ({where}): {reason}")
    failed = [(result.name, name) for result in results for name in result.failed]
    if failed:
        print("\nFailed:")
        for where, name in failed:
            print(f"  {name} ({where})")
    passed = sum(result.passed for result in results)
    print(f"\n{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    good = passed > 0 and not failed and not any(result.problem for result in results)
    if passed == 0:
        print("Nothing was tested: no test that ran matches what was asked for.")
    return 0 if good else 1


def main(arguments: list[str]) -> int:
    """Install the servers where that is possible, run all passes, sum up."""
    system_packages.ensure()
    return summary(run(arguments))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
