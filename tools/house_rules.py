"""Rules of the house that no other tool knows. Each finding says what to do instead.

Only files that Git tracks are read (or, outside a clone, all that lie in the source folders).
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ABOUT_RULES = {Path(__file__).resolve(), ROOT / "tests" / "tools" / "test_house_rules.py"}
TEXT = {""} | {
    f".{kind}" for kind in ("py", "toml", "txt", "md", "html", "css", "js", "mjs", "json", "po", "svg")
}
TEXT |= {f".{kind}" for kind in ("cfg", "ini", "sh", "yml", "yaml")}
REGISTRIES = "|".join(("py" + "pi", "python" + "hosted", "npm" + "js", "yarn" + "pkg", "ana" + "conda"))
LONGEST = 600
"""Lines of a source file: about 500, and a little for the last idea."""


@dataclass(frozen=True)
class Rule:
    """A pattern that must not stand in a line of certain files, and what to do instead."""

    pattern: re.Pattern[str]
    instead: str
    folders: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    except_for: tuple[str, ...] = ()

    def concerns(self, name: str) -> bool:
        return (
            (not self.folders or name.startswith(self.folders))
            and (not self.suffixes or name.endswith(self.suffixes))
            and not name.startswith(self.except_for or ("\0",))
        )


RULES = (
    Rule(
        re.compile(r"#\s*type:\s*ignore(?!\[[\w\-, ]+\]\s+\W+\w+\W+\w+)"),
        "say which error is ignored and why: `# type: ignore[code]  # the reason in words`",
        suffixes=(".py",),
    ),
    Rule(
        re.compile(r"#\s*noqa(?!:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*\W+\w+\W+\w+)", re.IGNORECASE),
        "say which rule is broken and why: `# noqa: CODE  the reason in words`",
        suffixes=(".py",),
    ),
    Rule(
        re.compile(r"pragma: no cover(?!\W+\w+\W+\w+)"),
        "say why this is never run: `# pragma: no cover  the reason in words`",
        suffixes=(".py",),
    ),
    Rule(
        re.compile(r"\b(TODO|FIXME|XXX)\b(?!-)"),
        "do it, or open an issue",
        ("src/", "tools/"),
        (".py", ".html"),
    ),
    Rule(
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s*$|\bAKIA[0-9A-Z]{16}\b|\bghp_\w{30,}|\bxox[bp]-\w{10,}"
        ),
        "no key belongs into the repository; tests make their own (tests/support/certificates.py)",
    ),
    Rule(
        re.compile(r"(?<![\w.])/(work|root|home/\w+|Users/\w+)/[\w.]"),
        "no path of one machine; build it from where the file lies, or from the environment",
        except_for=("docs/admin/",),
    ),
    Rule(
        re.compile(
            rf"(?<!\w)([\w-]+\.)*({REGISTRIES})\.(org|com|net)\b|"
            r"--(extra-)?index-url\b|--find-links\b|--trusted-host\b"
        ),
        "no address of a package registry; pip's and npm's own configuration knows it",
        except_for=("tools/lock.py",),
    ),
    Rule(
        re.compile(
            r"""(src|href|action)=["'](https?:)?//|url\(["']?(https?:)?//|@import\s+["'](https?:)?//"""
        ),
        "pages load nothing from elsewhere; put the file into static/",
        ("src/",),
        (".html", ".css", ".js"),
    ),
    Rule(
        re.compile(r"\btime\.sleep\("),
        "wait for a condition (tests/support/waiting.py), not for a time",
        ("tests/",),
        (".py",),
        ("tests/support/",),
    ),
)


def files() -> list[Path]:
    """The tracked files."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        found = [
            path for top in ("src", "tests", "tools", "bench", "docs") for path in (ROOT / top).rglob("*")
        ]
    return sorted(path for path in found if path.is_file() and path not in ABOUT_RULES)


def findings(path: Path) -> Iterator[str]:
    """What is wrong with one file, a sentence each."""
    name = path.relative_to(ROOT).as_posix()
    if path.suffix not in TEXT:
        return
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return
    for rule in RULES:
        if rule.concerns(name):
            for number, line in enumerate(lines, 1):
                if rule.pattern.search(line):
                    yield f"{name}:{number}: {line.strip()[:90]}\n    {rule.instead}"
    if name.startswith("src/") and path.suffix == ".py" and len(lines) > LONGEST:
        yield f"{name}: {len(lines)} lines\n    a file past 500 lines holds two ideas; give each its own"


def normal(name: str) -> str:
    """The name of a package as comparisons want it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def lock_drift() -> Iterator[str]:
    """Requirements in pyproject.toml that a lock does not hold."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    runtime = [*project["project"]["dependencies"], *project["build-system"]["requires"], *groups["setup"]]
    for line in ("py311", "py312"):
        for suffix, wanted in (("", runtime), ("-dev", [*runtime, *groups["dev"]])):
            path = ROOT / "requirements" / f"{line}{suffix}.txt"
            text = path.read_text(encoding="utf-8")
            locked = {normal(name) for name in re.findall(r"^([\w.\-]+)==", text, re.MULTILINE)}
            for requirement in wanted:
                match = re.match(r"[\w.\-]+", requirement)
                if match and normal(match.group()) not in locked:
                    yield f"requirements/{path.name}: {match.group()} is missing\n    run `make lock`"


def main() -> int:
    """Print every finding; 1 when there is one."""
    found = [finding for path in files() for finding in findings(path)] + list(lock_drift())
    for finding in found:
        print(finding)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
