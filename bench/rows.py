"""What the benchmarks say: rows of one table, with the figure wanted and the figure aimed at."""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(os.environ.get("DEPESCHE_BENCH_RESULTS") or Path(__file__).resolve().parent / "results")


@dataclass(frozen=True)
class Row:
    """One figure. `higher` is better, unless it is said otherwise; `missing`: why there is none here."""

    name: str
    value: float | None
    at_least: float | None = None
    aim: float | None = None
    unit: str = ""
    higher: bool = True
    detail: str = ""
    missing: str = ""

    @property
    def verdict(self) -> str:
        """aim reached | enough | below | not measured | (nothing wanted)."""
        if self.value is None:
            return "not measured"
        if self.at_least is None:
            return ""
        sign = 1 if self.higher else -1
        if self.aim is not None and sign * self.value >= sign * self.aim:
            return "aim reached"
        return "enough" if sign * self.value >= sign * self.at_least else "BELOW"


@dataclass
class Rounds:
    """The figures of interleaved rounds; what counts is their median."""

    figures: list[float] = field(default_factory=list)

    def add(self, figure: float) -> None:
        self.figures.append(figure)

    @property
    def median(self) -> float:
        return statistics.median(self.figures)

    def spread(self, form: str = ",.0f") -> str:
        return f"{min(self.figures):{form}} to {max(self.figures):{form}}"


def percentile(figures: Sequence[float], share: float) -> float:
    """The figure that this share of them does not exceed."""
    ordered = sorted(figures)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    shown = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if unit else f"{value:.2f}"
    return f"{shown} {unit}".strip()


def table(rows: Iterable[Row]) -> str:
    """As Markdown."""
    lines = ["| what | figure | at least | aim | | how it came about |", "|---|---:|---:|---:|---|---|"]
    for row in rows:
        bound = "" if row.higher else "≤ "
        wanted = "" if row.at_least is None else bound + _figure(row.at_least, row.unit)
        aim = "" if row.aim is None else bound + _figure(row.aim, row.unit)
        figure = _figure(row.value, row.unit)
        lines.append(
            f"| {row.name} | {figure} | {wanted} | {aim} | {row.verdict} | {row.missing or row.detail} |"
        )
    return "\n".join(lines) + "\n"


def save(name: str, title: str, method: str, rows: Sequence[Row]) -> str:
    """Write `results/<name>.md` and `.json`; the text, to be printed."""
    RESULTS.mkdir(exist_ok=True)
    text = f"# {title}\n\n{datetime.now(UTC):%Y-%m-%d}. {method}\n\n{table(rows)}"
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    content = json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1)
    (RESULTS / f"{name}.json").write_text(content + "\n", encoding="utf-8")
    return text


def load(name: str, results: Path = RESULTS) -> list[Row]:
    """The rows that were saved last; none when that benchmark has not run."""
    path = results / f"{name}.json"
    return [Row(**row) for row in json.loads(path.read_text(encoding="utf-8"))] if path.exists() else []
