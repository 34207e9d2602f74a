"""How well mails are read, measured over a corpus with expectations.

    python bench/corpus.py FOLDER [--failures] [--kind KIND] [--source SOURCE] [--json]

FOLDER holds `cases.jsonl`, one JSON object a line: `id`, `file` (relative to FOLDER), `kind` (reply, bounce,
auto-reply, feedback, not-bounce, malformed), `source`, `lang`, and what is expected: `expected_text`, or
`must` and `must_not`; `recipients` with `recipient`, `action`, `status`, `status_class`.

Measures, and their aim:
  reply exact      equal to the expected text, or all of must and none of must_not      92 %
  reply usable     the expected words are there and hardly anything else                98 %
  recipient set    exactly the expected recipients                                      99 %
  status class     right class of the status for each recipient found                   98 %
  automatic        not taken for a person's mail                                       100 %
  misjudged        replies that are not taken for a person's mail                          0
  malformed        read without an exception in under two seconds                      100 %

With --libraries, mail-parser-reply, email-reply-parser and flufl.bounce are measured beside us on the same
bodies, where they are installed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from depesche.mailformat.classify import Kind
from depesche.mailformat.parse import ParsedMail, parse
from depesche.mailformat.reading import Reading, read

Case = dict[str, Any]
SLOW = 2.0


def fold(text: str) -> str:
    return " ".join(text.split())


def reply_exact(case: Case, text: str) -> bool:
    folded = fold(text)
    if "expected_text" in case:
        return folded == fold(case["expected_text"])
    return all(fold(part) in folded for part in case["must"]) and not any(
        fold(part) in folded for part in case["must_not"]
    )


def reply_usable(case: Case, text: str) -> bool:
    """Nothing of the answer lost, and no more than a signature's worth of something else."""
    if reply_exact(case, text):
        return True
    if "expected_text" not in case:
        return False
    folded, expected = fold(text), fold(case["expected_text"])
    if expected and expected in folded:
        return len(folded) - len(expected) <= max(60, len(expected) // 4)
    return bool(expected) and SequenceMatcher(None, expected, folded, autojunk=False).ratio() >= 0.9


@dataclass
class Tally:
    right: int = 0
    total: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, good: bool, note: str) -> None:
        self.total += 1
        self.right += good
        if not good:
            self.failures.append(note)

    def __str__(self) -> str:
        return f"{self.right}/{self.total} {100 * self.right / self.total:5.1f} %" if self.total else "-"


class Measure:
    """Tallies by name and source."""

    def __init__(self) -> None:
        self.tallies: dict[tuple[str, str], Tally] = defaultdict(Tally)

    def add(self, name: str, source: str, good: bool, note: str) -> None:
        for key in ("all", source):
            self.tallies[name, key].add(good, note)

    def table(self, *, by_source: bool) -> str:
        names = list(dict.fromkeys(name for name, _ in self.tallies))
        lines = []
        for name in names:
            lines.append(f"{name:32} {self.tallies[name, 'all']}")
            if by_source:
                for (other, source), tally in sorted(self.tallies.items()):
                    if other == name and source != "all":
                        lines.append(f"    {source:36} {tally}")
        return "\n".join(lines)


def judge_reply(case: Case, reading: Reading, measure: Measure) -> None:
    source, name = case["source"], case["id"]
    exact = reply_exact(case, reading.text)
    usable = reply_usable(case, reading.text)
    measure.add("reply exact", source, exact, f"{name}: {fold(reading.text)[:200]!r}")
    measure.add("reply usable", source, usable, f"{name}: {fold(reading.text)[:200]!r}")
    if case.get("lang") == "de":
        measure.add("reply usable, German", source, usable, name)
    measure.add(
        "replies taken for a person's", source, reading.kind is Kind.PERSONAL, f"{name}: {reading.reason}"
    )


def judge_bounce(case: Case, reading: Reading, measure: Measure) -> None:
    source, name = case["source"], case["id"]
    expected = {entry["recipient"].lower(): entry for entry in case["recipients"] if entry["recipient"]}
    found = {report.recipient.lower(): report for report in reading.reports if report.recipient}
    note = f"{name}: expected {sorted(expected)}, found {sorted(found)}"
    if expected:
        measure.add("bounce recipient set", source, set(expected) == set(found), note)
    else:
        measure.add("bounce without recipient seen", source, bool(reading.reports), note)
    measure.add(
        "bounce is a report", source, reading.kind is Kind.REPORT, f"{name}: {reading.kind} {reading.reason}"
    )
    for address, entry in expected.items():
        report = found.get(address)
        if report is None:
            continue
        if entry.get("action"):
            note = f"{name}: {entry['action']}, found {report.action.value}"
            measure.add("bounce action", source, report.action.value == entry["action"], note)
        if entry.get("status_class"):
            good = (report.status or "").startswith(entry["status_class"])
            note = f"{name}: {entry['status']}, found {report.status} ({report.diagnostic[:100]})"
            measure.add("bounce class of status", source, good, note)
        if entry.get("status_in_mail"):
            measure.add("bounce status", source, report.status == entry["status"], note)
    for entry in case["recipients"]:
        if not entry["recipient"] and entry.get("status_class") and reading.reports:
            status = reading.reports[0].status or ""
            measure.add("bounce class of status", source, status.startswith(entry["status_class"]), name)


