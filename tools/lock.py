"""Regenerate the locked requirements: `make lock`.

One pair of files for each Python line: `requirements/py311.txt` (what the product needs to run) and
`requirements/py311-dev.txt` (the same and what tests, checks and benchmarks need), resolved together, so
that both agree on every version. `requirements/bootstrap.txt` holds what makes a virtual environment where
Python comes without `venv`. The files carry versions and the hashes of every published archive, and no
address: where packages come from is for pip's own configuration to say.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from tools import bootstrap

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
LINES = {"py311": (3, 11), "py312": (3, 12)}
PIP_TOOLS = "pip-tools>=7.5"
ADDRESS = re.compile(r"://|--(extra-)?index-url|--find-links|--trusted-host")


def environment() -> dict[str, str]:
    """pip's environment without local package collections: the hashes must be those of published files."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in {"PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PYTHONPATH", "VIRTUAL_ENV"}
    }
    kept["PIP_CONFIG_FILE"] = os.devnull
    return kept


def compile_lock(python: Path, source: list[str], target: Path, title: str, constraint: Path | None) -> None:
    """Resolve `source` with `python` and write `target`, with versions already locked kept where they fit."""
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "requirements.in"
        lines = [*source, f"-c {constraint}"] if constraint else source
        given.write_text("\n".join(lines) + "\n", encoding="utf-8")
        found = Path(folder) / "locked.txt"
        if target.exists() and "--upgrade" not in sys.argv:
            found.write_text(target.read_text(encoding="utf-8"), encoding="utf-8")
        subprocess.run(
            [
                python, "-m", "piptools", "compile", "--quiet", "--generate-hashes", "--allow-unsafe",
                "--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host", "--no-emit-options",
                "--no-annotate", "--no-header", "--strip-extras", "--resolver=backtracking",
                "--output-file", found, given,
            ],
            check=True,
            cwd=folder,
            env=environment(),
        )  # fmt: skip
        locked = [
            line
            for line in found.read_text(encoding="utf-8").splitlines()
            if line.strip() and not line.startswith("#")
        ]
    text = "\n".join(locked) + "\n"
    if ADDRESS.search(text):
        raise SystemExit(f"{target.name} would hold an address; nothing was written.")
    target.write_text(f"# {title}\n# Regenerate with `make lock`.\n{text}", encoding="utf-8")
    print(f"{target.relative_to(ROOT)}: {sum('==' in line for line in locked)} packages")


def main() -> int:
    """Write all lock files; needs an interpreter of each Python line on this machine."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    runtime = [*project["project"]["dependencies"], *project["build-system"]["requires"], *groups["setup"]]
    REQUIREMENTS.mkdir(exist_ok=True)
    for name, version in LINES.items():
        interpreter = bootstrap.find_python(exactly=version)
        if interpreter is None:
            print(f"No Python {version[0]}.{version[1]} was found: needed to lock {name}.", file=sys.stderr)
            return 1
        words = f"Python {version[0]}.{version[1]}" + (" and later" if name == "py312" else "")
        with tempfile.TemporaryDirectory(prefix="depesche-lock-") as folder:
            subprocess.run([interpreter, "-m", "venv", folder], check=True)
            python = Path(folder) / "bin" / "python"
            subprocess.run([python, "-m", "pip", "install", "-q", PIP_TOOLS], check=True, env=environment())
            developing = REQUIREMENTS / f"{name}-dev.txt"
            title = f"What Depesche's tests and checks need with {words}."
            compile_lock(python, runtime + groups["dev"], developing, title, None)
            title = f"What Depesche needs with {words}."
            compile_lock(python, runtime, REQUIREMENTS / f"{name}.txt", title, developing)
            if name == "py311":
                title = "What makes a virtual environment where Python comes without venv."
                compile_lock(python, ["virtualenv>=20.29"], REQUIREMENTS / "bootstrap.txt", title, None)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
