"""docs/architecture.md shows the ports as they are: names in their files, functions with their parameters."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([a-z_/]+\.py)\b")
_CLASS = re.compile(r"class (\w+):")


@dataclass(frozen=True)
class Shown:
    """One line of the page: a name, with its parameters where it is a function."""

    file: str
    name: str
    parameters: tuple[str, ...] | None


def shown() -> Iterator[Shown]:
    for block in _BLOCK.findall(PAGE.read_text("utf-8")):
        file = ""
        for line in block.splitlines():
            if found := _FILE.match(line):
                file = found[1]
            elif found := _CLASS.match(line):
                yield Shown(file, found[1], None)
            elif line.startswith("def "):
                yield Shown(file, *_function(line))


def _function(line: str) -> tuple[str, tuple[str, ...]]:
    head = line.partition("  #")[0].rstrip().replace("=…", "=None")
    (made,) = ast.parse(f"{head}: ...").body
    assert isinstance(made, ast.FunctionDef)
    return made.name, _parameters(made)


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str, ...]:
    of = function.args
    more = [one for one in (of.vararg, of.kwarg) if one is not None]
    return tuple(one.arg for one in [*of.posonlyargs, *of.args, *of.kwonlyargs, *more])


LINES = list(shown())


def test_the_page_is_read() -> None:
    assert len(LINES) > 80
    assert all(one.file for one in LINES)


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.file}:{line.name}")
def test_it_is_there(line: Shown) -> None:
    tree = ast.parse((ROOT / "src" / "depesche" / line.file).read_text("utf-8"))
    found = {
        node.name: node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    assert line.name in found
    node = found[line.name]
    if line.parameters is not None:
        assert not isinstance(node, ast.ClassDef)
        assert line.parameters == _parameters(node)