def judge(case: Case, reading: Reading, seconds: float, measure: Measure) -> None:
    kind, source, name = case["kind"], case["source"], case["id"]
    measure.add("read under two seconds", source, seconds < SLOW, f"{name}: {seconds:.1f} s")
    if kind == "reply":
        judge_reply(case, reading, measure)
    elif kind == "bounce":
        judge_bounce(case, reading, measure)
    elif kind == "auto-reply":
        good = reading.kind is not Kind.PERSONAL
        measure.add("automatic mail recognised", source, good, f"{name}: {reading.reason}")
        measure.add("automatic mail is no bounce", source, not reading.reports, f"{name}: {reading.reports}")
    elif kind == "feedback":
        measure.add("complaint recognised", source, reading.complaint is not None, name)
    elif kind == "not-bounce":
        measure.add("no bounce", source, not reading.reports, f"{name}: {reading.reports}")


# --- Libraries beside us ------------------------------------------------------------------------------------


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def reply_libraries() -> dict[str, Callable[[ParsedMail], str]]:
    found: dict[str, Callable[[ParsedMail], str]] = {}
    github = _imported("email_reply_parser")
    if github is not None:
        found["email-reply-parser"] = lambda mail: github.EmailReplyParser.parse_reply(mail.text or "")
    mailparser = _imported("mailparser_reply")
    if mailparser is not None:
        languages = ["en", "de", "fr", "it", "nl", "pl", "sv", "da", "es"]
        parser = mailparser.EmailReplyParser(languages=languages)
        found["mail-parser-reply"] = lambda mail: parser.parse_reply(text=mail.text or "") or ""
    return found


def measure_libraries(folder: Path, cases: list[Case], measure: Measure) -> None:
    libraries = reply_libraries()
    flufl = _imported("flufl.bounce")
    for case in cases:
        raw = (folder / case["file"]).read_bytes()
        if case["kind"] == "reply":
            mail = parse(raw)
            for name, cut in libraries.items():
                text = cut(mail)
                measure.add(f"{name}: exact", case["source"], reply_exact(case, text), case["id"])
                measure.add(f"{name}: usable", case["source"], reply_usable(case, text), case["id"])
        elif case["kind"] == "bounce" and flufl is not None:
            message = message_from_bytes(raw, policy=policy.compat32)
            found = {address.decode("ascii", "replace").lower() for address in flufl.scan_message(message)}
            expected = {entry["recipient"].lower() for entry in case["recipients"] if entry["recipient"]}
            if expected:
                measure.add("flufl.bounce: recipient set", case["source"], found == expected, case["id"])


def main() -> int:
    options = argparse.ArgumentParser(description="Measure the reading of mails over a corpus.")
    options.add_argument("folder", type=Path)
    options.add_argument("--failures", action="store_true", help="list what went wrong")
    options.add_argument("--sources", action="store_true", help="figures per source as well")
    options.add_argument("--kind")
    options.add_argument("--source")
    options.add_argument("--libraries", action="store_true", help="measure installed libraries beside us")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    lines = (chosen.folder / "cases.jsonl").read_text("utf-8").splitlines()
    cases = [json.loads(line) for line in lines if line.strip()]
    cases = [
        case
        for case in cases
        if (not chosen.kind or case["kind"] == chosen.kind)
        and (not chosen.source or case["source"] == chosen.source)
    ]
    measure = Measure()
    crashes: list[str] = []
    begun = time.perf_counter()
    for case in cases:
        raw = (chosen.folder / case["file"]).read_bytes()
        start = time.perf_counter()
        try:
            reading = read(raw)
        except Exception as error:  # the measure: nothing may raise
            crashes.append(f"{case['id']}: {type(error).__name__}: {error}")
            measure.add("read without exception", case["source"], False, crashes[-1])
            continue
        measure.add("read without exception", case["source"], True, "")
        judge(case, reading, time.perf_counter() - start, measure)
    seconds = time.perf_counter() - begun
    if chosen.libraries:
        measure_libraries(chosen.folder, cases, measure)
    if chosen.json:
        table = {f"{name} [{source}]": (t.right, t.total) for (name, source), t in measure.tallies.items()}
        print(json.dumps(table, indent=1))
    else:
        print(measure.table(by_source=chosen.sources))
        print(f"{len(cases)} mails in {seconds:.2f} s, {len(cases) / seconds:.0f} a second, one process")
    if chosen.failures:
        for (name, source), tally in measure.tallies.items():
            if source == "all" and tally.failures:
                print(f"\n{name}:")
                print("\n".join(f"  {note}" for note in tally.failures))
    return 1 if crashes else 0


if __name__ == "__main__":
    sys.exit(main())
