"""Every pair of colours of the interface keeps its contrast, recomputed from tokens.css."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

import depesche.mailroom.pages

STATIC = Path(depesche.mailroom.pages.__file__).parent / "static" / "depesche"
TEXT, SIGN = 4.5, 3.0  # WCAG 2.x: text; borders of controls, icons, focus, areas of charts

GROUNDS = ("surface", "paper", "sunken")
STATES = ("ok", "wait", "fail", "unsure", "idle")
PAIRS: list[tuple[str, str, float]] = [
    *(
        (ink, ground, TEXT)
        for ink, ground in product(("ink", "ink-2", "ink-3", "accent", "accent-hover"), GROUNDS)
    ),
    *((sign, ground, SIGN) for sign, ground in product(("line-strong", "focus"), GROUNDS)),
    *((state, ground, TEXT) for state in STATES for ground in ("surface", f"{state}-soft")),
    *((state, "paper", TEXT) for state in STATES),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-hover", TEXT),
    ("accent", "accent-soft", TEXT),
    *((ink, f"{ground}-soft", TEXT) for ink, ground in product(("ink", "ink-2"), ("accent", *STATES))),
    *((f"fill-{number}", "surface", SIGN) for number in (1, 2, 3)),
]


def themes() -> dict[str, dict[str, str]]:
    css = (STATIC / "tokens.css").read_text("utf-8")
    dark_at = css.index("@media (prefers-color-scheme: dark)")
    end = css.index("@media", dark_at + 1)
    light = dict(re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6})\b", css[:dark_at]))
    dark = dict(re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6})\b", css[dark_at:end]))
    return {"light": light, "dark": light | dark}


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_measure_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "ground", "least"), PAIRS, ids=str)
def test_pair_keeps_its_contrast(theme: str, front: str, ground: str, least: float) -> None:
    colours = themes()[theme]
    ratio = contrast(colours[front], colours[ground])
    assert ratio >= least, f"--{front} on --{ground} ({theme}) has {ratio:.2f}:1, needs {least}:1"


def test_dark_changes_every_colour_of_light() -> None:
    css = (STATIC / "tokens.css").read_text("utf-8")
    dark = css[css.index("@media (prefers-color-scheme: dark)") :]
    missing = [name for name in themes()["light"] if f"--{name}:" not in dark]
    assert missing == []


def test_components_name_tokens_and_no_colours() -> None:
    css = re.sub(r"/\*.*?\*/", "", (STATIC / "depesche.css").read_text("utf-8"), flags=re.DOTALL)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)", css) == []
    known = set(re.findall(r"--([a-z0-9-]+):", (STATIC / "tokens.css").read_text("utf-8")))
    own = set(re.findall(r"--([a-z0-9-]+):", css))
    used = set(re.findall(r"var\(--([a-z0-9-]+)\)", css))
    assert used - known - own == set()
