"""What holds for every template: nothing inline, nothing from elsewhere, no dead parts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.template import engines

import depesche

ROOT = Path(depesche.__file__).parent
MAILS = ("notifications", "accounts", "correspondence")  # mails carry their styles inline
TEMPLATES = sorted(
    path
    for path in ROOT.rglob("templates/**/*.html")
    if not any(part in MAILS for part in path.relative_to(ROOT).parts) and "mail" not in path.parts[-2:-1]
)
FORBIDDEN = {
    "a style attribute": re.compile(r"<[^>]+\sstyle\s*=", re.IGNORECASE),
    "a style element": re.compile(r"<style\b", re.IGNORECASE),
    "an inline script": re.compile(r"<script(?![^>]*\bsrc=)", re.IGNORECASE),
    "an event attribute": re.compile(r"<[^>]+\son[a-z]+\s*=", re.IGNORECASE),
    "htmx code that needs eval": re.compile(
        r"hx-on|hx-vars|hx-vals\s*=\s*['\"]\s*js:|javascript:", re.IGNORECASE
    ),
    "something from elsewhere": re.compile(r"(?:src|href|action)\s*=\s*[\"']?(?:https?:)?//", re.IGNORECASE),
    "a filter that trusts": re.compile(r"\|\s*safe\b|autoescape\s+off"),
}


def test_there_are_templates() -> None:
    assert len(TEMPLATES) > 20


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_template_keeps_the_policy(path: Path) -> None:
    text = re.sub(
        r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", "", path.read_text("utf-8"), flags=re.DOTALL
    )
    found = {what: match.group() for what, rule in FORBIDDEN.items() if (match := rule.search(text))}
    assert found == {}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_template_compiles(path: Path) -> None:
    name = path.relative_to(next(parent for parent in path.parents if parent.name == "templates"))
    engines["django"].get_template(name.as_posix())


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_post_forms_carry_the_csrf_token(path: Path) -> None:
    if path.name == "unsubscribe.html":  # RFC 8058: its right is the signed token in the address
        return
    for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", path.read_text("utf-8"), re.DOTALL):
        assert "{% csrf_token %}" in form


def test_own_script_needs_no_eval() -> None:
    script = (ROOT / "mailroom/pages/static/depesche/depesche.js").read_text("utf-8")
    for word in ("eval(", "innerHTML", "outerHTML", "document.write", "new Function", ".style."):
        assert word not in script
