"""Templates, too, know only of what lies beside or below them."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from tests.architecture.layers import ROOT, SOURCES, may_use, module_of

TEMPLATE = re.compile(r"""{%-?\s*(?:extends|include)\s+["']([^"']+)["']""")
# `{% url … as name %}` is allowed: it gives nothing where the other app is not installed.
ADDRESS = re.compile(r"""{%-?\s*url\s+["']([\w-]+):(?![^%]*\sas\s+\w+\s*%})""")
TAGS = re.compile(r"{%-?\s*load\s+(?:[\w ]+\s+from\s+)?([\w ]+?)\s*-?%}")


def app_of(path: Path) -> str:
    """The app of a template or a tag library: where its folder `templates` or `templatetags` lies."""
    parts = path.relative_to(SOURCES).parts
    for folder in ("templates", "templatetags"):
        if folder in parts:
            return ".".join(("depesche", *parts[: parts.index(folder)]))
    return module_of(path)


def templates() -> list[Path]:
    return sorted(path for path in SOURCES.rglob("templates/**/*") if path.is_file())


def providers() -> dict[str, set[str]]:
    """The apps that have a template of a name, a namespace of addresses, a library of tags."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in templates():
        parts = path.relative_to(SOURCES).parts
        found["/".join(parts[parts.index("templates") + 1 :])].add(app_of(path))
    for path in SOURCES.rglob("urls.py"):
        for name in re.findall(
            r"""^app_name\s*=\s*["'](\w+)["']""", path.read_text(encoding="utf-8"), re.MULTILINE
        ):
            found[f"url {name}"].add(module_of(path))
    for path in SOURCES.rglob("templatetags/*.py"):
        found[f"tags {path.stem}"].add(app_of(path))
    return found


def test_templates_use_only_what_their_app_may_know() -> None:
    known = providers()
    wrong = []
    for path in templates():
        text = path.read_text(encoding="utf-8")
        used = TEMPLATE.findall(text) + [f"url {name}" for name in ADDRESS.findall(text)]
        used += [f"tags {name}" for line in TAGS.findall(text) for name in line.split()]
        for name in used:
            apps = known.get(name, set())
            if apps and not any(may_use(app_of(path), app) for app in apps):
                wrong.append(f"{path.relative_to(ROOT)}: {name} ({', '.join(sorted(apps))})")
    assert wrong == []
