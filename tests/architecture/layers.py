"""The order of the packages, read from the import contracts in pyproject.toml."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src" / "depesche"


@cache
def orders() -> dict[str, list[set[str]]]:
    """For each container the layers in it, the upper ones first; layers beside each other form a set."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: dict[str, list[set[str]]] = {}
    for contract in project["tool"]["importlinter"]["contracts"]:
        if contract["type"] == "layers":
            layers = [{name.strip() for name in layer.split("|")} for layer in contract["layers"]]
            for container in contract["containers"]:
                found[container] = layers
    return found


def may_use(user: str, used: str) -> bool:
    """Whether what lies in the module `user` may know of what lies in the module `used` (dotted names)."""
    one, other = user.split("."), used.split(".")
    for depth in range(min(len(one), len(other))):
        container = ".".join(one[:depth])
        if one[depth] == other[depth]:
            continue
        layers = orders().get(container)
        if layers is None:
            return True  # below the contracts: one part's own affair
        rank = {name: number for number, layer in enumerate(layers) for name in layer}
        mine, theirs = rank.get(one[depth]), rank.get(other[depth])
        return mine is not None and theirs is not None and mine < theirs
    return True


def module_of(path: Path) -> str:
    """The dotted name of the package in which a file of the sources lies."""
    return ".".join(("depesche", *path.parent.relative_to(SOURCES).parts))
