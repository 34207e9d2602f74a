"""How well mails are read, measured over a corpus with expectations, beside the libraries that do the same.

    python -m bench corpus [FOLDER] [--failures] [--kind KIND] [--source SOURCE] [--sources] [--quick]

FOLDER holds `cases.jsonl`, one JSON object a line: `id`, `file` (relative to FOLDER), `kind` (reply, bounce,
auto-reply, feedback, not-bounce, malformed), `source`, `lang`, and what is expected: `expected_text`, or
`must` and `must_not`; `recipients` with `recipient`, `action`, `status`, `status_class`. Without FOLDER our
own mails are read (tests/corpus), which say little: they were written along with the rules.

First come our figures with what was wanted; then the libraries on the same mails (installed into an
environment of their own below bench/.peers; `--quick` leaves them out); then how many mails are read alike
once they have been changed in a way that changes nothing for a reader. That needs no expectations, and says
something about mails that nobody has looked at.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from bench.corpus_changes import CHANGES, Change
from bench.corpus_peers import Answers, ask_peers
from bench.rows import Row, save
from depesche.mailformat.classify import Kind
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

    @property
    def share(self) -> float:
        return 100 * self.right / self.total if self.total else 0.0

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


#: name: at least, aim (both in %).
WANTED: dict[str, tuple[float, float]] = {
    "reply exact": (85, 92),
    "reply usable": (95, 98),
    "reply usable, German": (95, 100),
    "bounce recipient set": (97, 99),
    "bounce class of status": (95, 98),
    "automatic mail recognised": (97, 100),
    "replies taken for a person's": (100, 100),
    "read without exception": (100, 100),
    "read under two seconds": (100, 100),
}


def rows_of(measure: Measure) -> list[Row]:
    rows = []
    for name in dict.fromkeys(name for name, _ in measure.tallies):
        tally = measure.tallies[name, "all"]
        least, aim = WANTED.get(name, (None, None))
        rows.append(Row(name, tally.share, least, aim, "%", detail=f"{tally.right} of {tally.total}"))
    return rows


def judge_peers(cases: list[Case], answers: Answers, measure: Measure, ours: dict[str, float]) -> list[Row]:
    """The libraries by the same measures; and how much longer they take than we for the same mails."""
    seconds: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for case in cases:
        expected = {entry["recipient"].lower() for entry in case.get("recipients", []) if entry["recipient"]}
        for library, answer in answers.get(case["id"], {}).items():
            seconds[library].append((answer["seconds"], ours[case["id"]]))
            failed = "error" in answer
            if library == "standard library":
                measure.add(f"{library}: read without exception, {case['kind']}", "", not failed, case["id"])
            elif case["kind"] == "reply":
                text = answer.get("found") or ""
                measure.add(f"{library}: reply exact", "", not failed and reply_exact(case, text), "")
                measure.add(f"{library}: reply usable", "", not failed and reply_usable(case, text), "")
                if case.get("lang") == "de":
                    good = not failed and reply_usable(case, text)
                    measure.add(f"{library}: reply usable, German", "", good, "")
            elif expected:
                good = not failed and set(answer["found"]) == expected
                measure.add(f"{library}: bounce recipient set", "", good, "")
    rows = [
        Row(name, tally.share, unit="%", detail=f"{tally.right} of {tally.total}")
        for (name, source), tally in sorted(measure.tallies.items())
        if source == "all"
    ]
    for library, pairs in sorted(seconds.items()):
        theirs, own = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
        detail = f"{len(pairs)} mails; ours is everything: parts, class, reports and text"
        rows.append(Row(f"{library}: its time ÷ ours", theirs / own, detail=detail))
    return rows


def _gist(reading: Reading) -> tuple[object, ...]:
    """What of a reading must not change with the outer form of a mail."""
    reports = sorted(
        ((report.recipient or "").lower(), report.action.value, (report.status or "")[:1])
        for report in reading.reports
    )
    words = fold(reading.text.replace(">", " ")) if not reports else ""
    return reading.kind, words, tuple(reports)


def judge_changes(folder: Path, cases: list[Case]) -> list[Row]:
    measure = Measure()
    for case in cases:
        if case["kind"] == "malformed":
            continue
        raw = (folder / case["file"]).read_bytes()
        before = _gist(read(raw))
        for name, change in CHANGES.items():
            changed = _changed(change, raw)
            if changed is not None:
                measure.add(name, "", _gist(read(changed)) == before, case["id"])
    return [
        Row(f"read alike: {name}", tally.share, unit="%", detail=f"{tally.right} of {tally.total}")
        for (name, source), tally in measure.tallies.items()
        if source == "all"
    ]


def _changed(change: Change, raw: bytes) -> bytes | None:
    changed = change(raw)
    return None if changed is None or changed == raw else changed


def main() -> int:
    options = argparse.ArgumentParser(description="Measure the reading of mails over a corpus.")
    options.add_argument(
        "folder", type=Path, nargs="?", default=Path(__file__).parent.parent / "tests" / "corpus"
    )
    options.add_argument("--failures", action="store_true", help="list what went wrong")
    options.add_argument("--sources", action="store_true", help="figures per source as well")
    options.add_argument("--kind")
    options.add_argument("--source")
    options.add_argument("--quick", action="store_true", help="our figures alone; nothing is kept")
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
    ours: dict[str, float] = {}
    for case in cases:
        raw = (chosen.folder / case["file"]).read_bytes()
        start = time.process_time()
        try:
            reading = read(raw)
        except Exception as error:  # the measure: nothing may raise
            note = f"{case['id']}: {type(error).__name__}: {error}"
            measure.add("read without exception", case["source"], False, note)
            continue
        ours[case["id"]] = time.process_time() - start
        measure.add("read without exception", case["source"], True, "")
        judge(case, reading, ours[case["id"]], measure)
    rows = rows_of(measure)
    rate = len(ours) / sum(ours.values())
    rows.append(Row("mails a second, one process", rate, detail="processor time; bound by Python itself"))
    whole = not (chosen.quick or chosen.kind or chosen.source)
    if whole:
        answers, versions = ask_peers(chosen.folder, cases)
        rows += judge_peers(cases, answers, Measure(), ours)
        rows += judge_changes(chosen.folder, cases)
        method = f"{len(cases)} mails of {chosen.folder.name}. {versions}."
        print(save("corpus", "Reading of mails", method, rows))
    else:
        print(measure.table(by_source=chosen.sources))
        print(f"{len(ours)} mails, {rate:.0f} a second of processor time, one process")
    if chosen.failures:
        for (name, source), tally in measure.tallies.items():
            if source == "all" and tally.failures:
                print(f"\n{name}:")
                print("\n".join(f"  {note}" for note in tally.failures))
    return 0 if measure.tallies["read without exception", "all"].failures == [] else 1


if __name__ == "__main__":
    sys.exit(main())
