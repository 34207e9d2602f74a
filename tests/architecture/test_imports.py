"""Imports keep the order of the house, and nowhere go in a circle."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import grimp

from tests.architecture.layers import ROOT, SOURCES, may_use, orders


def test_import_contracts_hold() -> None:
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_contracts_give_the_order_that_the_other_tests_use() -> None:
    assert {"depesche", "depesche.mailroom", "depesche.tracker"} <= orders().keys()
    assert may_use("depesche.tracker.items", "depesche.mailroom.outbox")
    assert may_use("depesche.mailroom.outbox.models", "depesche.mailroom.outbox.states")
    assert not may_use("depesche.mailroom.outbox", "depesche.tracker.items")
    assert not may_use("depesche.mailroom.outbox", "depesche.mailroom.inbox")
    assert not may_use("depesche.tracker.items", "depesche.tracker.threads")


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = grimp.build_graph("depesche", exclude_type_checking_imports=True, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    circles = [sorted(part) for part in strongly_connected(imports) if len(part) > 1]
    assert circles == []


def strongly_connected(graph: dict[str, set[str]]) -> list[set[str]]:
    """Tarjan's algorithm: sets of nodes that all reach each other."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        number[node] = low[node] = len(number)
        stack.append(node)
        for other in graph[node]:
            if other not in number:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], number[other])
        if low[node] == number[node]:
            part = set()
            while node not in part:
                part.add(stack.pop())
            found.append(part)

    for node in graph:
        if node not in number:
            visit(node)
    return found


def test_circles_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}
    assert sorted(map(sorted, strongly_connected(graph))) == [["a", "b", "c"], ["d"]]


def test_lower_packages_do_not_name_upper_ones_in_strings() -> None:
    """Dotted settings, signals and model names are strings, which the import contracts do not see."""
    packages = [name for layer in orders()["depesche"] for name in sorted(layer)]
    wrong = []
    for path in sorted(SOURCES.rglob("*.py")):
        own = path.relative_to(SOURCES).parts[0]
        if own not in packages:
            continue
        upper = [f"depesche.{name}" for name in packages[: packages.index(own)]]
        lines = path.read_text(encoding="utf-8").splitlines()
        wrong += [
            f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
            for number, line in enumerate(lines, 1)
            if any(f'"{name}.' in line or f"'{name}." in line for name in upper)
        ]
    assert wrong == []
