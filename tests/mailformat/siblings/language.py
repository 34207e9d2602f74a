"""What programs write around a quote in each language, as templates.

Each form of one date (3 March 2026, 10:11) is there; `{n}` is a name, `{a}` an address.
"""

from __future__ import annotations

from dataclasses import dataclass

NAME = "Jana Vogt"
ADDRESS = "jana.vogt@kunde.example"


@dataclass(frozen=True)
class Language:
    """`attributions` are lines above a quote, `labels` name From, Sent, To, Subject; `notes` are what devices
    add; `answers` and `older` are what people write."""

    code: str
    attributions: tuple[str, ...]
    labels: tuple[str, str, str, str]
    dates: tuple[str, ...]
    separators: tuple[str, ...]
    notes: tuple[str, ...]
    closing: str
    answer: str
    older: str
